//! Expiry, last use, and the clocks they go by.

use std::time::{Duration, SystemTime};

use keyward_core::{NewKey, Reason};
use keyward_testkit::{Call, Fault};

use crate::coherence::eventually;
use crate::support::{ACCEPTED, REFUSED, Service};

const NANO: Duration = Duration::from_nanos(1);
const MICRO: Duration = Duration::from_micros(1);
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_cached_key_expires_to_the_nanosecond() {
    let service = Service::start().await;
    let new = NewKey::named("a").tenant("t").expires_in(HOUR);
    let key = service.issue_as(new).await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.clock.advance(HOUR - NANO);
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let loads = service.faults.calls(Call::Load);
    service.clock.advance(NANO);
    assert_eq!(
        service.verify(&key).await.unwrap_err().reason(),
        Reason::Expired
    );
    assert_eq!(
        service.faults.calls(Call::Load),
        loads,
        "no store is needed to see that"
    );
}

#[tokio::test]
async fn a_store_clock_that_is_set_back_revives_nothing() {
    let service = Service::start().await;
    let new = |after| NewKey::named("a").tenant("t").expires_in(after);
    let key = service.issue_as(new(HOUR)).await;
    let longer = service.issue_as(new(HOUR * 3)).await;
    service.clock.advance(HOUR);
    assert_eq!(service.kind(&key).await, REFUSED);
    service.clock.set_wall(service.clock.wall() - HOUR / 2);
    // Everything is read anew, with the store's present time.
    service.keys.tenant("t").suspend().await.unwrap();
    service.keys.tenant("t").resume().await.unwrap();
    assert_eq!(service.kind(&key).await, REFUSED);
    assert_eq!(service.kind(&longer).await, ACCEPTED);
}

#[tokio::test]
async fn a_wall_clock_that_jumps_moves_no_cached_expiry_and_no_lease() {
    let service = Service::start().await;
    let key = service
        .issue_as(NewKey::named("a").tenant("t").expires_in(HOUR))
        .await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let loads = service.faults.calls(Call::Load);
    let day = HOUR * 24;
    for to in [service.clock.wall() + day, service.clock.wall() - day] {
        service.clock.set_wall(to);
        assert_eq!(service.kind(&key).await, ACCEPTED);
    }
    assert_eq!(service.faults.calls(Call::Load), loads);
}

#[tokio::test]
async fn expiries_that_cannot_be_are_refused_at_issue() {
    let service = Service::start().await;
    let issue = async |new: NewKey| service.keys.issue(new.tenant("t")).await.map(|_| ());
    let now = service.clock.wall();
    let at = |time| NewKey::named("a").expires_at(time);
    use keyward_core::Invalid::{ExpiryInPast, ExpiryTooFar};
    use keyward_core::IssueError::Invalid;
    for past in [now, now - NANO, SystemTime::UNIX_EPOCH] {
        assert!(matches!(issue(at(past)).await, Err(Invalid(ExpiryInPast))));
    }
    let year_10000 = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_800);
    assert!(matches!(
        issue(at(year_10000)).await,
        Err(Invalid(ExpiryTooFar))
    ));
    let never = NewKey::named("a").expires_in(Duration::MAX);
    assert!(matches!(issue(never).await, Err(Invalid(ExpiryTooFar))));
    // Stores keep microseconds, and what is cut off is never given.
    let almost = MICRO - NANO;
    assert!(matches!(
        issue(at(now + almost)).await,
        Err(Invalid(ExpiryInPast))
    ));
    issue(at(now + MICRO)).await.unwrap();
}

#[tokio::test]
async fn times_are_whole_microseconds_and_an_expiry_is_never_later_than_asked() {
    let service = Service::start().await;
    service.clock.advance(MICRO * 7 + NANO * 999);
    let now = service.clock.wall() - NANO * 999;
    let new = NewKey::named("a").tenant("t");
    let asked = now + HOUR + MICRO + NANO * 999;
    let key = service.issue_as(new.clone().expires_at(asked)).await.key;
    assert_eq!(key.created_at, now);
    assert_eq!(key.expires_at, Some(now + HOUR + MICRO));
    let new = new.expires_in(MICRO * 2 + NANO);
    assert_eq!(
        service.issue_as(new).await.key.expires_at,
        Some(now + MICRO * 2)
    );
    service.keys.revoke(&key.id).await.unwrap();
    let kept = service.keys.get(&key.id).await.unwrap().unwrap().record;
    assert_eq!(kept.revoked_at, Some(now));
    let lines = service.keys.audit(&Default::default()).await.unwrap();
    assert!(lines.iter().all(|line| line.record.at == now));
}

#[tokio::test]
async fn a_use_shows_within_two_seconds_also_on_a_hit() {
    let service = Service::start().await;
    let key = service.issue().await;
    let last_used = async || {
        let found = service.keys.get(&key.key.id).await.unwrap().unwrap();
        found.last_used_at
    };
    assert_eq!(last_used().await, None);
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let first = service.clock.wall();
    eventually(async || last_used().await == Some(first)).await;
    service.clock.advance(Duration::from_secs(90));
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let second = first + Duration::from_secs(90);
    eventually(async || last_used().await == Some(second)).await;
}

#[tokio::test]
async fn a_shutdown_writes_the_last_uses_down_in_one_batch() {
    let service = Service::with(|builder| builder.flush_interval(HOUR)).await;
    let mut keys = Vec::new();
    for _ in 0..20 {
        keys.push(service.issue().await);
    }
    // The first flush comes at once, before anything was used.
    tokio::time::sleep(crate::support::MOMENT).await;
    for key in &keys {
        assert_eq!(service.kind(key).await, ACCEPTED);
    }
    assert_eq!(service.faults.calls(Call::Touch), 0);
    service.keys.shutdown().await;
    assert_eq!(service.faults.calls(Call::Touch), 1);
    for key in &keys {
        let found = service.keys.get(&key.key.id).await.unwrap().unwrap();
        assert!(found.last_used_at.is_some());
    }
}

/// The flusher is in the middle of a batch when the service ends.
#[tokio::test]
async fn a_shutdown_loses_no_batch_that_is_on_its_way() {
    let interval = std::time::Duration::from_millis(10);
    let service = Service::with(|builder| builder.flush_interval(interval)).await;
    let key = service.issue().await;
    service.faults.once(Call::Touch, Fault::Hang);
    assert_eq!(service.kind(&key).await, ACCEPTED);
    while service.faults.running(Call::Touch) == 0 {
        tokio::time::sleep(interval).await;
    }
    service.keys.shutdown().await;
    let found = service.keys.get(&key.key.id).await.unwrap().unwrap();
    assert!(found.last_used_at.is_some());
}
