//! Last uses are nobody's business but their own.

use std::time::Duration;

use sqlx::postgres::PgListener;
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Node, Site, new_key, seldom};

/// No notification, no line in the log of changes, no version and no lock of a key's row.
#[tokio::test(flavor = "multi_thread")]
async fn a_storm_of_uses_touches_no_key_and_tells_nobody() {
    let site = Site::fresh().await;
    let often = Duration::from_millis(50);
    let node = Node::start(site.store(), |builder| {
        seldom(builder).flush_interval(often)
    })
    .await;
    let mut keys = Vec::new();
    for _ in 0..200 {
        keys.push(site.issue(&node, new_key()).await);
    }
    let mut listener = PgListener::connect(site.database.url()).await.unwrap();
    listener.listen("keyward").await.unwrap();
    let before = trace(&site).await;

    let started = Instant::now();
    let mut verified = 0;
    // Long enough for every key to be noted, and written, more than once.
    while started.elapsed() < Duration::from_millis(2_500) || verified < 10_000 {
        for key in &keys {
            assert!(node.accepts(&key.secret).await);
            verified += 1;
        }
        assert_eq!(locks(&site).await, 0);
        sleep(Duration::from_millis(20)).await;
    }
    node.keys.shutdown().await;
    println!("{verified} verifications");

    assert_eq!(trace(&site).await, before);
    let heard = timeout(Duration::from_millis(200), listener.recv()).await;
    assert!(heard.is_err(), "a use was notified");
    let mut session = site.database.connect().await.unwrap();
    let used: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM keyward.last_used WHERE at > now() - interval '10 s'",
    )
    .fetch_one(&mut session)
    .await
    .unwrap();
    assert_eq!(used, 200);
}

/// Where every version of every key lies, who wrote it and who locked it; and how much the log holds.
async fn trace(site: &Site) -> (Option<String>, i64, i64) {
    let mut session = site.database.connect().await.unwrap();
    let sql = "SELECT \
        (SELECT md5(string_agg(concat_ws('/', ctid, xmin, xmax), ' ' ORDER BY id)) \
            FROM keyward.keys), \
        (SELECT count(*) FROM keyward.events), \
        (SELECT max(number) FROM keyward.commits)";
    sqlx::query_as(sql).fetch_one(&mut session).await.unwrap()
}

/// Locks on keys that readers do not take, but for those of the server's own vacuum.
async fn locks(site: &Site) -> i64 {
    let mut session = site.database.connect().await.unwrap();
    let sql = "SELECT count(*) FROM pg_locks WHERE mode <> 'AccessShareLock' \
        AND pid IN (SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend') \
        AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) \
        AND relation IN ('keyward.keys'::regclass, 'keyward.log'::regclass, \
            'keyward.commits'::regclass, 'keyward.events'::regclass)";
    sqlx::query_scalar(sql)
        .fetch_one(&mut session)
        .await
        .unwrap()
}
