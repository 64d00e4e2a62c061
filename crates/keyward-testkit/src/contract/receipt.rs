//! Through the verifier: after a receipt, a change is heeded everywhere.

use std::time::Duration;

use keyward_core::{Outcome, Receipt};
use keyward_store::{KeyStore, Records};
use tokio::time::sleep;

use super::service::{FORMATS, LEASE, Node, SOON, short_lease, within};
use crate::{Call, Fault};

/// A receipt names every node, each of which has applied the change, and comes long before any lease
/// is over; with hints and without.
pub async fn a_receipt_names_every_node<S: Records + KeyStore>(store: S) {
    let one = Node::start_with(store, |setup| setup.node_name("one")).await;
    let two = one.another_with(|setup| setup.node_name("two")).await;
    let three = one.another_with(|setup| setup.node_name("three")).await;
    three.faults.always(Call::Hint, Fault::Hang);
    let applied = ["one", "three", "two"].map(|name| (name, Outcome::Applied));
    for node in [&one, &two, &three] {
        let issued = node.issue("acme_live").await;
        let revoked = node.keys.revoke(&issued.key.id).confirm_everywhere();
        for receipt in [revoked.await.unwrap(), node.keys.confirm_everywhere().await] {
            assert_eq!(outcomes(&receipt), applied);
            assert!(receipt.took < SOON, "{:?}", receipt.took);
        }
    }
}

/// Once a receipt is there, no node accepts a key that was revoked, or whose tenant was suspended,
/// before it.
pub async fn after_a_receipt_no_node_accepts<S: Records + KeyStore>(store: S) {
    let one = Node::start(store).await;
    let nodes = [one.another().await, one.another().await, one];
    // The last needs its polls to hear of anything.
    nodes[1].faults.always(Call::Hint, Fault::Hang);
    for turn in 0..6 {
        let node = &nodes[turn % 3];
        let issued = node.issue(FORMATS[turn % 2]).await;
        for node in &nodes {
            assert!(node.accepts(&issued).await);
        }
        if turn < 3 {
            let revoked = node.keys.revoke(&issued.key.id).confirm_everywhere();
            revoked.await.unwrap();
        } else {
            node.keys.tenant("acme-inc").suspend().await.unwrap();
            node.keys.confirm_everywhere().await;
        }
        for node in &nodes {
            assert!(!node.accepts(&issued).await);
        }
        node.keys.tenant("acme-inc").resume().await.unwrap();
    }
}

/// A node that was shut down is not waited for.
pub async fn a_node_that_left_is_not_waited_for<S: Records + KeyStore>(store: S) {
    let here = Node::start_with(store, |setup| setup.node_name("here")).await;
    let there = here.another_with(|setup| setup.node_name("there")).await;
    there.keys.shutdown().await;
    let receipt = here.keys.confirm_everywhere().await;
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied)]);
    assert!(receipt.took < SOON, "{:?}", receipt.took);
}

/// A node that ends without a word is waited for until its lease is over, and no longer than a second
/// beyond that.
pub async fn a_node_that_crashed_is_waited_for_no_longer_than_its_lease<S: Records + KeyStore>(
    store: S,
) {
    let here = Node::start_with(store, |setup| short_lease(setup).node_name("here")).await;
    let there = here.another_with(|setup| short_lease(setup).node_name("there"));
    drop(there.await);
    let issued = here.issue("acme_live").await;
    let receipt = here.keys.revoke(&issued.key.id).confirm_everywhere();
    let receipt = receipt.await.unwrap();
    assert_gone(&receipt);
    assert!(receipt.took < LEASE + Duration::from_secs(1));
}

/// A node whose lease is over already is not waited for: it has been seen silent for long enough. When
/// it is back, it believes nothing that it knew.
pub async fn a_node_whose_lease_is_over_is_not_waited_for<S: Records + KeyStore>(store: S) {
    let here = Node::start_with(store, |setup| short_lease(setup).node_name("here")).await;
    let there = here.another_with(|setup| short_lease(setup).node_name("there"));
    let there = there.await;
    let [revoked, good] = [here.issue("acme_live").await, here.issue("acme_live").await];
    for issued in [&revoked, &good] {
        within(SOON, "the key is known", async || {
            there.accepts(issued).await
        })
        .await;
    }
    let cut = [Call::Changes, Call::Load, Call::Beat, Call::Applied];
    for call in cut {
        there.faults.always(call, Fault::Hang);
    }
    sleep(LEASE + POLL * 3).await;
    let receipt = here.keys.revoke(&revoked.key.id).confirm_everywhere();
    let receipt = receipt.await.unwrap();
    assert_gone(&receipt);
    assert!(receipt.took < LEASE, "{:?}", receipt.took);
    assert!(!there.accepts(&revoked).await);
    for call in cut {
        there.faults.heal(call);
    }
    within(SOON, "it is back", async || {
        assert!(!there.accepts(&revoked).await);
        there.accepts(&good).await
    })
    .await;
}

/// A node that is there and hears nothing accepts what it knows until its lease is over; so long it is
/// waited for.
pub async fn a_node_that_hears_nothing_is_waited_for<S: Records + KeyStore>(store: S) {
    let here = Node::start_with(store, |setup| short_lease(setup).node_name("here")).await;
    let there = here.another_with(|setup| short_lease(setup).node_name("there"));
    let there = there.await;
    let issued = here.issue("acme_live").await;
    within(SOON, "the key is known", async || {
        there.accepts(&issued).await
    })
    .await;
    there.faults.always(Call::Changes, Fault::Hang);
    there.faults.always(Call::Load, Fault::Fail);
    let receipt = here.keys.revoke(&issued.key.id).confirm_everywhere();
    let receipt = receipt.await.unwrap();
    assert!(!there.accepts(&issued).await);
    assert!(receipt.took < LEASE + Duration::from_secs(1));
    assert_gone(&receipt);
}

/// How often nodes with a short lease beat.
const POLL: Duration = Duration::from_millis(300);

/// The node `here` has applied the change, and it is certain of the node `there` without its word.
fn assert_gone(receipt: &Receipt) {
    let [here, there] = outcomes(receipt)[..] else {
        panic!("{receipt:?} has not two nodes");
    };
    assert_eq!(here, ("here", Outcome::Applied));
    let gone = [Outcome::LeaseOver, Outcome::Left].contains(&there.1);
    assert!(there.0 == "there" && gone, "{there:?}");
}

fn outcomes(receipt: &Receipt) -> Vec<(&str, Outcome)> {
    let nodes = receipt.nodes.iter();
    let pairs = nodes.map(|confirmation| (&*confirmation.node, confirmation.outcome));
    pairs.collect()
}
