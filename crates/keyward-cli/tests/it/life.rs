//! Keys from their issue to their end.

use std::process::Stdio;

use keyward::{KeyFormat, Keyward};
use keyward_postgres::PostgresStore;

use crate::support::{FORMAT, Site, ran, some_id};

#[tokio::test]
async fn a_key_is_issued_and_printed_once() {
    let site = Site::fresh().await;
    let more = [
        "--scope",
        "orders:read,orders:write",
        "--owner",
        "user:ada",
        "--expires-in",
        "90d",
    ];
    let arguments = [&["issue", "ci", "--tenant", "acme"], &more[..]].concat();
    let issued = site.run(&arguments).done();
    let secret = issued.out.strip_suffix('\n').unwrap().to_owned();
    assert!(
        secret.starts_with("acme_live_") && secret.len() == 52,
        "the key alone"
    );
    let issued = issued
        .notes("orders:read orders:write")
        .notes("in 90d")
        .notes("cli:ada");
    let tail = secret.rsplit('_').next().unwrap();
    assert!(!issued.err.contains(tail));
    let listed = site.run(&["list", "--json"]).done().hides(&secret).object();
    let id = listed["id"].as_str().unwrap();
    assert_eq!(listed["createdBy"], "cli:ada");
    assert_eq!(listed["owner"]["id"], "ada");
    for arguments in [
        &["list"][..],
        &["show", id],
        &["show", id, "--json"],
        &["audit"],
        &["audit", "--json"],
        &["doctor"],
        &["report", "legacy-hashes"],
        &["suspend", id],
        &["revoke", id, "--everywhere"],
    ] {
        site.run(arguments).done().hides(&secret);
    }
}

#[tokio::test]
async fn one_object_has_the_key_and_what_is_known_of_it() {
    let site = Site::fresh().await;
    let more = [
        "--tag",
        "laptop",
        "--limit",
        "100/1m",
        "--network",
        "10.1.2.3/8",
        "--metadata",
        "{\"a\":1}",
    ];
    let ran = site.run(&[&["issue", "ci", "--tenant", "acme", "--json"], &more[..]].concat());
    let key = ran.done().object();
    assert!(key["secret"].as_str().unwrap().starts_with("acme_live_"));
    assert_eq!(key["tags"][0], "laptop");
    assert_eq!(key["limits"][0]["requests"], 100);
    assert_eq!(key["networks"][0], "10.0.0.0/8");
    assert_eq!(key["metadata"]["a"], 1);
    assert_eq!(key["status"], "active");
}

#[tokio::test]
async fn what_cannot_be_issued_is_told_why() {
    let site = Site::fresh().await;
    let issue = |more: &[&str]| site.run(&[&["issue", "ci", "--tenant", "acme"], more].concat());
    issue(&["--expires-at", "2020-01-01T00:00:00Z"])
        .exits(3)
        .notes("in the past");
    issue(&["--prefix", "other"])
        .exits(3)
        .notes("no registered format");
    issue(&["--metadata", "[]"]).exits(3).notes("JSON object");
    issue(&["--idempotency-token", "t"]).done();
    issue(&["--idempotency-token", "t"])
        .exits(3)
        .notes("issued already, as");
    for more in [
        ["--expires-in", "soon"],
        ["--scope", "a b"],
        ["--limit", "often"],
        ["--owner", "ada"],
        ["--metadata", "{"],
    ] {
        issue(&more).exits(2);
    }
}

#[tokio::test]
async fn a_key_is_suspended_resumed_and_revoked() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    let (other, _) = site.issue("nightly", &[]);
    site.run(&["suspend", &id, &other])
        .done()
        .says("is suspended");
    assert_eq!(
        (site.status(&id), site.status(&other)),
        ("suspended".into(), "suspended".into())
    );
    site.run(&["resume", &id]).done();
    assert_eq!(site.status(&id), "active");
    site.run(&["revoke", &id])
        .done()
        .says(&format!("{id} is revoked."));
    assert_eq!(site.status(&id), "revoked");
    site.run(&["resume", &id])
        .exits(3)
        .notes("the key is revoked");
    // It is revoked already, which is what was wanted.
    site.run(&["revoke", &id]).done();
    let nobody = some_id();
    site.run(&["revoke", &nobody])
        .exits(3)
        .notes("there is no key");
    site.run(&["show", &nobody])
        .exits(3)
        .notes("there is no key");
    let ran = site.run(&["revoke", &nobody, &other]).exits(1);
    ran.says(&other)
        .notes(&nobody)
        .notes("1 of 2 keys are not revoked");
    assert_eq!(site.status(&other), "revoked");
    let lines = site.run(&["revoke", &other, "--json"]).done().object();
    assert_eq!(lines["action"], "revoked");
}

