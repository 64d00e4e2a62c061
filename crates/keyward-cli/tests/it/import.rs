//! Keys that other systems kept.

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use keyward::{Alphabet, Digest, KeyFormat, Plaintext};
use serde_json::{Value, json};

use crate::support::{Ran, Site, ran};
use crate::verify::Directory;

const FORMAT: &str = "old_<secret:32>";

/// A key as the other system issued it, and the line about it.
fn key(number: usize) -> (Plaintext, String) {
    let format = KeyFormat::builder("old").without_public_id();
    let format = format
        .secret(Alphabet::Base62, 32)
        .without_checksum()
        .build()
        .unwrap();
    let key = format.generate().unwrap().plaintext;
    let line = json!({
        "id": format!("old:{number}"),
        "name": format!("key {number}"),
        "tenant": "acme",
        "owner": "user:ada",
        "scopes": ["orders:read"],
        "prefix": "old",
        "hint": "old_",
        "hash": Digest::sha256(key.expose().as_bytes()).to_hex(),
        "expiresAt": "2099-01-01T00:00:00+01:00",
        "lastUsedAt": 1_767_268_800_000_u64,
    });
    (key, line.to_string())
}

/// A thousand lines, three of which are bad; and the key of the last.
fn thousand() -> (Vec<String>, Plaintext) {
    let (keys, mut lines): (Vec<_>, Vec<_>) = (1..=1_000).map(key).unzip();
    lines[99] = r#"{"tenant":"acme","hash":"5ecret"}"#.to_owned();
    lines[499] = "no JSON".to_owned();
    lines[899] = lines[899].replace("\"tenant\"", "\"tenent\"");
    (lines, keys.into_iter().next_back().unwrap())
}

fn summary(ran: &Ran) -> Value {
    ran.objects().pop().unwrap()
}

async fn count(site: &Site) -> i64 {
    let mut connection = site.database.connect().await.unwrap();
    let count = sqlx::query_scalar("SELECT count(*) FROM keyward.keys");
    count.fetch_one(&mut connection).await.unwrap()
}

#[tokio::test]
async fn an_import_that_was_killed_goes_on() {
    let site = Site::fresh().await;
    let (lines, last) = thousand();
    let arguments = ["import", "-", "--format", FORMAT];
    let mut killed = site.command(&arguments);
    let mut killed = killed
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = killed.stdin.take().unwrap();
    // Half of it, and it waits for more.
    input.write_all(lines[..500].join("\n").as_bytes()).unwrap();
    input.write_all(b"\n").unwrap();
    let start = std::time::SystemTime::now();
    while count(&site).await < 480 {
        assert!(
            start.elapsed().unwrap() < Duration::from_secs(60),
            "half of it is not imported"
        );
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let there = count(&site).await;
    assert!((480..=498).contains(&there), "{there}");

    let directory = Directory::fresh();
    let file = directory.file("keys.jsonl", lines.join("\n").as_bytes());
    let arguments = ["import", &file, "--format", FORMAT];
    let again = site.run(&arguments).exits(1);
    let again = again.says(&format!("{} imported, {there} there already", 997 - there));
    let again = again.says("3 bad").notes("3 lines are bad");
    let again = again
        .notes("line 100: the field `hash` cannot be read: it is not a hash of this kind")
        .notes("line 500: it is not a JSON object")
        .notes("line 900: there is no field `tenent`");
    assert!(!again.err.contains("5ecret"));
    // Nothing is drawn where there is no terminal.
    assert!(
        !again.err.contains('\u{1b}') && again.err.lines().count() == 4,
        "{}",
        again.err
    );
    assert_eq!(count(&site).await, 997);
    let told = summary(&site.run(&[&arguments[..], &["--json"]].concat()).exits(1));
    assert_eq!(
        (&told["alreadyThere"], &told["bad"]),
        (&997.into(), &3.into())
    );

    let secret = last.expose();
    let verified = site.fed(&["verify", "--format", FORMAT, "--json"], secret.as_bytes());
    let verified = verified.done().object();
    assert_eq!(verified["key"]["name"], "key 1000");
    assert_eq!(verified["key"]["lastUsedAt"], "2026-01-01T12:00:00Z");
    assert_eq!(verified["key"]["expiresAt"], "2098-12-31T23:00:00Z");
    let told = site
        .run(&["audit", "--key", "old:7", "--json"])
        .done()
        .object();
    assert_eq!(
        (&told["action"], &told["actor"]),
        (&"imported".into(), &"cli:ada".into())
    );
}

#[tokio::test]
async fn layouts_are_taken_over_by_their_columns() {
    let site = Site::fresh().await;
    let digest = "nzdbhrClUnylxErsMNCNFosTGPH9y-REvEzvMjR5lZ4";
    let line = json!({ "owner": { "kind": "user", "id": "ada" }, "row": {
        "id": "8jzm9gOaakhuh0a9D4YK6HWCpfQsO8qf", "key": digest, "name": "ci", "start": "acme_C",
        "prefix": "acme_", "enabled": true, "permissions": "{\"orders\":[\"read\"]}",
        "referenceId": "ada", "rateLimitMax": 10, "createdAt": "2026-01-02T03:04:05.678+00:00",
    }});
    let from = [
        "import",
        "-",
        "--from",
        "better-auth:acme_",
        "--tenant",
        "acme-inc",
    ];
    let done = site.fed(&from, line.to_string().as_bytes()).done();
    done.says("1 imported, 0 there already");
    site.fed(&from, line.to_string().as_bytes())
        .done()
        .says("0 imported, 1 there already");
    let credential = b"acme_CUgsCyhtXHYPOxkdDovufttkkJDgcEcmKfZfjgRjXvtOUlXNrXjwpRDhujyHjipG";
    let verify = ["verify", "--foreign", "better-auth:acme_", "--json"];
    let verified = site.fed(&verify, credential).done().object();
    assert_eq!(verified["scopes"][0], "orders:read");
    let key = &verified["key"];
    assert_eq!(
        (&key["tenant"], &key["owner"]["id"]),
        (&"acme-inc".into(), &"ada".into())
    );
    assert_eq!(key["createdAt"], "2026-01-02T03:04:05Z");
    // Whoever does not know the system does not know the key.
    site.fed(&["verify"], credential).exits(3);
}

#[tokio::test]
async fn slow_hashes_are_found_by_a_beginning() {
    let site = Site::fresh().await;
    let hash = "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y";
    let line = json!({ "tenant": "acme", "name": "ci", "hash": hash, "beginning": "ctza_a1b2" });
    let system = "bcrypt:ctza_<hex:40>@9";
    let formats = ["--format", "ctza_<hex:40>"];
    let import = [&["import", "-", "--from", system], &formats[..]].concat();
    site.fed(&import, line.to_string().as_bytes())
        .done()
        .says("1 imported");
    let verify = [&["verify", "--foreign", system], &formats[..]].concat();
    let credential = b"ctza_a1b2c3d4e5f60718293a4b5c6d7e8f9012345678\n";
    site.fed(&verify, credential)
        .done()
        .says("no scopes")
        .says("ci");
    let wrong = b"ctza_a1b2c3d4e5f60718293a4b5c6d7e8f9012345679\n";
    site.fed(&verify, wrong).exits(3);
}

#[tokio::test]
async fn what_has_expired_is_left_out_and_is_no_fault() {
    let site = Site::fresh().await;
    let (_, line) = key(1);
    let expired = line.replace("2099", "2020");
    let ran = site
        .fed(&["import", "-"], format!("{expired}\n\n").as_bytes())
        .done();
    ran.says("0 imported, 0 there already, 1 expired and left out, 0 bad");
}

#[tokio::test]
async fn an_import_stops_when_the_database_does() {
    let site = Site::fresh().await;
    let lines: Vec<String> = (0..5).map(|number| key(number).1).collect();
    // What a failing disk is to whoever writes.
    site.sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END'; \
         CREATE TRIGGER fail BEFORE INSERT ON keyward.keys FOR EACH ROW \
         WHEN (NEW.name = 'key 3') EXECUTE FUNCTION fail()",
    )
    .await;
    let stopped = site
        .fed(&["import", "-"], lines.join("\n").as_bytes())
        .exits(4);
    stopped.notes("53100").notes("to do it again goes on");
    site.sql("DROP TRIGGER fail ON keyward.keys").await;
    site.fed(&["import", "-"], lines.join("\n").as_bytes())
        .done();
    assert_eq!(count(&site).await, 5);
}

