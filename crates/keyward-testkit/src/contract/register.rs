//! The nodes that verify keys: beats, and strikes.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use keyward_store::{Applied, HistoryId, KeyStore, Node, NodeId, RegisteredNode};
use tokio::sync::Barrier;
use tokio::time::sleep;

/// A node is on the register from its first beat on, as that beat told; and the answer says by which
/// beat its row was made.
pub async fn a_beat_makes_a_row<S: KeyStore>(store: S) {
    assert_eq!(rows(&store).await, []);
    for node in [node("first"), node_that_applied("näch\'ste 節点 2/7", 12)] {
        let answer = store.register().beat(&node).await.unwrap();
        let row = row(&store, &node.id).await.unwrap();
        assert_eq!(row.node, node);
        assert_eq!(answer.first_beat, row.beat);
    }
}

/// As long as nobody strikes it out, a node stays in one row, which tells what its last beat told.
pub async fn beats_go_on_in_one_row<S: KeyStore>(store: S) {
    let mut node = node("before");
    let first = beat(&store, &node).await;
    for seconds in 1..20 {
        node.name = format!("{seconds}").into();
        node.lease = Duration::from_secs(seconds);
        node.applied = Some(applied(seconds));
        assert_eq!(beat(&store, &node).await, first);
        assert_eq!(rows(&store).await.len(), 1);
        assert_eq!(row(&store, &node.id).await.unwrap().node, node);
    }
}

/// No beat of a node is like one before it, its row being struck out in between or not.
pub async fn a_beat_never_returns<S: KeyStore>(store: S) {
    let node = node("a");
    let mut before = BTreeSet::new();
    for turn in 0..20 {
        beat(&store, &node).await;
        let now = row(&store, &node.id).await.unwrap().beat;
        assert!(before.insert(now), "{now} has been there");
        if turn % 3 == 2 {
            assert!(strike(&store, &node.id, now).await);
        }
    }
}

/// How far a node is can be told between beats; that keeps nobody from seeing its beat stand still, and
/// makes no row.
pub async fn what_was_applied_is_kept_and_is_no_beat<S: KeyStore>(store: S) {
    let (there, gone) = (node("there"), node("gone"));
    beat(&store, &there).await;
    let before = row(&store, &there.id).await.unwrap().beat;
    for number in [3, 9] {
        for node in [&there, &gone] {
            let told = store.register().applied(&node.id, applied(number));
            told.await.unwrap();
        }
        let row = row(&store, &there.id).await.unwrap();
        assert_eq!(row.node.applied, Some(applied(number)));
        assert_eq!(row.beat, before);
    }
    assert_eq!(rows(&store).await.len(), 1);
}

/// Who has beaten since is not struck out.
pub async fn a_strike_with_an_older_beat_does_nothing<S: KeyStore>(store: S) {
    let node = node("a");
    let first = beat(&store, &node).await;
    let old = row(&store, &node.id).await.unwrap().beat;
    beat(&store, &node).await;
    let before = rows(&store).await;
    assert!(!strike(&store, &node.id, old).await);
    assert!(!strike(&store, &NodeId::generate(), old).await);
    assert_eq!(rows(&store).await, before);
    assert_eq!(beat(&store, &node).await, first);
}

/// A node that was struck out is gone, and its next beat says that its row is a new one; also when the
/// beat that made it was answered to nobody.
pub async fn a_struck_node_begins_anew<S: KeyStore>(store: S) {
    let node = node("a");
    for lost in [0, 1, 2] {
        let first = beat(&store, &node).await;
        beat(&store, &node).await;
        let now = row(&store, &node.id).await.unwrap().beat;
        assert!(strike(&store, &node.id, now).await);
        assert_eq!(rows(&store).await, []);
        assert!(!strike(&store, &node.id, now).await);
        for _ in 0..lost {
            beat(&store, &node).await;
        }
        assert_ne!(beat(&store, &node).await, first);
    }
}

/// Of a beat and a strike at one moment, one comes first: the node is struck out and its row is a new
/// one, or it is not and its row is the same.
pub async fn one_of_a_beat_and_a_strike_comes_first<S: KeyStore>(store: S) {
    let store = Arc::new(store);
    let node = node("a");
    let mut row_before = beat(&store, &node).await;
    for turn in 0..50 {
        let seen = row(&store, &node.id).await.unwrap().beat;
        let start = Arc::new(Barrier::new(2));
        let beating = tokio::spawn({
            let (store, node, start) = (store.clone(), node.clone(), start.clone());
            async move {
                start.wait().await;
                hesitate(turn % 3 == 1).await;
                beat(&store, &node).await
            }
        });
        let striking = tokio::spawn({
            let (store, id) = (store.clone(), node.id);
            async move {
                start.wait().await;
                hesitate(turn % 3 == 2).await;
                strike(&store, &id, seen).await
            }
        });
        let (row, struck) = (beating.await.unwrap(), striking.await.unwrap());
        assert_eq!(struck, row != row_before);
        assert_eq!(rows(&store).await.len(), 1);
        row_before = row;
    }
}

/// Every node that is on the register is read, and is told to each that beats afterwards.
pub async fn every_node_is_listed<S: KeyStore>(store: S) {
    let nodes = ["a", "b", "b", "c"].map(node);
    for (before, node) in nodes.iter().enumerate() {
        let answer = store.register().beat(node).await.unwrap();
        for other in &nodes[..before] {
            assert!(answer.nodes.iter().any(|row| row.node == *other));
        }
    }
    let ids = |rows: Vec<RegisteredNode>| rows.iter().map(|row| row.node.id).collect();
    let all: BTreeSet<_> = ids(rows(&store).await);
    assert_eq!(all, nodes.iter().map(|node| node.id).collect());
    let gone = row(&store, &nodes[1].id).await.unwrap();
    assert!(strike(&store, &gone.node.id, gone.beat).await);
    let left: BTreeSet<_> = ids(rows(&store).await);
    assert_eq!(all.difference(&left).collect::<Vec<_>>(), [&gone.node.id]);
    let answer = store.register().beat(&nodes[0]).await.unwrap();
    assert_eq!(ids(answer.nodes), left);
}

/// Lets the other be a little ahead.
async fn hesitate(really: bool) {
    if really {
        sleep(Duration::from_millis(2)).await;
    }
}

fn node(name: &str) -> Node {
    Node::new(NodeId::generate(), name, Duration::from_millis(5_250))
}

fn node_that_applied(name: &str, number: u64) -> Node {
    let mut node = node(name);
    node.applied = Some(applied(number));
    node
}

fn applied(number: u64) -> Applied {
    Applied {
        // Half of all histories have a number beyond what is signed.
        history: HistoryId::new(u64::MAX - 7),
        number,
    }
}

/// Beats, and says by which beat the row was made.
async fn beat(store: &impl KeyStore, node: &Node) -> u64 {
    store.register().beat(node).await.unwrap().first_beat
}

async fn strike(store: &impl KeyStore, node: &NodeId, beat: u64) -> bool {
    store.register().strike(node, beat).await.unwrap()
}

async fn rows(store: &impl KeyStore) -> Vec<RegisteredNode> {
    store.register().nodes().await.unwrap()
}

async fn row(store: &impl KeyStore, node: &NodeId) -> Option<RegisteredNode> {
    let rows = rows(store).await;
    rows.into_iter().find(|row| row.node.id == *node)
}