/// Also where it fails with some of several keys.
#[tokio::test]
async fn a_database_that_fails_is_told_apart() {
    let site = Site::fresh().await;
    let (one, _) = site.issue("one", &[]);
    let (other, _) = site.issue("other", &[]);
    // What a full disk is to whoever writes.
    site.sql(
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS \
         'BEGIN RAISE EXCEPTION USING ERRCODE = ''53100''; END'; \
         CREATE TRIGGER fail BEFORE UPDATE ON keyward.keys FOR EACH ROW \
         WHEN (NEW.name = 'one') EXECUTE FUNCTION fail()",
    )
    .await;
    site.run(&["revoke", &one]).exits(4).notes("53100");
    let ran = site.run(&["revoke", &one, &some_id(), &other]).exits(4);
    ran.notes("53100").notes("2 of 3 keys are not revoked");
    assert_eq!(site.status(&other), "revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_node_is_told_of() {
    let site = Site::fresh().await;
    let store = PostgresStore::connect(site.database.url()).unwrap();
    let builder = Keyward::builder(store).node_name("api-1");
    let node = builder
        .format(KeyFormat::new(FORMAT).unwrap())
        .start()
        .await
        .unwrap();
    let (id, secret) = site.issue("ci", &[]);
    let verifier = node.verifier();
    verifier.verify(secret.as_bytes()).await.unwrap();
    let url = site.database.url().to_owned();
    let run = move |id: String, json: bool| {
        let mut arguments = vec!["revoke", &id, "--everywhere"];
        arguments.extend(json.then_some("--json"));
        ran(crate::support::command(&url, &arguments), b"")
    };
    let again = run.clone();
    let (same, first) = (id.clone(), id);
    let ran = tokio::task::spawn_blocking(move || run(first, false))
        .await
        .unwrap()
        .done();
    assert!(verifier.verify(secret.as_bytes()).await.is_err());
    let ran = ran.says("Every node heeds it");
    let line = ran.out.lines().find(|line| line.contains("api-1")).unwrap();
    assert!(line.ends_with("has applied it"), "{line}");
    let ran = tokio::task::spawn_blocking(move || again(same, true))
        .await
        .unwrap()
        .done();
    let receipt = ran.objects().pop().unwrap();
    assert_eq!(receipt["everywhere"], true);
    let nodes = receipt["nodes"].as_array().unwrap();
    assert!(
        nodes
            .iter()
            .any(|node| node["node"] == "api-1" && node["outcome"] == "applied")
    );
    node.shutdown().await;
}

#[tokio::test]
async fn a_key_is_rotated_and_that_is_undone() {
    let site = Site::fresh().await;
    let (id, old) = site.issue("ci", &["--scope", "orders:read"]);
    let rotated = site
        .run(&["rotate", &id, "--overlap", "24h", "--json"])
        .done()
        .object();
    assert_eq!(rotated["rotatedFrom"], *id);
    assert_eq!(rotated["scopes"][0], "orders:read");
    let new = rotated["secret"].as_str().unwrap();
    assert_eq!(site.status(&id), "retiring");
    for secret in [&*old, new] {
        site.fed(&["verify"], secret.as_bytes()).done();
    }
    site.run(&["rotate", &id])
        .exits(3)
        .notes("has been replaced by");
    site.run(&["rotate", &id, "--undo"]).done().says("undone");
    assert_eq!(site.status(&id), "active");
    site.fed(&["verify"], new.as_bytes()).exits(3);
    site.run(&["rotate", &id, "--undo"])
        .exits(3)
        .notes("no rotation");
    // Without an overlap the old key ends at once.
    let rotated = site.run(&["rotate", &id]).done();
    rotated.hides(&old);
    site.fed(&["verify"], old.as_bytes())
        .exits(3)
        .says("retired");
    site.run(&["rotate", &id, "--undo", "--overlap", "1h"])
        .exits(2);
}

#[tokio::test]
async fn a_rotation_to_another_format_is_told_of() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    let ran = site.run(&["rotate", &id, "--format", "acme_test"]).done();
    let ran = ran.notes("The format acme_live of the key is not among --format");
    assert!(ran.out.starts_with("acme_test_"));
}

