//! What makes no sense, and what others wrote.

use crate::support::{Site, command, ran, some_id};
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
        .notes("cannot read the file that --database-url-file names");
}

/// What is pasted in the wrong place is told neither to the terminal nor to whoever keeps its output.
#[tokio::test]
async fn secrets_are_not_repeated() {
    let site = Site::fresh().await;
    let (id, secret) = site.issue("ci", &[]);
    let (_, dashed) = site.issue("ci", &["--format", "acme-<id>_<secret:24><checksum>"]);
    let hidden = |mut command: std::process::Command, secret: &str| {
        command.env("KEYWARD_FOREIGN", "sanctum");
        let told = ran(command, b"").exits(2);
        assert!(!told.err.contains(secret), "{}", told.err);
        told
    };
    let sanctum = "7|0123456789abcdefghijklmnopqrstuvwxyzABCD";
    let long = format!("acme_live_{}", "x".repeat(90));
    for key in [&*secret, &dashed, sanctum, "acme_live_x", &long] {
        for arguments in [
            &["show", key][..],
            &["revoke", &id, key],
            &["suspend", key],
            &["resume", key],
            &["rotate", key],
            &["rotate", key, "--undo"],
            &["audit", "--key", key],
        ] {
            let formats = ["--format", "acme_live,acme-<id>_<secret:24><checksum>"];
            let told = hidden(site.command(&[arguments, &formats].concat()), key);
            told.notes("spelled like a key, and is not repeated here");
        }
    }
    assert_eq!(
        site.status(&id),
        "active",
        "the line was refused as a whole"
    );
    // Where clap speaks.
    for arguments in [
        &[&*secret][..],
        &["show", &id, &secret],
        &["list", &secret],
        &["list", "--tag=x", "--format", &secret],
        &["list", &format!("--json={secret}")],
        &["list", "--limit", &secret],
    ] {
        hidden(site.command(arguments), &secret);
    }
    let url = "postgres://ada:hunter2@localhost/x";
    hidden(
        site.command(&["list", "--database-url-file", url]),
        "hunter2",
    )
    .notes("not the URL itself");
    hidden(site.command(&["list", "--database-url", url]), "hunter2");
    hidden(
        site.command(&["list", &format!("--database-url={url}")]),
        "hunter2",
    );
    for pepper in ["2026=hunter2", "hunter2", "hunter2==", "hunter2="] {
        hidden(site.command(&["list", "--pepper", pepper]), "hunter2").notes("pepper");
        let mut command = site.command(&["list"]);
        command.env("KEYWARD_PEPPERS", pepper);
        hidden(command, "hunter2").notes("pepper");
    }
    // What is short is no secret, and quoted.
    let told = site.run(&["list", "--older-than", "soon"]).exits(2);
    told.notes("'soon'");
}

/// A key may be one of a format that was not named.
#[tokio::test]
async fn only_what_is_surely_an_id_is_repeated() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    let nobody = some_id();
    for formats in ["", "acme_test"] {
        let bare = |arguments: &[&str]| {
            let mut command = site.command(arguments);
            command.env("KEYWARD_FORMATS", formats);
            if formats.is_empty() {
                command.env_remove("KEYWARD_FORMATS");
            }
            ran(command, b"")
        };
        let key = "acme_live_0123456789a_0123456789abcdefghij";
        for arguments in [&["show", key][..], &["revoke", key], &["suspend", key, key]] {
            let told = bare(arguments).notes("there is no key of that id");
            assert_ne!(told.code, 0);
            assert!(!told.err.contains("acme_live"), "{}", told.err);
        }
        bare(&["resume", &id, key]).exits(1).notes("id number 2: ");
        bare(&["show", "123"]).exits(3).notes("no key 123");
        bare(&["show", &nobody]).exits(3).notes(&nobody);
    }
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
