//! What is told of a change that something came in the way of.

use std::time::{Duration, SystemTime};

use keyward_core::LifecycleError;
use keyward_postgres::PostgresStore;
use keyward_store::{
    Change, CommitError, Digest, Expectation, KeyHash, KeyId, KeyRecord, Lookup, Records, Selector,
    Write,
};
use sqlx::PgConnection;
use tokio::time::{Instant, sleep};

use crate::support::{HEALED, REVOKED, SOON, Site, new_key, quoted, run, within};

/// The session ends while its change waits to be committed: whether it was made, nobody can say.
#[tokio::test]
async fn a_session_that_dies_during_a_commit_leaves_its_outcome_unknown() {
    let site = Site::fresh().await;
    let node = site.node().await;
    let issued = site.issue(&node, new_key()).await;
    let mut log = site.database.connect().await.unwrap();
    run(&mut log, &["BEGIN", "SELECT FROM keyward.log FOR UPDATE"]).await;
    let keys = node.keys.clone();
    let id = issued.key.id.clone();
    let revoking = tokio::spawn(async move { keys.revoke(&id).await });
    waits(&site).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND query LIKE '%keyward.make_change(%' \
        AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'";
    assert_eq!(site.sql(kill).await, 1);
    let error = revoking.await.unwrap().unwrap_err();
    let unknown = matches!(&error, LifecycleError::Commit(CommitError::Unknown(_)));
    assert!(unknown, "{error:?}");
    run(&mut log, &["ROLLBACK"]).await;
    assert!(node.accepts(&issued.secret).await);
    node.keys.revoke(&issued.key.id).await.unwrap();
    assert_eq!(node.answer(&issued.secret).await, REVOKED);
}

/// Somebody holds the row for longer than a change waits: it was certainly not made.
#[tokio::test]
async fn a_change_that_waits_too_long_for_a_lock_was_not_made() {
    let site = Site::fresh().await;
    let node = site.node().await;
    let issued = site.issue(&node, new_key()).await;
    let id = quoted(&issued.key.id);
    let lock = format!("SELECT FROM keyward.keys WHERE id = {id} FOR UPDATE");
    let mut other = site.database.connect().await.unwrap();
    run(&mut other, &["BEGIN", &lock]).await;
    let started = Instant::now();
    let error = node.keys.revoke(&issued.key.id).await.unwrap_err();
    let took = started.elapsed();
    let certain = matches!(&error, LifecycleError::Commit(CommitError::NotCommitted(_)));
    assert!(certain, "{error:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
    assert!(node.accepts(&issued.secret).await);
    run(&mut other, &["ROLLBACK"]).await;
    node.keys.revoke(&issued.key.id).await.unwrap();
}

#[tokio::test]
async fn a_statement_that_an_operator_cancels_was_not_made() {
    let site = Site::fresh().await;
    let node = site.node().await;
    let issued = site.issue(&node, new_key()).await;
    let mut log = site.database.connect().await.unwrap();
    run(&mut log, &["BEGIN", "SELECT FROM keyward.log FOR UPDATE"]).await;
    let keys = node.keys.clone();
    let id = issued.key.id.clone();
    let revoking = tokio::spawn(async move { keys.revoke(&id).await });
    waits(&site).await;
    let cancel = "SELECT pg_cancel_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND wait_event_type = 'Lock'";
    assert_eq!(site.sql(cancel).await, 1);
    let error = revoking.await.unwrap().unwrap_err();
    let certain = matches!(&error, LifecycleError::Commit(CommitError::NotCommitted(_)));
    assert!(certain, "{error:?}");
    run(&mut log, &["ROLLBACK"]).await;
    assert!(node.accepts(&issued.secret).await);
}

/// A session that locks two rows in the other order: one of the two is told to try again, and the API
/// does so by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_deadlock_with_psql_is_tried_again() {
    let site = Site::fresh().await;
    let store = site.store();
    let records = [record("a"), record("b")];
    let insert = records.iter().cloned().map(Write::Insert);
    let mut change = Change::new(now());
    change.writes.extend(insert);
    store.commit(&change).await.unwrap();

    let mut psql = site.database.connect().await.unwrap();
    // So that it is the API's session that finds the deadlock, and is chosen to give way.
    run(&mut psql, &["SET deadlock_timeout = '30s'", "BEGIN"]).await;
    let update = "UPDATE keyward.keys SET description = 'by psql' WHERE id = ";
    run(&mut psql, &[&format!("{update}'b'")]).await;
    let both = replace(&records);
    let committing = tokio::spawn({
        let store = store.clone();
        async move { store.commit(&both).await }
    });
    waits(&site).await;
    run(&mut psql, &[&format!("{update}'a'"), "COMMIT"]).await;
    committing.await.unwrap().unwrap();
    for record in &records {
        let found = find(&store, &record.id).await;
        assert_eq!(found.revision, 2);
        assert!(found.revoked_at.is_some());
    }
    let psql = tokio::sync::Mutex::new(psql);
    within(HEALED, "the deadlock is counted", async || {
        let sql = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";
        let psql: &mut PgConnection = &mut *psql.lock().await;
        let deadlocks: i64 = sqlx::query_scalar(sql).fetch_one(psql).await.unwrap();
        deadlocks > 0
    })
    .await;
}

/// A trigger of the host says no.
#[tokio::test]
async fn a_change_that_the_host_forbids_was_not_made() {
    let site = Site::fresh().await;
    let veto = "CREATE FUNCTION veto() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN \
            RAISE EXCEPTION 'not on a Sunday'; END $f$; \
        CREATE CONSTRAINT TRIGGER veto AFTER INSERT ON keyward.keys \
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION veto()";
    site.sql(veto).await;
    let store = site.store();
    let change = Change::new(now()).write(Write::Insert(record("a")));
    let error = store.commit(&change).await.unwrap_err();
    assert!(matches!(error, CommitError::NotCommitted(_)), "{error:?}");
    assert!(crate::support::told(&error).contains("not on a Sunday"));
    let by = Selector::Key(KeyId::new("a").unwrap());
    assert_eq!(store.find(&by).await.unwrap(), []);
}

fn record(id: &str) -> KeyRecord {
    let hash = KeyHash::Sha256(Digest::sha256(id.as_bytes()));
    let mut record = KeyRecord::new(KeyId::new(id).unwrap(), "acme", hash);
    record.created_at = now();
    record
}

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000)
}

/// Revokes all of them in one change.
fn replace(records: &[KeyRecord]) -> Change {
    records.iter().fold(Change::new(now()), |change, before| {
        let mut record = before.clone();
        record.revision += 1;
        record.revoked_at = Some(now());
        let expected = Expectation::Revision {
            key: before.id.clone(),
            is: before.revision,
        };
        let refound = false;
        change
            .expect(expected)
            .write(Write::Replace { record, refound })
    })
}

async fn find(store: &PostgresStore, id: &KeyId) -> KeyRecord {
    let mut found = store.find(&Selector::Key(id.clone())).await.unwrap();
    found.pop().unwrap().record
}

/// Returns once a change waits for a lock.
async fn waits(site: &Site) {
    let session = tokio::sync::Mutex::new(site.database.connect().await.unwrap());
    within(SOON, "a change waits", async || {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
            WHERE datname = current_database() AND wait_event_type = 'Lock'";
        let session: &mut PgConnection = &mut *session.lock().await;
        let waiting: i64 = sqlx::query_scalar(waiting)
            .fetch_one(session)
            .await
            .unwrap();
        waiting > 0
    })
    .await;
    // It must also be the one that has waited for longest.
    sleep(Duration::from_millis(50)).await;
}
