//! What is found wrong, and what to do about it.

use crate::support::{Site, command, ran};

#[tokio::test]
async fn a_healthy_database_is_well() {
    let site = Site::fresh().await;
    site.issue("ci", &[]);
    let ran = site.run(&["doctor"]).done();
    for what in [
        "server", "schema", "triggers", "clock", "pooler", "news", "hints", "log", "nodes",
    ] {
        let what = format!("  {what}  ");
        assert!(
            ran.out.contains(what.trim_end()),
            "{what} is not in {}",
            ran.out
        );
    }
    assert!(!ran.out.contains("FAIL"));
    for finding in site.run(&["doctor", "--json"]).done().objects() {
        assert_ne!(finding["severity"], "fail");
    }
}

#[tokio::test]
async fn a_database_without_schema_is_told_how_to_get_one() {
    let site = Site::empty().await;
    let ran = site.run(&["doctor"]).exits(1);
    ran.says("FAIL")
        .says("`keyward init` makes it")
        .notes("1 of 7 checks failed");
    let ran = site.run(&["list"]).exits(4);
    ran.notes("the schema must be made first: `keyward init` does it");
    site.run(&["init"]).done().says("at version");
    site.run(&["init"]).done().says("already");
    site.run(&["doctor"]).done();
    site.sql("DELETE FROM keyward.migrations WHERE version = 2")
        .await;
    site.run(&["doctor"]).exits(1).says("brings it up to date");
    site.run(&["list"]).exits(4).notes("brought up to date");
}

#[tokio::test]
async fn a_trigger_that_does_not_fire_is_told_with_the_remedy() {
    let site = Site::fresh().await;
    for (how, told) in [
        (
            "ALTER TABLE keyward.keys DISABLE TRIGGER keyward_changed",
            "is disabled",
        ),
        (
            "ALTER TABLE keyward.keys ENABLE TRIGGER keyward_changed",
            "does not fire in every session",
        ),
    ] {
        site.sql(how).await;
        site.run(&["doctor"]).exits(1).says(told).says(REMEDY);
        site.run(&["list"])
            .exits(4)
            .notes("a trigger that tells of changes");
    }
    site.sql(REMEDY).await;
    site.run(&["doctor"]).done();
    site.sql("DROP TRIGGER keyward_truncated ON keyward.owners")
        .await;
    site.run(&["doctor"]).exits(1).says("is missing");
}

const REMEDY: &str = "ALTER TABLE keyward.keys ENABLE ALWAYS TRIGGER keyward_changed";

#[tokio::test]
async fn nodes_and_the_log_are_looked_at() {
    let site = Site::fresh().await;
    site.issue("ci", &[]);
    site.sql(
        "INSERT INTO keyward.nodes (id, name, lease_ms, beat, first_beat, seen_at) VALUES \
         (gen_random_uuid(), 'api-1', 5000, 1, 1, now() - interval '1 hour'), \
         (gen_random_uuid(), 'api-2', 5000, 1, 1, now())",
    )
    .await;
    site.sql("UPDATE keyward.commits SET at = now() - interval '3 days' WHERE number = 0")
        .await;
    let found = site.run(&["doctor", "--json"]).done().objects();
    let of = |name: &str| {
        let mut nodes = found.iter().filter(|finding| finding["check"] == "node");
        let node = nodes.find(|node| node["found"].as_str().unwrap().starts_with(name));
        node.unwrap()["severity"].clone()
    };
    assert_eq!((of("api-1"), of("api-2")), ("warn".into(), "ok".into()));
    let log = found
        .iter()
        .find(|finding| finding["check"] == "log")
        .unwrap();
    assert_eq!(log["severity"], "warn");
}

#[tokio::test]
async fn a_database_that_is_away_is_told_apart() {
    let away = "postgres://nobody:hunter2@127.0.0.1:1/nothing";
    for arguments in [
        &["doctor"][..],
        &["init"],
        &["list"],
        &["revoke", "x"],
        &["verify"],
    ] {
        let told = ran(command(away, arguments), b"acme_live_x").exits(4);
        let told = told.notes("the connection to the database failed");
        assert!(!told.err.contains("hunter2"));
    }
}
