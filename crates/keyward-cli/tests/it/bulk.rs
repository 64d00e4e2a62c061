//! Many keys at a time.

use crate::support::Site;

#[tokio::test]
async fn a_dry_run_tells_and_does_nothing() {
    let site = Site::fresh().await;
    let (laptop, _) = site.issue("laptop-key", &["--tag", "laptop"]);
    let (other, _) = site.issue("other-key", &[]);
    let ran = site
        .run(&["bulk-revoke", "--tag", "laptop", "--dry-run"])
        .done();
    let ran = ran.says("laptop-key").says("1 key would be revoked.");
    assert!(!ran.out.contains("other-key"));
    let told = site
        .run(&["bulk-revoke", "--tag", "laptop", "--dry-run", "--json"])
        .done()
        .objects();
    assert_eq!(told[0]["id"], *laptop);
    assert_eq!(
        (&told[1]["keys"], &told[1]["dryRun"]),
        (&1.into(), &true.into())
    );
    assert_eq!(site.status(&laptop), "active");
    let ran = site
        .run(&["bulk-revoke", "--tag", "laptop", "--yes", "--everywhere"])
        .done();
    ran.says("1 key revoked.").says("Every node heeds it");
    assert_eq!(
        (site.status(&laptop), site.status(&other)),
        ("revoked".into(), "active".into())
    );
    site.run(&["bulk-revoke", "--tag", "laptop", "--yes"])
        .done()
        .says("0 keys revoked.");
}

#[tokio::test]
async fn each_filter_narrows() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &["--owner", "user:ada", "--environment", "live"]);
    let count = |more: &[&str]| {
        let ran = site
            .run(&[&["bulk-revoke", "--dry-run", "--json"], more].concat())
            .done();
        ran.objects().pop().unwrap()["keys"].as_u64().unwrap()
    };
    for (one, other) in [
        (["--tenant", "acme"], ["--tenant", "other"]),
        (["--owner", "user:ada"], ["--owner", "user:bob"]),
        (["--environment", "live"], ["--environment", "test"]),
        (["--prefix", "acme_live"], ["--prefix", "acme_test"]),
        (["--older-than", "1us"], ["--older-than", "1h"]),
        (["--unused-for", "1us"], ["--unused-for", "1h"]),
    ] {
        assert_eq!((count(&one), count(&other)), (1, 0), "{one:?}");
    }
    assert_eq!(count(&["--tenant", "acme", "--owner", "user:bob"]), 0);
    assert_eq!(site.status(&id), "active");
}

#[tokio::test]
async fn nothing_is_revoked_that_was_not_meant() {
    let site = Site::fresh().await;
    let (id, _) = site.issue("ci", &[]);
    // Everything is never meant.
    site.run(&["bulk-revoke", "--yes"])
        .exits(2)
        .notes("required");
    site.run(&["bulk-revoke", "--dry-run"]).exits(2);
    // Nobody can be asked.
    site.run(&["bulk-revoke", "--tenant", "acme"])
        .exits(2)
        .notes("--yes");
    site.run(&["bulk-revoke", "--tenant", "acme", "--yes", "--dry-run"])
        .exits(2);
    assert_eq!(site.status(&id), "active");
}
