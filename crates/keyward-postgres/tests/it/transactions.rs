//! Transactions of others: long ones, nested ones, and those with isolation levels of their own.

use std::time::Duration;

use keyward_core::Issued;
use keyward_store::{KeyStore, ReadFrom, Selector};
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use crate::support::{
    Answer, HEALED, LEASE, Node, REVOKED, SOON, Site, connect, new_key, often, quoted, run,
    trusting, within,
};
use crate::world::World;

/// Who changed a row first may commit last, and nobody is missed.
#[tokio::test]
async fn a_change_that_commits_late_is_seen() {
    let world = World::start().await;
    let [early, late] = &world.keys;
    let mut first = world.session().await;
    let mut second = world.session().await;
    run(&mut first, &["BEGIN", &revoke(late)]).await;
    run(&mut second, &["BEGIN", &revoke(early), "COMMIT"]).await;
    for node in &world.nodes {
        node.comes_to(&early.secret, REVOKED, SOON).await;
        assert!(node.accepts(&late.secret).await);
    }
    run(&mut first, &["COMMIT"]).await;
    for node in &world.nodes {
        node.comes_to(&late.secret, REVOKED, SOON).await;
    }
}

/// Somebody went home with a transaction open, a snapshot taken and a row locked.
#[tokio::test]
async fn a_transaction_that_is_left_open_delays_nobody() {
    let world = World::start().await;
    let [held, free] = &world.keys;
    let mut idle = world.session().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    run(
        &mut idle,
        &[begin, "SELECT count(*) FROM keyward.keys", &revoke(held)],
    )
    .await;
    let started = Instant::now();
    world.site.sql(&revoke(free)).await;
    for node in &world.nodes {
        node.comes_to(&free.secret, REVOKED, SOON).await;
    }
    let other = world.site.issue(&world.nodes[0], new_key()).await;
    world.nodes[1]
        .comes_to(&other.secret, Answer::Accepted, SOON)
        .await;
    world.nodes[0].keys.revoke(&other.key.id).await.unwrap();
    world.nodes[1].comes_to(&other.secret, REVOKED, SOON).await;
    println!("three changes took {:?} beside it", started.elapsed());
    run(&mut idle, &["ROLLBACK"]).await;
    for node in &world.nodes {
        assert!(node.accepts(&held.secret).await);
    }
}

/// Nothing can be cleaned up meanwhile, and look-ups and polls read no more pages for it.
#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_changes_beside_an_open_transaction_slow_no_look_up() {
    let world = World::start().await;
    // Keys that change, and one that does not.
    let many = "INSERT INTO keyward.keys (id, tenant, name, prefix, hint, hash, digest, created_at, \
            revision) SELECT 'k' || n, 'other', 'n', 'p', 'h', 'sha256', \
            sha256(n::text::bytea), now(), 1 FROM generate_series(1, 500) n";
    world.site.sql(many).await;
    let before = pages_of_a_look_up(&world).await;
    let mut idle = world.session().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    run(&mut idle, &[begin, "SELECT count(*) FROM keyward.keys"]).await;
    let started = Instant::now();
    let change = "DO $$ BEGIN FOR n IN 1..20000 LOOP \
            UPDATE keyward.keys SET revision = revision + 1 WHERE id = 'k' || (1 + n % 500); \
            COMMIT; \
        END LOOP; END $$";
    world.site.sql(change).await;
    println!("20,000 changes took {:?}", started.elapsed());
    let after = pages_of_a_look_up(&world).await;
    println!("a look-up reads {before:.1} pages, and {after:.1} afterwards");
    assert!(
        after < before + 4.0,
        "{before} pages before, {after} afterwards"
    );
    for key in &world.keys {
        world.site.sql(&revoke(key)).await;
        for node in &world.nodes {
            node.comes_to(&key.secret, REVOKED, SOON).await;
        }
    }
    run(&mut idle, &["COMMIT"]).await;
}

#[tokio::test]
async fn what_a_savepoint_takes_back_did_not_happen() {
    for immediate in [false, true] {
        let world = World::start().await;
        let [stays, goes] = &world.keys;
        let mut session = world.session().await;
        if immediate {
            run(&mut session, &["BEGIN", "SET CONSTRAINTS ALL IMMEDIATE"]).await;
        } else {
            run(&mut session, &["BEGIN"]).await;
        }
        let back = ["SAVEPOINT s", &revoke(stays), "ROLLBACK TO s"];
        run(&mut session, &back).await;
        let kept = ["SAVEPOINT t", &revoke(goes), "RELEASE t", "COMMIT"];
        run(&mut session, &kept).await;
        for node in &world.nodes {
            node.comes_to(&goes.secret, REVOKED, SOON).await;
            assert!(node.accepts(&stays.secret).await);
        }
        // The one that was taken back counts for nothing later either.
        world.site.sql(&revoke(stays)).await;
        for node in &world.nodes {
            node.comes_to(&stays.secret, REVOKED, SOON).await;
        }
    }
}

