//! Keys that need attention.

use crate::support::Site;

#[tokio::test]
async fn unused_keys_are_reported() {
    let site = Site::fresh().await;
    let (idle, _) = site.issue("idle", &[]);
    let (used, _) = site.issue("used", &[]);
    let (revoked, _) = site.issue("revoked", &[]);
    site.run(&["revoke", &revoked]).done();
    site.sql("UPDATE keyward.keys SET created_at = now() - interval '100 days'")
        .await;
    site.sql(&format!(
        "INSERT INTO keyward.last_used (key, at) VALUES ('{used}', now())"
    ))
    .await;
    let reported = site
        .run(&["report", "unused", "--for", "90d", "--json"])
        .done()
        .object();
    assert_eq!(reported["id"], *idle);
    site.run(&["report", "unused"])
        .done()
        .says("idle")
        .notes("1 key is unused for 90d.");
    let ran = site.run(&["report", "unused", "--for", "200d"]).done();
    ran.notes("There are no such keys.");
    let ran = site
        .run(&["report", "unused", "--tenant", "other", "--json"])
        .done();
    assert!(ran.objects().is_empty());
}

#[tokio::test]
async fn keys_that_end_soon_are_reported() {
    let site = Site::fresh().await;
    site.issue("for-good", &[]);
    let (later, _) = site.issue("later", &["--expires-in", "20d"]);
    let (soon, _) = site.issue("soon", &["--expires-in", "5d"]);
    let reported = |within: &str| -> Vec<String> {
        let ran = site
            .run(&["report", "expiring", "--within", within, "--json"])
            .done();
        let id = |key: &serde_json::Value| key["id"].as_str().unwrap().to_owned();
        ran.objects().iter().map(id).collect()
    };
    assert_eq!(reported("10d"), [&*soon]);
    // What ends first comes first.
    assert_eq!(reported("30d"), [&*soon, &*later]);
    site.run(&["report", "expiring"])
        .done()
        .notes("2 keys are to end within 30d.");
}

#[tokio::test]
async fn hashes_are_counted_by_their_kind() {
    let site = Site::fresh().await;
    site.issue("a", &[]);
    site.issue("b", &[]);
    let hash = "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y";
    let line = format!(r#"{{"tenant":"acme","hash":"{hash}","beginning":"ctza_a1b2"}}"#);
    let from = ["import", "-", "--from", "bcrypt:ctza_<hex:40>@9"];
    site.fed(&from, line.as_bytes()).done();
    let counted = site
        .run(&["report", "legacy-hashes", "--json"])
        .done()
        .objects();
    assert_eq!(counted.len(), 2);
    assert_eq!(
        (&counted[0]["keptAs"], &counted[0]["legacy"]),
        (&"foreign:bcrypt".into(), &true.into())
    );
    assert_eq!(
        (&counted[1]["keys"], &counted[1]["legacy"]),
        (&2.into(), &false.into())
    );
    site.run(&["report", "legacy-hashes"])
        .done()
        .says("foreign:bcrypt")
        .notes("upgrade_foreign");
    let listed = site
        .run(&["list", "--kept", "foreign", "--json"])
        .done()
        .object();
    assert_eq!(listed["hint"], "ctza_a1b2");
}
