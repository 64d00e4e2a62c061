//! Through the verifier: a store that fails, and one that is asked too much.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{DeniedKind, Reason};
use keyward_store::{KeyStore, Records};
use tokio::time::{sleep, timeout};

use super::service::{FORMATS, Node, unknown_key};
use crate::{Call, Fault};

/// A store that fails, panics or does not answer makes a key unavailable, never bad; and that is
/// forgotten as soon as the store answers.
pub async fn a_failing_store_makes_no_key_bad<S: Records + KeyStore>(store: S) {
    let limit = Duration::from_millis(500);
    let node = Node::start_with(store, |builder| builder.load_limit(limit)).await;
    let faults = [
        (Fault::Fail, Reason::StoreFailed),
        (Fault::FailAfter, Reason::StoreFailed),
        (Fault::Panic, Reason::LoadPanicked),
        (Fault::Hang, Reason::LoadTimedOut),
        (Fault::HangAfter, Reason::LoadTimedOut),
    ];
    for (fault, reason) in faults {
        for format in FORMATS {
            let issued = node.issue(format).await;
            let (unknown, _) = unknown_key(format);
            for key in [&issued.secret, &unknown] {
                node.faults.once(Call::Load, fault);
                let denied = node.verify(key).await.unwrap_err();
                assert_eq!(denied.kind(), DeniedKind::Unavailable, "{fault:?}");
                assert_eq!(denied.reason(), reason);
            }
            assert!(node.accepts(&issued).await, "{fault:?} was remembered");
            node.refuses(&unknown, Reason::Unknown).await;
        }
    }
}

/// While loads fail, keys that are known are accepted, for as long as the store tells what changes.
pub async fn known_keys_outlast_failing_loads<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        let [known, other] = [node.issue(format).await, node.issue(format).await];
        assert!(node.accepts(&known).await);
        node.faults.always(Call::Load, Fault::Fail);
        assert!(node.accepts(&known).await);
        let denied = node.verify(&other.secret).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::Unavailable);
        // What is revoked meanwhile cannot be looked up, and is not accepted either.
        node.keys.revoke(&known.key.id).await.unwrap();
        assert!(!node.accepts(&known).await);
        node.faults.heal(Call::Load);
        node.refuses(&known.secret, Reason::Revoked).await;
        assert!(node.accepts(&other).await);
    }
}

/// A thousand verifications at once of a key that is not cached ask the store once.
pub async fn a_thousand_misses_make_one_load<S: Records + KeyStore>(store: S) {
    let node = Arc::new(Node::start(store).await);
    for format in FORMATS {
        let issued = Arc::new(node.issue(format).await);
        let loads = node.faults.calls(Call::Load);
        let gate = node.faults.hold(Call::Load);
        let verifications: Vec<_> = (0..1000)
            .map(|_| {
                let (node, issued) = (node.clone(), issued.clone());
                tokio::spawn(async move { node.accepts(&issued).await })
            })
            .collect();
        gate.reached(1).await;
        sleep(Duration::from_millis(50)).await;
        gate.open();
        for verification in verifications {
            assert!(verification.await.unwrap());
        }
        assert_eq!(node.faults.calls(Call::Load), loads + 1);
    }
}

/// A key that is known, and one that is known not to exist, are not asked for again.
pub async fn what_is_known_is_asked_for_once<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        let issued = node.issue(format).await;
        let (unknown, _) = unknown_key(format);
        let loads = node.faults.calls(Call::Load);
        for _turn in 0..10 {
            assert!(node.accepts(&issued).await);
            node.refuses(&unknown, Reason::Unknown).await;
        }
        assert_eq!(node.faults.calls(Call::Load), loads + 2);
    }
}

/// Three hundred verifications that are given up while they wait harm none that goes on waiting.
pub async fn whoever_gives_up_harms_nobody<S: Records + KeyStore>(store: S) {
    let node = Arc::new(Node::start(store).await);
    for format in FORMATS {
        let issued = Arc::new(node.issue(format).await);
        let verify = || {
            let (node, issued) = (node.clone(), issued.clone());
            tokio::spawn(async move { node.accepts(&issued).await })
        };
        let loads = node.faults.calls(Call::Load);
        let gate = node.faults.hold(Call::Load);
        // The very first of them has made the load start.
        let mut given_up = vec![verify()];
        gate.reached(1).await;
        given_up.extend((1..300).map(|_| verify()));
        let last = verify();
        sleep(Duration::from_millis(20)).await;
        for verification in given_up {
            verification.abort();
            drop(verification.await);
        }
        gate.open();
        let last = timeout(Duration::from_secs(10), last).await;
        assert!(last.expect("a verification was left waiting").unwrap());
        assert_eq!(node.faults.calls(Call::Load), loads + 1);
    }
}

/// Three hundred loads in a row that fail or panic leave nothing behind that harms the next.
pub async fn whoever_fails_harms_nobody<S: Records + KeyStore>(store: S) {
    let node = Arc::new(Node::start(store).await);
    let issued = Arc::new(node.issue("acme_live").await);
    for fault in [Fault::Fail, Fault::Panic] {
        node.faults.times(150, Call::Load, fault);
        for _turn in 0..150 {
            let denied = node.verify(&issued.secret).await.unwrap_err();
            assert_eq!(denied.kind(), DeniedKind::Unavailable);
        }
    }
    assert!(node.accepts(&issued).await);
    assert_eq!(node.faults.running(Call::Load), 0);
}

/// Of many different keys at once, no more are looked up at a time than the settings say, and all
/// are accepted.
pub async fn look_ups_are_bounded<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |builder| builder.loads_at_once(4)).await;
    let node = Arc::new(node);
    let mut keys = Vec::new();
    for _key in 0..40 {
        keys.push(node.issue("acme_live").await);
    }
    let delay = Fault::Delay(Duration::from_millis(5));
    node.faults.always(Call::Load, delay);
    let verifications: Vec<_> = keys
        .into_iter()
        .map(|issued| {
            let node = node.clone();
            tokio::spawn(async move { node.accepts(&issued).await })
        })
        .collect();
    for verification in verifications {
        assert!(verification.await.unwrap());
    }
    assert_eq!(node.faults.peak(Call::Load), 4);
}