#[tokio::test]
async fn lists_are_narrowed_and_cut() {
    let site = Site::fresh().await;
    let (first, _) = site.issue("first", &["--tag", "laptop", "--environment", "live"]);
    let (second, _) = site.issue("second", &["--owner", "user:ada"]);
    let (third, _) = site.issue("third", &[]);
    site.run(&["revoke", &third]).done();
    let listed = |arguments: &[&str]| -> Vec<String> {
        let ran = site.run(&[&["list", "--json"], arguments].concat()).done();
        let id = |key: &serde_json::Value| key["id"].as_str().unwrap().to_owned();
        ran.objects().iter().map(id).collect()
    };
    assert_eq!(listed(&[]), [&*second, &*first]);
    assert_eq!(listed(&["--all"]), [&*third, &*second, &*first]);
    assert_eq!(listed(&["--tag", "laptop"]), [&*first]);
    assert_eq!(listed(&["--environment", "live"]), [&*first]);
    assert_eq!(listed(&["--owner", "user:ada"]), [&*second]);
    assert_eq!(listed(&["--status", "revoked"]), [&*third]);
    assert_eq!(listed(&["--tenant", "other"]), Vec::<String>::new());
    assert_eq!(
        listed(&["--prefix", "acme_live", "--limit", "1"]),
        [&*second]
    );
    assert_eq!(listed(&["--kept", "foreign"]), Vec::<String>::new());
    assert_eq!(listed(&["--kept", "sha256"]).len(), 2);
    assert_eq!(listed(&["--older-than", "1h"]), Vec::<String>::new());
    site.run(&["list", "--limit", "1"])
        .done()
        .says("second")
        .notes("--limit shows more");
    site.run(&["list", "--tenant", "other"])
        .done()
        .notes("There are no such keys.");
}

#[tokio::test]
async fn the_audit_log_says_who_did_what() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &["--tag", "laptop"]);
    site.run(&["issue", "other", "--tenant", "other"]).done();
    site.run(&["suspend", &id, "--as", "grace"]).done();
    let told = |arguments: &[&str]| -> Vec<(String, String)> {
        let ran = site.run(&[&["audit", "--json"], arguments].concat()).done();
        let pair = |line: &serde_json::Value| {
            let text = |field: &str| line[field].as_str().unwrap().to_owned();
            (text("action"), text("actor"))
        };
        ran.objects().iter().map(pair).collect()
    };
    let line = |action: &str, actor: &str| (action.to_owned(), actor.to_owned());
    let ours = [line("issued", "cli:ada"), line("suspended", "cli:grace")];
    assert_eq!(told(&["--key", &id]), ours);
    assert_eq!(told(&["--tenant", "acme"]), ours);
    assert_eq!(told(&["--limit", "1"]), ours[1..]);
    assert_eq!(told(&[]).len(), 3);
    assert_eq!(told(&["--since", "1h"]).len(), 3);
    assert_eq!(told(&["--since", "2100-01-01"]), []);
    let ran = site.run(&["audit", "--key", &id]).done();
    ran.says("suspendedAt")
        .says("cli:grace")
        .says("ci acme_live_");
}

#[tokio::test]
async fn the_audit_log_is_followed() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    let mut command = tokio::process::Command::from(site.command(&["audit", "--follow", "--json"]));
    command.stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap();
    let mut lines = tokio::io::BufReader::new(child.stdout.take().unwrap());
    let mut next = async || {
        let mut line = String::new();
        let read = tokio::io::AsyncBufReadExt::read_line(&mut lines, &mut line);
        let limit = std::time::Duration::from_secs(20);
        tokio::time::timeout(limit, read).await.unwrap().unwrap();
        serde_json::from_str::<serde_json::Value>(&line).unwrap()["action"].clone()
    };
    assert_eq!(next().await, "issued");
    site.run(&["suspend", &id]).done();
    assert_eq!(next().await, "suspended");
    site.run(&["resume", &id]).done();
    assert_eq!(next().await, "resumed");
    // It leaves no node behind, for which others would wait.
    let mut interrupt = std::process::Command::new("kill");
    interrupt.args(["-INT", &child.id().unwrap().to_string()]);
    assert!(interrupt.status().unwrap().success());
    assert!(child.wait().await.unwrap().success());
    let mut connection = site.database.connect().await.unwrap();
    let nodes = sqlx::query_scalar::<_, i64>("SELECT count(*) FROM keyward.nodes");
    assert_eq!(nodes.fetch_one(&mut connection).await.unwrap(), 0);
}