/// A line that the database refuses is a bad line, and no failure of the database.
#[tokio::test]
async fn no_line_stops_the_others() {
    let site = Site::fresh().await;
    let bad = [
        r#""role":"a\u0000""#,
        r#""metadata":{"a":"\u0000"}"#,
        r#""metadata":[1]"#,
        r#""name":"\u001b[2J""#,
        r#""tenant":"""#,
        r#""environment":"""#,
        r#""createdAt":99999999999999999999"#,
        r#""expiresAt":253402300800000"#,
    ];
    let digest = |number: usize| Digest::sha256(&number.to_be_bytes()).to_hex();
    let mut lines: Vec<String> = bad
        .iter()
        .enumerate()
        .map(|(number, field)| format!(r#"{{"hash":"{}",{field}}}"#, digest(number)))
        .collect();
    lines.push(format!(
        r#"{{"hash":"{}","createdAt":9000000000000000}}"#,
        digest(100)
    ));
    let import = ["import", "-", "--tenant", "acme"];
    let ran = site.fed(&import, lines.join("\n").as_bytes()).exits(1);
    ran.says("1 imported, 0 there already, 0 expired and left out, 8 bad");
}

#[tokio::test]
async fn what_cannot_be_read_is_told() {
    let site = Site::fresh().await;
    site.run(&["import", "/nowhere/keys"])
        .exits(2)
        .notes("cannot read /nowhere/keys");
    let directory = Directory::fresh();
    directory.file("keys", b"");
    let path = directory.path();
    site.run(&["import", path])
        .exits(2)
        .notes(&format!("cannot read {path}: "));
    for arguments in [&["import", "-"][..], &["verify"]] {
        let mut command = site.command(arguments);
        command.stdin(std::fs::File::open(path).unwrap());
        let told = Ran::of(command.output().unwrap()).exits(2);
        told.notes("cannot read standard input: ");
    }
    site.run(&["import", "-", "--from", "stripe"])
        .exits(2)
        .notes("better-auth");
    let command = site.command(&["import", "-", "--json"]);
    let told = ran(command, b"{}").exits(1).objects();
    assert_eq!(
        told[0],
        json!({ "line": 1, "error": "the field `hash` is missing" })
    );
    assert_eq!(told[1]["complete"], true);
}
