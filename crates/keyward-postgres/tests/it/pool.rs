//! The host's pool: others take its connections, and some of them die.

use std::time::Duration;

use keyward_core::{IssueError, LifecycleError};
use keyward_postgres::PostgresStore;
use keyward_store::{CommitError, KeyStore, ReadFrom, Selector};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::time::{Instant, sleep};

use crate::support::{Answer, LEASE, LOAD_LIMIT, Node, SOON, Site, new_key, often};

#[tokio::test]
async fn an_exhausted_pool_is_no_answer_within_the_limit_and_harms_nothing_else() {
    let site = Site::fresh().await;
    let pool = pool(&site, 2);
    let node = Node::start(PostgresStore::new(pool.clone()), often).await;
    let elsewhere = site.node().await;
    let [known, doomed, cold] = [
        site.issue(&elsewhere, new_key()).await,
        site.issue(&elsewhere, new_key()).await,
        site.issue(&elsewhere, new_key()).await,
    ];
    node.comes_to(&known.secret, Answer::Accepted, SOON).await;
    node.comes_to(&doomed.secret, Answer::Accepted, SOON).await;
    let taken = [pool.acquire().await.unwrap(), pool.acquire().await.unwrap()];

    let asked = Instant::now();
    assert_eq!(node.answer(&cold.secret).await, Answer::Unavailable);
    let took = asked.elapsed();
    assert!(took < LOAD_LIMIT + Duration::from_secs(1), "{took:?}");
    // Polls have a connection of their own: the lease goes on, and revocations are heard of.
    sleep(2 * LEASE).await;
    assert!(node.accepts(&known.secret).await);
    elsewhere.keys.revoke(&doomed.key.id).await.unwrap();
    node.comes_to(&doomed.secret, Answer::Unavailable, LOAD_LIMIT + SOON)
        .await;
    assert!(node.accepts(&known.secret).await);

    drop(taken);
    node.comes_to(&cold.secret, Answer::Accepted, SOON).await;
}

/// A change that never got a connection was certainly not made.
#[tokio::test]
async fn a_change_without_a_connection_was_not_made() {
    let site = Site::fresh().await;
    let options = PgPoolOptions::new().max_connections(1);
    let options = options.acquire_timeout(Duration::from_millis(300));
    let pool = options.connect_lazy(site.database.url()).unwrap();
    let node = Node::start(PostgresStore::new(pool.clone()), often).await;
    let taken = pool.acquire().await.unwrap();
    let error = node.keys.issue(new_key()).await.unwrap_err();
    let certain = matches!(&error, IssueError::Commit(CommitError::NotCommitted(_)));
    assert!(certain, "{error:?}");
    drop(taken);
    site.issue(&node, new_key()).await;
}

/// An operator ends every session: neither look-ups nor changes notice.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_an_operator_ended_fail_no_call() {
    let site = Site::fresh().await;
    let node = site.node().await;
    let key = site.issue(&node, new_key()).await;
    let store = site.store();
    for _turn in 0..5 {
        let load = async || {
            let by = Selector::Key(key.key.id.clone());
            store.load(&by, ReadFrom::Primary).await
        };
        // Several connections, all of them idle afterwards.
        let loads: Vec<_> = (0..8).map(|_| load()).collect();
        for load in loads {
            load.await.unwrap();
        }
        kill_idle(&site).await;
        load().await.unwrap();
        node.keys.get(&key.key.id).await.unwrap();
        kill_idle(&site).await;
        site.issue(&node, new_key()).await;
        kill_idle(&site).await;
        let listed = node.keys.list(&keyward_store::ListQuery::all()).await;
        listed.unwrap();
        kill_idle(&site).await;
        node.keys.tenant("acme").suspend().await.unwrap();
        kill_idle(&site).await;
        node.keys.tenant("acme").resume().await.unwrap();
    }
    let outcome: Result<(), LifecycleError> = node.keys.revoke(&key.key.id).await;
    outcome.unwrap();
}

/// Whoever gives up a look-up leaves a connection that others can use, or none.
#[tokio::test(flavor = "multi_thread")]
async fn look_ups_that_are_given_up_leave_no_stranger_an_answer() {
    let site = Site::fresh().await;
    let pool = pool(&site, 4);
    let store = PostgresStore::new(pool.clone());
    let node = Node::start(store.clone(), often).await;
    let keys = [
        site.issue(&node, new_key()).await,
        site.issue(&node, new_key()).await,
    ];
    let by = |place: usize| Selector::Key(keys[place].key.id.clone());
    for turn in 0..200_u64 {
        let patience = Duration::from_micros(turn * 10);
        let (given_up, asked) = (by(0), by(1));
        let given_up = store.load(&given_up, ReadFrom::Primary);
        drop(tokio::time::timeout(patience, given_up).await);
        let loaded = store.load(&asked, ReadFrom::Primary).await.unwrap();
        assert_eq!(loaded.found.len(), 1);
        assert_eq!(loaded.found[0].record.id, keys[1].key.id);
    }
    assert!(pool.size() <= 4);
}

fn pool(site: &Site, connections: u32) -> PgPool {
    let options = PgPoolOptions::new().max_connections(connections);
    // As a host that has not read about it.
    options.connect_lazy(site.database.url()).unwrap()
}

/// Ends every session that is idle, but for those that listen.
async fn kill_idle(site: &Site) {
    let sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid() \
        AND query !~ 'LISTEN|AS standby|keyward.nodes'";
    site.sql(sql).await;
}
