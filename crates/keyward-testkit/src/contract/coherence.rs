//! Through the verifier: no revoked key outlives its revocation.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::{DeniedKind, LifecycleError, Reason};
use keyward_store::{CommitError, KeyStore, Pepper, Peppers, Records};
use tokio::time::sleep;

use super::sample::by_public_id;
use super::service::{FORMATS, LEASE, Node, SOON, short_lease, unknown_key, within};
use super::tools::put;
use crate::{Call, Fault};

/// A load that is on its way while a key is revoked lets it through neither then nor later: neither
/// for the one who asked, nor for one who joined, nor for those who find what it left behind.
pub async fn a_load_in_flight_does_not_outlive_a_revocation<S: Records + KeyStore>(store: S) {
    let node = Arc::new(Node::start(store).await);
    for format in FORMATS {
        let issued = Arc::new(node.issue(format).await);
        let verify = || {
            let (node, issued) = (node.clone(), issued.clone());
            tokio::spawn(async move { node.verify(&issued.secret).await })
        };
        let gate = node.faults.hold(Call::Load);
        let before = verify();
        gate.reached(1).await;
        node.keys.revoke(&issued.key.id).await.unwrap();
        let after = verify();
        sleep(Duration::from_millis(20)).await;
        gate.open();
        for verification in [before, after] {
            let denied = verification.await.unwrap().unwrap_err();
            assert_eq!(denied.reason(), Reason::Revoked);
        }
        node.refuses(&issued.secret, Reason::Revoked).await;
    }
}

/// The same for a load that found nothing while a key is made: it hides the key from nobody who
/// asks afterwards.
pub async fn a_load_in_flight_does_not_hide_a_new_key<S: Records + KeyStore>(store: S) {
    let node = Arc::new(Node::start(store).await);
    for format in FORMATS {
        let (secret, record) = unknown_key(format);
        let secret = Arc::new(secret);
        let verify = || {
            let (node, secret) = (node.clone(), secret.clone());
            tokio::spawn(async move { node.verify(&secret).await })
        };
        let gate = node.faults.hold(Call::Load);
        let before = verify();
        gate.reached(1).await;
        put(&node.store, [record]).await;
        node.catch_up().await;
        let after = verify();
        sleep(Duration::from_millis(20)).await;
        gate.open();
        drop(before.await.unwrap());
        assert!(after.await.unwrap().is_ok());
        assert!(node.verify(&secret).await.is_ok());
    }
}

/// However many verifications run: none that starts after a revocation has returned accepts the
/// key.
pub async fn nobody_who_starts_after_a_revocation_gets_through<S: Records + KeyStore>(store: S) {
    let node = Arc::new(Node::start(store).await);
    for turn in 0..12 {
        let issued = Arc::new(node.issue(FORMATS[turn % 2]).await);
        let (revoked, done) = (
            Arc::new(AtomicBool::new(false)),
            Arc::new(AtomicBool::new(false)),
        );
        let clients: Vec<_> = (0..4)
            .map(|_| {
                let (node, issued) = (node.clone(), issued.clone());
                let (revoked, done) = (revoked.clone(), done.clone());
                tokio::spawn(async move {
                    while !done.load(Ordering::SeqCst) {
                        let late = revoked.load(Ordering::SeqCst);
                        let accepted = node.accepts(&issued).await;
                        assert!(!(late && accepted), "a revoked key was accepted");
                        assert!(late || accepted || revoked_by_now(&node, &issued).await);
                        tokio::task::yield_now().await;
                    }
                })
            })
            .collect();
        sleep(Duration::from_millis(3)).await;
        node.keys.revoke(&issued.key.id).await.unwrap();
        revoked.store(true, Ordering::SeqCst);
        sleep(Duration::from_millis(3)).await;
        done.store(true, Ordering::SeqCst);
        for client in clients {
            client.await.unwrap();
        }
    }
}

/// Another node hears of a revocation, of a suspension and of a new key soon.
pub async fn another_node_hears_of_changes<S: Records + KeyStore>(store: S) {
    let here = Node::start(store).await;
    let there = here.another().await;
    heard(&here, &there).await;
}

/// It does so without any hint, too, at its next poll.
pub async fn another_node_needs_no_hint<S: Records + KeyStore>(store: S) {
    let here = Node::start(store).await;
    let often = Duration::from_millis(100);
    let there = here
        .another_with(|builder| builder.poll_interval(often))
        .await;
    there.faults.always(Call::Hint, Fault::Hang);
    heard(&here, &there).await;
}

/// A replica that lags lets no revoked key through on the node that has revoked it.
pub async fn a_lagging_replica_lets_no_revoked_key_through<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for warm in [true, false] {
        let issued = node.issue("acme_live").await;
        let by = by_public_id("acme_live", issued.key.public_id.unwrap());
        node.through().freeze(&by).await.unwrap();
        if warm {
            assert!(node.accepts(&issued).await);
        }
        node.keys.revoke(&issued.key.id).await.unwrap();
        for _turn in 0..3 {
            node.refuses(&issued.secret, Reason::Revoked).await;
        }
    }
}