/// The number is taken at the first change then, and the lock is held to the end: later changes wait,
/// and are seen.
#[tokio::test]
async fn constraints_that_are_checked_at_once_lose_nothing() {
    let world = World::start().await;
    let [one, two] = &world.keys;
    let mut session = world.session().await;
    let begin = ["BEGIN", "SET CONSTRAINTS ALL IMMEDIATE", &revoke(one)];
    run(&mut session, &begin).await;
    let keys = world.nodes[0].keys.clone();
    let id = two.key.id.clone();
    let waiting = tokio::spawn(async move { keys.revoke(&id).await });
    sleep(Duration::from_millis(200)).await;
    assert!(!waiting.is_finished());
    for node in &world.nodes {
        assert!(node.accepts(&one.secret).await && node.accepts(&two.secret).await);
    }
    run(&mut session, &["COMMIT"]).await;
    waiting.await.unwrap().unwrap();
    for node in &world.nodes {
        node.comes_to(&one.secret, REVOKED, SOON).await;
        node.comes_to(&two.secret, REVOKED, SOON).await;
    }
}

/// One number for all changes of a transaction, also when some are checked at once.
#[tokio::test]
async fn a_transaction_is_one_change() {
    let world = World::start().await;
    let mut session = world.session().await;
    let before = number(&mut session).await;
    let [one, two] = &world.keys;
    let tenant = "INSERT INTO keyward.tenants (id) VALUES ('t')";
    let at_once = "SET CONSTRAINTS ALL IMMEDIATE";
    let later = "SET CONSTRAINTS ALL DEFERRED";
    let all = [
        "BEGIN",
        &revoke(one),
        at_once,
        tenant,
        later,
        &revoke(two),
        "COMMIT",
    ];
    run(&mut session, &all).await;
    assert_eq!(number(&mut session).await, before + 1);
    for node in &world.nodes {
        node.comes_to(&two.secret, REVOKED, SOON).await;
        assert_eq!(node.answer(&one.secret).await, REVOKED);
    }
}

/// With a snapshot that is older than another change, a change cannot be numbered: it fails in the way
/// for which such transactions are tried again.
#[tokio::test]
async fn a_snapshot_that_was_overtaken_is_told_to_try_again() {
    for level in ["REPEATABLE READ", "SERIALIZABLE"] {
        let world = World::start().await;
        let [one, two] = &world.keys;
        let mut session = world.session().await;
        let begin = format!("BEGIN ISOLATION LEVEL {level}");
        run(&mut session, &[&begin, "SELECT count(*) FROM keyward.keys"]).await;
        world.site.sql(&revoke(two)).await;
        run(&mut session, &[&revoke(one)]).await;
        let error = sqlx::raw_sql("COMMIT")
            .execute(&mut session)
            .await
            .unwrap_err();
        assert_eq!(code(&error), "40001", "{error:?}");
        for node in &world.nodes {
            assert!(node.accepts(&one.secret).await);
        }
        run(&mut session, &[&begin, &revoke(one), "COMMIT"]).await;
        for node in &world.nodes {
            node.comes_to(&one.secret, REVOKED, SOON).await;
            node.comes_to(&two.secret, REVOKED, SOON).await;
        }
    }
}

/// The same when the changes that came in between have been forgotten again meanwhile.
#[tokio::test]
async fn a_snapshot_from_before_the_log_was_cut_is_told_to_try_again() {
    let world = World::start().await;
    let [one, two] = &world.keys;
    let mut session = world.session().await;
    let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ";
    run(&mut session, &[begin, "SELECT count(*) FROM keyward.keys"]).await;
    for _ in 0..3 {
        world
            .site
            .sql("UPDATE keyward.keys SET revision = revision + 1 WHERE tenant = 'other'")
            .await;
        let other = "INSERT INTO keyward.tenants (id) SELECT count(*)::text FROM keyward.tenants";
        world.site.sql(other).await;
    }
    world.site.sql(&revoke(two)).await;
    world
        .site
        .sql("SELECT keyward.forget_changes(interval '0')")
        .await;
    run(&mut session, &[&revoke(one)]).await;
    let error = sqlx::raw_sql("COMMIT")
        .execute(&mut session)
        .await
        .unwrap_err();
    assert_eq!(code(&error), "40001", "{error:?}");
    world.site.sql(&revoke(one)).await;
    for node in &world.nodes {
        node.comes_to(&one.secret, REVOKED, SOON).await;
    }
}

