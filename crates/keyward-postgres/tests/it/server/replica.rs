//! Look-ups in replicas, which lag, hang and are left behind.

use std::time::Duration;

use keyward_core::{Issued, Reason};
use keyward_postgres::PostgresStore;
use keyward_throwaway::{Proxy, Server};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;

use super::switch::Switch;
use super::{follows, issue, number, part, primary};
use crate::support::{
    Answer, HEALED, Node, REVOKED, SOON, connect, new_key, often, seldom, within,
};

/// The replica shows a change 5 s later. Nobody who asks it is told anything old.
#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_key_does_not_come_back_from_a_replica_that_lags() {
    let primary = primary().await;
    let old = primary_node(&primary).await;
    let (doomed, suspended) = (issue(&old).await, issue_for(&old, "late payer").await);
    let replica = primary.standby(Some(LAG)).await.unwrap();
    follows(&replica, &primary).await;
    let before = number(&replica).await;

    let here = over(&primary, &replica).await;
    let there = over(&primary, &replica).await;
    for key in [&doomed, &suspended] {
        assert!(here.accepts(&key.secret).await);
    }
    old.keys.revoke(&doomed.key.id).await.unwrap();
    old.keys.tenant("late payer").suspend().await.unwrap();
    let barred = Answer::Refused(Reason::TenantSuspended);
    here.comes_to(&doomed.secret, REVOKED, SOON).await;
    here.comes_to(&suspended.secret, barred, SOON).await;
    // The other node never saw them good, and has them from nowhere but the stores.
    there.comes_to(&doomed.secret, REVOKED, SOON).await;
    there.comes_to(&suspended.secret, barred, SOON).await;
    // So does one that starts now, without any memory.
    let newcomer = over(&primary, &replica).await;
    assert_eq!(newcomer.answer(&doomed.secret).await, REVOKED);
    assert_eq!(newcomer.answer(&suspended.secret).await, barred);
    assert_eq!(
        number(&replica).await,
        before,
        "the replica was up to date too soon"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_key_works_at_once_beside_a_replica_that_lags() {
    let primary = primary().await;
    let replica = primary.standby(Some(LAG)).await.unwrap();
    let nodes = [
        over(&primary, &replica).await,
        over(&primary, &replica).await,
    ];
    let issued = issue(&nodes[0]).await;
    assert!(nodes[0].accepts(&issued.secret).await);
    nodes[1]
        .comes_to(&issued.secret, Answer::Accepted, SOON)
        .await;
    let newcomer = over(&primary, &replica).await;
    assert!(newcomer.accepts(&issued.secret).await);
}

/// A replica that is up to date is believed, and the primary left in peace.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_up_to_date_is_enough() {
    let primary = primary().await;
    let replica = primary.standby(None).await.unwrap();
    let old = primary_node(&primary).await;
    let keys = [issue(&old).await, issue(&old).await];
    follows(&replica, &primary).await;
    let pool = pool(&primary.url(), 1);
    let store = PostgresStore::new(pool.clone()).replicas(self::pool(&replica.url(), 4));
    let node = Node::start(store, seldom).await;
    // There is no other connection to look anything up in the primary.
    let taken = pool.acquire().await.unwrap();
    for key in &keys {
        assert!(node.accepts(&key.secret).await);
    }
    drop(taken);
}

/// A replica that hangs, or is gone, costs some time, and no answer.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_fails_is_passed_over() {
    let primary = primary().await;
    let replica = primary.standby(None).await.unwrap();
    let proxy = Proxy::to(replica.address()).await.unwrap();
    let pool = pool(&proxy.url(&replica.url()), 4);
    let store = connect(&primary.url()).replicas(pool);
    let node = Node::start(store, seldom).await;
    let keys = [issue(&node).await, issue(&node).await, issue(&node).await];
    assert!(node.accepts(&keys[0].secret).await);
    proxy.freeze();
    assert!(node.accepts(&keys[1].secret).await);
    proxy.cut().await;
    assert!(node.accepts(&keys[2].secret).await);
}

/// The primary fails and one of two standbys is promoted. The other goes on answering with the old
/// history, larger numbers and all.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_left_behind_is_not_believed() {
    let primary = primary().await;
    let heir = primary.standby(None).await.unwrap();
    let left_behind = primary.standby(None).await.unwrap();
    let switch = Switch::to(&primary).await;
    let replicas = pool(&left_behind.url(), 4);
    let start = async || {
        let store = connect(&switch.url()).replicas(replicas.clone());
        Node::start(store, often).await
    };
    let here = start().await;
    let doomed = issue(&here).await;
    follows(&heir, &primary).await;
    part(&heir).await;
    for _ in 0..10 {
        issue(&here).await;
    }
    follows(&left_behind, &primary).await;
    primary.kill().await.unwrap();
    heir.promote().await.unwrap();
    switch.turn_to(&heir);

    within(HEALED, "the heir takes changes", async || {
        here.keys.revoke(&doomed.key.id).await.is_ok()
    })
    .await;
    assert!(number(&heir).await < number(&left_behind).await);
    assert_eq!(here.answer(&doomed.secret).await, REVOKED);
    for _ in 0..3 {
        let newcomer = start().await;
        assert_eq!(newcomer.answer(&doomed.secret).await, REVOKED);
    }
    assert!(replicas.size() > 0, "nobody asked the replica");
}

const LAG: Duration = Duration::from_secs(5);

async fn primary_node(primary: &Server) -> Node {
    Node::start(connect(&primary.url()), seldom).await
}

async fn over(primary: &Server, replica: &Server) -> Node {
    let store = connect(&primary.url()).replicas(pool(&replica.url(), 4));
    Node::start(store, seldom).await
}

fn pool(url: &str, connections: u32) -> PgPool {
    let options = PgPoolOptions::new().max_connections(connections);
    options.connect_lazy(url).unwrap()
}

async fn issue_for(node: &Node, tenant: &str) -> Issued {
    node.keys.issue(new_key().tenant(tenant)).await.unwrap()
}
