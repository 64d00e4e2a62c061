//! What makes no sense, and what others wrote.

use crate::support::{Site, command, ran};
use crate::verify::Directory;

#[tokio::test]
async fn the_database_is_named_by_a_variable_or_a_file() {
    let site = Site::fresh().await;
    let directory = Directory::fresh();
    let file = directory.file("url", format!("{}\n", site.database.url()).as_bytes());
    let mut named = command("", &["list", "--database-url-file", &file]);
    named.env_remove("DATABASE_URL");
    ran(named, b"").done();
    ran(command("", &["list"]), b"")
        .exits(2)
        .notes("DATABASE_URL");
    let wrong = "mysql://ada:hunter2@localhost/x";
    let told = ran(command(wrong, &["list"]), b"")
        .exits(2)
        .notes("postgres://");
    assert!(!told.err.contains("hunter2"));
    let mut direct = site.command(&["list"]);
    direct.env("KEYWARD_DIRECT_URL", "hunter2");
    let told = ran(direct, b"").exits(2).notes("KEYWARD_DIRECT_URL");
    assert!(!told.err.contains("hunter2"));
    let mut direct = site.command(&["list"]);
    direct.env("KEYWARD_DIRECT_URL", site.database.url());
    ran(direct, b"").done();
    let nowhere = ["list", "--database-url-file", "/nowhere/url"];
    ran(command("", &nowhere), b"")
        .exits(2)
        .notes("cannot read /nowhere/url");
}

#[tokio::test]
async fn formats_are_needed_where_keys_are_made_or_judged() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    let bare = |arguments: &[&str]| {
        let mut command = site.command(arguments);
        command.env_remove("KEYWARD_FORMATS");
        ran(command, b"")
    };
    for arguments in [
        &["issue", "ci", "--tenant", "acme"][..],
        &["rotate", &id],
        &["verify"],
    ] {
        bare(arguments).exits(2).notes("KEYWARD_FORMATS");
    }
    bare(&["list"]).done();
    bare(&["revoke", &id]).done();
    let ran = site.run(&["list", "--format", "acme_<secret:5>"]).exits(2);
    ran.notes("128 random bits");
    // Two that could be taken for each other.
    let both = ["issue", "ci", "--tenant", "acme", "--format", "a,a"];
    site.run(&both).exits(2).notes("these formats cannot be");
}

#[test]
fn exit_codes_are_documented() {
    let help = ran(command("", &["--help"]), b"").done();
    let help = help.says("Exit codes:").says("DATABASE_URL");
    for code in 0..=4 {
        assert!(help.out.contains(&format!("\n  {code}  ")), "{code}");
    }
    ran(command("", &[]), b"").exits(2);
    ran(command("", &["dance"]), b"").exits(2);
    ran(command("", &["--version"]), b"")
        .done()
        .says("keyward ");
}

#[test]
fn every_command_tells_of_what_holds_everywhere() {
    for name in [
        "init",
        "issue",
        "list",
        "show",
        "rotate",
        "revoke",
        "suspend",
        "resume",
        "bulk-revoke",
        "import",
        "audit",
        "report",
        "verify",
        "scanner-rule",
        "doctor",
    ] {
        let help = ran(command("", &[name, "--help"]), b"").done();
        for option in [
            "--database-url-file",
            "--format",
            "--pepper",
            "--foreign",
            "--as",
            "--json",
        ] {
            assert!(help.out.contains(option), "{name} {option}");
        }
    }
}

/// Other writers, and older versions, keep what they like.
#[tokio::test]
async fn what_a_terminal_would_obey_is_spelled_out() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    site.sql(
        "UPDATE keyward.keys SET name = E'\\u001b[2Jgone\\u009b1m\\u202e', \
         description = E'a\\nb', owner_kind = E'\\u0007', owner_id = 'x'",
    )
    .await;
    for arguments in [
        &["list"][..],
        &["show", &id],
        &["list", "--json"],
        &["show", &id, "--json"],
    ] {
        let told = site.run(arguments).done();
        let active = |character: char| {
            character != '\n' && (character.is_control() || character == '\u{202e}')
        };
        assert!(!told.out.contains(active), "{:?}", told.out);
        assert!(told.out.contains("gone"));
    }
    let told = site.run(&["show", &id, "--json"]).done().object();
    assert_eq!(told["name"], "\u{1b}[2Jgone\u{9b}1m\u{202e}");
}