/// Nor on a node that hears nothing from the log any more: what it needs then is the primary's word.
pub async fn a_replica_is_not_believed_without_news<S: Records + KeyStore>(store: S) {
    let here = Node::start_with(store, short_lease).await;
    let there = here.another().await;
    let issued = there.issue("acme_live").await;
    let by = by_public_id("acme_live", issued.key.public_id.unwrap());
    here.through().freeze(&by).await.unwrap();
    here.faults.always(Call::Changes, Fault::Hang);
    there.keys.revoke(&issued.key.id).await.unwrap();
    sleep(LEASE).await;
    for _turn in 0..3 {
        here.refuses(&issued.secret, Reason::Revoked).await;
    }
}

/// A node that is cut off from the store accepts no key that another node revoked a lease ago, and
/// none whose revocation it cannot know of; once it is back it accepts what is good.
pub async fn a_node_that_is_cut_off_stops_accepting<S: Records + KeyStore>(store: S) {
    let here = Node::start_with(store, short_lease).await;
    let there = here.another().await;
    for fault in [Fault::Hang, Fault::Fail, Fault::Panic] {
        let revoked = there.issue("acme_live").await;
        let good = there.issue("acme_live").await;
        within(SOON, "both keys are known", async || {
            here.accepts(&revoked).await && here.accepts(&good).await
        })
        .await;
        here.faults.always(Call::Changes, fault);
        here.faults.always(Call::Load, fault);
        there.keys.revoke(&revoked.key.id).await.unwrap();
        sleep(LEASE).await;
        for issued in [&revoked, &good] {
            let denied = here.verify(&issued.secret).await.unwrap_err();
            assert_eq!(denied.kind(), DeniedKind::Unavailable, "{denied:?}");
        }
        here.faults.heal(Call::Changes);
        here.faults.heal(Call::Load);
        within(SOON, "the good key is accepted again", async || {
            here.accepts(&good).await
        })
        .await;
        here.refuses(&revoked.secret, Reason::Revoked).await;
    }
}

/// A revocation whose outcome is unknown is an error; if it was made, it takes hold soon. One that
/// failed was not made.
pub async fn a_revocation_of_unknown_outcome_takes_hold<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let issued = node.issue("acme_live").await;
    assert!(node.accepts(&issued).await);

    node.faults.once(Call::Commit, Fault::Fail);
    let failed = node.keys.revoke(&issued.key.id).await.unwrap_err();
    let certain = matches!(&failed, LifecycleError::Commit(error) if error.is_certain());
    assert!(certain, "{failed:?}");
    assert!(node.accepts(&issued).await);

    node.faults.once(Call::Commit, Fault::FailAfter);
    let unknown = node.keys.revoke(&issued.key.id).await.unwrap_err();
    let is_unknown = matches!(&unknown, LifecycleError::Commit(CommitError::Unknown(_)));
    assert!(is_unknown, "{unknown:?}");
    within(SOON, "the revocation takes hold", async || {
        !node.accepts(&issued).await
    })
    .await;
    node.refuses(&issued.secret, Reason::Revoked).await;
}

/// A key that is revoked while it moves to another pepper stays revoked.
pub async fn a_revocation_is_not_undone_by_a_move<S: Records + KeyStore>(store: S) {
    let plain = Node::start(store).await;
    let pepper = Peppers::current(Pepper::new("pepper", &[7; 32]).unwrap());
    let node = plain.another_with(|setup| setup.peppers(pepper)).await;
    for format in FORMATS {
        let issued = plain.issue(format).await;
        node.catch_up().await;
        let moves = node.faults.calls(Call::Commit);
        // Long enough for the revocation to come in between.
        let delay = Fault::Delay(Duration::from_millis(300));
        node.faults.once(Call::Commit, delay);
        assert!(node.accepts(&issued).await);
        within(SOON, "the move starts", async || {
            node.faults.calls(Call::Commit) > moves
        })
        .await;
        plain.keys.revoke(&issued.key.id).await.unwrap();
        let revoked = node.record(&issued.key.id).await;
        within(SOON, "the move ends", async || {
            node.faults.running(Call::Commit) == 0
        })
        .await;
        assert_eq!(node.record(&issued.key.id).await, revoked);
        node.catch_up().await;
        node.refuses(&issued.secret, Reason::Revoked).await;
    }
}

async fn heard<S: Records + KeyStore>(here: &Node<S>, there: &Node<S>) {
    for format in FORMATS {
        let issued = here.issue(format).await;
        within(SOON, "a new key is accepted", async || {
            there.accepts(&issued).await
        })
        .await;
        let tenant = here.keys.tenant("acme-inc");
        tenant.suspend().await.unwrap();
        within(SOON, "a suspended tenant's key is refused", async || {
            !there.accepts(&issued).await
        })
        .await;
        tenant.resume().await.unwrap();
        within(SOON, "a resumed tenant's key is accepted", async || {
            there.accepts(&issued).await
        })
        .await;
        here.keys.revoke(&issued.key.id).await.unwrap();
        within(SOON, "a revoked key is refused", async || {
            !there.accepts(&issued).await
        })
        .await;
        there.refuses(&issued.secret, Reason::Revoked).await;

        let (secret, record) = unknown_key(format);
        there.refuses(&secret, Reason::Unknown).await;
        put(&here.store, [record]).await;
        within(SOON, "a key is accepted once it exists", async || {
            there.verify(&secret).await.is_ok()
        })
        .await;
    }
}

/// A verification that was refused although it started early met a revocation that was made and had
/// not yet returned.
async fn revoked_by_now<S: Records + KeyStore>(
    node: &Node<S>,
    issued: &keyward_core::Issued,
) -> bool {
    node.record(&issued.key.id).await.revoked_at.is_some()
}
