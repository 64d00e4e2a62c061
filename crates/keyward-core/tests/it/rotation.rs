//! When the overlap of two keys ends, to the nanosecond.

use std::time::Duration;

use keyward_core::{Issued, KeyUpdate, Keyward, LifecycleError, Reason};
use keyward_memory::MemoryStore;
use keyward_store::{AuditAction, AuditQuery, CommitError};
use keyward_testkit::Clock;

use crate::support::{ACCEPTED, MOMENT, REFUSED, Service, format};

const HOUR: Duration = Duration::from_secs(3600);
const NANO: Duration = Duration::from_nanos(1);

#[tokio::test]
async fn an_overlap_ends_to_the_nanosecond() {
    let service = Service::start().await;
    let (cached, cold) = (service.issue().await, service.issue().await);
    for key in [&cached, &cold] {
        service
            .keys
            .rotate(&key.key.id)
            .overlap(HOUR)
            .await
            .unwrap();
    }
    assert_eq!(service.kind(&cached).await, ACCEPTED);
    service.clock.advance(HOUR - NANO);
    assert_eq!(service.kind(&cached).await, ACCEPTED);
    service.clock.advance(NANO);
    for key in [&cached, &cold] {
        assert_eq!(reason(&service, key).await, Some(Reason::Retired));
    }
    // The last of it cannot be undone.
    assert!(service.keys.undo_rotation(&cached.key.id).await.is_err());
}

/// Whoever has seen another state of a key than it is in rotates nothing.
#[tokio::test]
async fn a_rotation_may_be_bound_to_a_revision() {
    let service = Service::start().await;
    let old = service.issue().await.key;
    let keys = &service.keys;
    let rotate = |revision| keys.rotate(&old.id).overlap(HOUR).revision(revision);
    assert!(matches!(
        rotate(old.revision + 1).await,
        Err(LifecycleError::Commit(CommitError::Expectation(_)))
    ));
    rotate(old.revision).await.unwrap();
    assert!(matches!(
        rotate(old.revision).await,
        Err(LifecycleError::Replaced(_))
    ));
    let restored = keys.undo_rotation(&old.id).await.unwrap();
    assert!(matches!(
        rotate(old.revision).await,
        Err(LifecycleError::Commit(CommitError::Expectation(_)))
    ));
    rotate(restored.revision).await.unwrap();
}

#[tokio::test]
async fn an_earlier_expiry_ends_an_overlap_as_an_expiry() {
    let service = Service::start().await;
    let old = service.issue().await;
    service
        .keys
        .rotate(&old.key.id)
        .overlap(2 * HOUR)
        .await
        .unwrap();
    let sooner = KeyUpdate::new().expires_in(HOUR);
    let old_record = service.keys.update(&old.key.id, sooner).await.unwrap();
    let successor = old_record.successor.unwrap();
    assert_eq!(Some(successor.until), old_record.expires_at);
    service.clock.advance(HOUR);
    assert_eq!(reason(&service, &old).await, Some(Reason::Expired));
}

/// The clock of the node that rotates a key may be ahead of the store's: what was replaced without an
/// overlap is refused all the same.
#[tokio::test]
async fn a_replaced_key_is_refused_whatever_the_clocks_show() {
    let (store_clock, _hand) = Clock::manual();
    let (node_clock, ahead) = Clock::manual();
    ahead.advance(HOUR);
    let keys = Keyward::builder(MemoryStore::with_clock(store_clock))
        .format(format())
        .clock(node_clock);
    let keys = keys.start().await.unwrap();
    let new = keyward_core::NewKey::named("ci").tenant("acme");
    let old = keys.issue(new).await.unwrap();
    let credential = old.secret.expose().as_bytes();
    assert!(keys.verifier().verify(credential).await.is_ok());
    let new = keys.rotate(&old.key.id).await.unwrap();
    let denied = keys.verifier().verify(credential).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::Retired);
    // And what takes its place ends the rest of an overlap in the same way.
    let next = keys.rotate(&new.key.id).overlap(HOUR).await.unwrap();
    keys.rotate(&next.key.id).overlap(HOUR).await.unwrap();
    let credential = new.secret.expose().as_bytes();
    let denied = keys.verifier().verify(credential).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::Retired);
}

#[tokio::test]
async fn a_use_is_late_in_the_second_half_of_an_overlap() {
    let service = Service::start().await;
    let old = service.issue().await;
    service
        .keys
        .rotate(&old.key.id)
        .overlap(HOUR)
        .await
        .unwrap();
    let lines = async || {
        tokio::time::sleep(MOMENT).await;
        let lines = AuditQuery::key(&old.key.id);
        let lines = service.keys.audit(&lines).await.unwrap();
        let late =
            |action| action == AuditAction::UsedLate || action == AuditAction::UsedWhenRetired;
        let late = lines.iter().filter(|line| late(line.record.action));
        late.map(|line| line.record.action).collect::<Vec<_>>()
    };
    assert_eq!(service.kind(&old).await, ACCEPTED);
    service.clock.advance(HOUR / 2 - NANO);
    assert_eq!(service.kind(&old).await, ACCEPTED);
    assert_eq!(lines().await, []);
    service.clock.advance(Duration::from_secs(1));
    for _again in 0..3 {
        assert_eq!(service.kind(&old).await, ACCEPTED);
        service.clock.advance(Duration::from_secs(60));
    }
    assert_eq!(lines().await, [AuditAction::UsedLate]);
    service.clock.advance(HOUR / 2);
    for _again in 0..3 {
        assert_eq!(service.kind(&old).await, REFUSED);
    }
    let both = [AuditAction::UsedLate, AuditAction::UsedWhenRetired];
    assert_eq!(lines().await, both);
    // A day later it is worth another line.
    service.clock.advance(25 * HOUR);
    assert_eq!(service.kind(&old).await, REFUSED);
    assert_eq!(lines().await.len(), 3);
}

async fn reason(service: &Service, key: &Issued) -> Option<Reason> {
    service
        .verify(key)
        .await
        .err()
        .map(|denied| denied.reason())
}