/// A node whose place in the log was cut away drops what it knows, and goes on.
#[tokio::test]
async fn a_node_that_was_away_while_the_log_was_cut_knows_everything_afterwards() {
    let site = Site::fresh().await;
    let proxy = keyward_throwaway::Proxy::to(site.database.address())
        .await
        .unwrap();
    let away = connect(&proxy.url(site.database.url()));
    let away = Node::start(away, trusting).await;
    let here = site.node().await;
    let issued = site.issue(&here, new_key()).await;
    assert!(away.accepts(&issued.secret).await);
    proxy.cut().await;
    here.keys.revoke(&issued.key.id).await.unwrap();
    site.issue(&here, new_key()).await;
    site.sql("SELECT keyward.forget_changes(interval '0')")
        .await;
    proxy.restore().await.unwrap();
    away.comes_to(&issued.secret, REVOKED, HEALED).await;
    assert_eq!(here.answer(&issued.secret).await, REVOKED);
}

/// How many pages one look-up reads, cached by the server or not.
async fn pages_of_a_look_up(world: &World) -> f64 {
    const LOOK_UPS: u32 = 200;
    let mut session = world.session().await;
    let before = pages(&mut session).await;
    let pool = sqlx::postgres::PgPoolOptions::new().max_connections(1);
    let pool = pool.connect(world.site.database.url()).await.unwrap();
    let store = keyward_postgres::PostgresStore::new(pool.clone());
    let by = Selector::Key(world.keys[0].key.id.clone());
    for _ in 0..LOOK_UPS {
        store.load(&by, ReadFrom::Primary).await.unwrap();
    }
    // What a session has read is counted when it ends, at the latest.
    pool.close().await;
    let session = tokio::sync::Mutex::new(session);
    within(HEALED, "the look-ups are counted", async || {
        pages(&mut *session.lock().await).await >= before + i64::from(LOOK_UPS)
    })
    .await;
    let read = pages(&mut *session.lock().await).await - before;
    f64::from(u32::try_from(read).unwrap()) / f64::from(LOOK_UPS)
}
/// Pages that were read of tables, and of their indexes, that look-ups read.
async fn pages(session: &mut PgConnection) -> i64 {
    let sql = "SELECT sum(heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit)::bigint \
        FROM pg_statio_user_tables WHERE schemaname = 'keyward'";
    sqlx::query_scalar(sql).fetch_one(session).await.unwrap()
}

async fn number(session: &mut PgConnection) -> i64 {
    let sql = "SELECT max(number) FROM keyward.commits";
    sqlx::query_scalar(sql).fetch_one(session).await.unwrap()
}

fn revoke(key: &Issued) -> String {
    let id = quoted(&key.key.id);
    format!("UPDATE keyward.keys SET revoked_at = now() WHERE id = {id}")
}

fn code(error: &sqlx::Error) -> String {
    let error = error.as_database_error().unwrap();
    error.code().unwrap().into_owned()
}

/// Another server answers than before. The first look-up finds out, and is answered all the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_history_is_noticed_by_the_first_look_up() {
    let site = Site::fresh().await;
    let (node, other) = (site.node().await, site.node().await);
    let known = site.issue(&other, new_key()).await;
    let cold = site.issue(&other, new_key()).await;
    assert!(node.accepts(&known.secret).await);
    // As the log is found when another server was started since.
    let moved = "UPDATE keyward.log SET server = server - interval '1 day'";
    site.sql(moved).await;
    assert_eq!(node.answer(&cold.secret).await, Answer::Accepted);
    assert_eq!(node.answer(&known.secret).await, Answer::Accepted);
    other.keys.revoke(&known.key.id).await.unwrap();
    node.comes_to(&known.secret, REVOKED, HEALED).await;
}

/// A server that took over may not know of every node: time alone makes a receipt certain then.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_failover_a_receipt_waits_out_the_leases() {
    let site = Site::fresh().await;
    let node = Node::start(site.store(), often).await;
    let at_once = LEASE / 2;
    assert!(node.keys.confirm_everywhere().await.took < at_once);
    site.sql("UPDATE keyward.log SET server = server - interval '1 day'")
        .await;
    let receipt = node.keys.confirm_everywhere().await;
    assert!(receipt.took >= at_once, "{receipt:?}");
    assert!(
        receipt.took <= LEASE + Duration::from_secs(1),
        "{receipt:?}"
    );
    assert!(node.keys.confirm_everywhere().await.took < at_once);
}
