//! The promise, on one node and on two, whatever the store does.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{DeniedKind, Keyward, Reason};
use keyward_memory::MemoryStore;
use keyward_store::{LocalLog, Scope};
use keyward_testkit::{Call, Clock, Fault, FaultStore, LeakWatch};

use crate::support::{ACCEPTED, MOMENT, REFUSED, Service, UNAVAILABLE, format};

/// A load has read the row, the revocation commits and returns, the load ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_load_in_flight_does_not_outlive_a_revocation() {
    let service = Arc::new(Service::start().await);
    let key = Arc::new(service.issue().await);
    let gate = service.faults.hold(Call::Load);
    let early = tokio::spawn({
        let (service, key) = (service.clone(), key.clone());
        async move { service.kind(&key).await }
    });
    gate.reached(1).await;
    service.keys.revoke(&key.key.id).await.unwrap();
    // One that starts after the return, and joins the load from before it.
    let late = tokio::spawn({
        let (service, key) = (service.clone(), key.clone());
        async move { service.kind(&key).await }
    });
    tokio::time::sleep(MOMENT).await;
    gate.open();
    assert_eq!(late.await.unwrap(), REFUSED);
    assert_eq!(
        early.await.unwrap(),
        REFUSED,
        "its own answer is out of date as well"
    );
    assert_eq!(service.kind(&key).await, REFUSED);
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once_and_without_asking_twice() {
    let service = Service::start().await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.keys.revoke(&key.key.id).await.unwrap();
    let loads = service.faults.calls(Call::Load);
    for _ in 0..10 {
        assert_eq!(
            service.verify(&key).await.unwrap_err().reason(),
            Reason::Revoked
        );
    }
    assert_eq!(service.faults.calls(Call::Load), loads + 1);
}

/// The store is slow to tell of changes, and never hints: the revocation waits for it.
#[tokio::test]
async fn a_revocation_does_not_return_before_it_has_taken_hold() {
    let service = Service::start().await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.faults.always(Call::Changes, Fault::Delay(MOMENT));
    service.keys.revoke(&key.key.id).await.unwrap();
    assert_eq!(service.kind(&key).await, REFUSED);
}

/// A poll that was sent before the commit cannot tell of it, whenever it is answered.
#[tokio::test]
async fn a_revocation_waits_for_a_poll_that_was_sent_after_it() {
    let service = Service::start().await;
    let key = Arc::new(service.issue().await);
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let early = service.faults.hold(Call::Changes);
    early.reached(1).await;
    service.faults.always(Call::Changes, Fault::Delay(MOMENT));
    let keys = service.keys.clone();
    let id = key.key.id.clone();
    let revoking = tokio::spawn(async move { keys.revoke(&id).await });
    tokio::time::sleep(MOMENT).await;
    early.open();
    revoking.await.unwrap().unwrap();
    assert_eq!(service.kind(&key).await, REFUSED);
}

/// An answer that was long on its way says nothing of the time it spent there.
#[tokio::test]
async fn a_lease_counts_from_when_the_poll_was_sent() {
    let service = Service::start().await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let poll = service.faults.hold(Call::Changes);
    poll.reached(1).await;
    service.faults.always(Call::Changes, Fault::Hang);
    service.faults.always(Call::Load, Fault::Fail);
    service.clock.advance(Duration::from_secs(5));
    poll.open();
    tokio::time::sleep(MOMENT).await;
    assert_eq!(service.kind(&key).await, UNAVAILABLE);
}

#[tokio::test]
async fn a_revocation_leaves_other_keys_in_the_cache() {
    let service = Service::start().await;
    let (one, other) = (service.issue().await, service.issue().await);
    assert_eq!(service.kind(&other).await, ACCEPTED);
    let loads = service.faults.calls(Call::Load);
    service.keys.revoke(&one.key.id).await.unwrap();
    assert_eq!(service.kind(&other).await, ACCEPTED);
    assert_eq!(service.faults.calls(Call::Load), loads);
}

#[tokio::test]
async fn cached_keys_work_until_the_lease_ends_and_then_nobody_is_called_bad() {
    let service = Service::start().await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.faults.always(Call::Load, Fault::Fail);
    service.faults.always(Call::Changes, Fault::Fail);
    // A poll that is under way may still end well.
    tokio::time::sleep(MOMENT).await;
    service.clock.advance(Duration::from_secs(4));
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.clock.advance(Duration::from_secs(1));
    assert_eq!(service.kind(&key).await, UNAVAILABLE);
    service.faults.heal(Call::Load);
    assert_eq!(
        service.kind(&key).await,
        ACCEPTED,
        "an answer lives by its own age too"
    );
    service.clock.advance(Duration::from_secs(5));
    service.faults.heal(Call::Changes);
    assert_eq!(service.kind(&key).await, ACCEPTED);
}

#[tokio::test]
async fn polls_heal_by_themselves() {
    let interval = Duration::from_millis(20);
    let service = Service::with(|builder| builder.poll_interval(interval)).await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    for fault in [Fault::Fail, Fault::Panic] {
        service.faults.times(5, Call::Changes, fault);
        tokio::time::sleep(MOMENT).await;
    }
    service.faults.always(Call::Load, Fault::Fail);
    for _ in 0..20 {
        service.clock.advance(Duration::from_secs(2));
        // Long enough for several polls, each of which extends the lease.
        tokio::time::sleep(MOMENT * 2).await;
        assert_eq!(service.kind(&key).await, ACCEPTED);
    }
}

#[tokio::test]
async fn a_key_that_was_unknown_is_accepted_once_it_exists() {
    let store = Arc::new(MemoryStore::default());
    let node = async || {
        let builder = Keyward::builder(store.clone()).format(format());
        builder.start().await.unwrap()
    };
    let (one, two) = (node().await, node().await);
    let issued = one
        .issue(keyward_core::NewKey::named("a").tenant("t"))
        .await
        .unwrap();
    let credential = issued.secret.expose().as_bytes();
    // A second store that lacks the key makes `three` remember its absence.
    let other = Arc::new(MemoryStore::default());
    let three = Keyward::builder(other.clone())
        .format(format())
        .start()
        .await
        .unwrap();
    assert!(three.verifier().verify(credential).await.is_err());
    let change = keyward_store::Change::new(std::time::SystemTime::now())
        .write(keyward_store::Write::Insert(issued.key.clone()));
    keyward_store::Records::commit(&*other, &change)
        .await
        .unwrap();
    eventually(async || three.verifier().verify(credential).await.is_ok()).await;
    assert!(two.verifier().verify(credential).await.is_ok());
}

#[tokio::test]
async fn another_node_on_the_same_store_follows() {
    let store = Arc::new(MemoryStore::default());
    let node = async || {
        let builder = Keyward::builder(store.clone()).format(format());
        builder.start().await.unwrap()
    };
    let (one, two) = (node().await, node().await);
    let read = Scope::from_static("a:read");
    let new = keyward_core::NewKey::named("a")
        .tenant("t")
        .scopes([read.clone()]);
    let watch = LeakWatch::start();
    let issued = one.issue(new).await.unwrap();
    watch.issued(&issued);
    let credential = issued.secret.expose().as_bytes();
    let verifier = two.verifier();
    let may_read = async || {
        let principal = verifier.verify(credential).await;
        principal.is_ok_and(|principal| principal.require(&read).is_ok())
    };
    assert!(may_read().await);
    one.tenant("t").ceiling(Some([].into())).await.unwrap();
    eventually(async || !may_read().await).await;
    one.tenant("t").ceiling(None).await.unwrap();
    eventually(may_read).await;
    one.revoke(&issued.key.id).await.unwrap();
    eventually(async || verifier.verify(credential).await.is_err()).await;
}

/// An unknown outcome is an error; the change is heeded although nobody promised it.
#[tokio::test]
async fn a_revocation_of_unknown_outcome_is_an_error_and_heeded() {
    let service = Service::start().await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.faults.once(Call::Commit, Fault::FailAfter);
    let error = service.keys.revoke(&key.key.id).await.unwrap_err();
    assert!(matches!(
        error,
        keyward_core::LifecycleError::Commit(keyward_store::CommitError::Unknown(_))
    ));
    eventually(async || service.kind(&key).await == REFUSED).await;
    service.keys.revoke(&key.key.id).await.unwrap();
}

#[tokio::test]
async fn a_revocation_goes_on_when_its_caller_goes_away() {
    let service = Service::start().await;
    let key = service.issue().await;
    let gate = service.faults.hold(Call::Commit);
    let revoking = tokio::spawn({
        let (keys, id) = (service.keys.clone(), key.key.id.clone());
        async move { keys.revoke(&id).await }
    });
    gate.reached(1).await;
    revoking.abort();
    gate.open();
    eventually(async || service.kind(&key).await == REFUSED).await;
}

/// Neither what is cached, nor what is on its way, nor what the store would still say.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_that_was_shut_down_believes_nothing() {
    let service = Arc::new(Service::start().await);
    let (cached, other) = (service.issue().await, Arc::new(service.issue().await));
    assert_eq!(service.kind(&cached).await, ACCEPTED);
    let gate = service.faults.hold(Call::Load);
    let on_its_way = tokio::spawn({
        let (service, other) = (service.clone(), other.clone());
        async move { service.kind(&other).await }
    });
    gate.reached(1).await;
    service.keys.shutdown().await;
    gate.open();
    assert_eq!(on_its_way.await.unwrap(), UNAVAILABLE);
    let before = std::time::SystemTime::now();
    for key in [&cached, &other] {
        let denied = service.verify(key).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::Unavailable);
        assert_eq!(denied.reason(), Reason::ShutDown);
    }
    assert!(
        before.elapsed().unwrap() < MOMENT,
        "nobody waits for a beat"
    );
}

/// A hint of what was known already does not make a node deaf to the next.
#[tokio::test]
async fn one_idle_hint_does_not_delay_the_next_news() {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    let store = Arc::new(store);
    let interval = Duration::from_secs(4);
    let node = async || {
        let builder = Keyward::builder(store.clone()).format(format());
        builder.poll_interval(interval).start().await.unwrap()
    };
    let (one, two) = (node().await, node().await);
    let watch = LeakWatch::start();
    let new = keyward_core::NewKey::named("a").tenant("t");
    let issued = one.issue(new.clone()).await.unwrap();
    watch.issued(&issued);
    let verifier = two.verifier();
    let accepted = async || {
        let credential = issued.secret.expose().as_bytes();
        verifier.verify(credential).await.is_ok()
    };
    eventually(accepted).await;
    // The next hint of each node is idle: it resolves at once.
    faults.times(2, Call::Hint, Fault::Fail);
    watch.issued(&one.issue(new).await.unwrap());
    tokio::time::sleep(MOMENT).await;
    let before = std::time::SystemTime::now();
    one.revoke(&issued.key.id).await.unwrap();
    eventually(async || !accepted().await).await;
    assert!(
        before.elapsed().unwrap() < interval / 2,
        "it waited for its own time to poll"
    );
}

/// Others write the table unseen: what was read is believed for as long as was said, and no longer.
/// What this process changes itself holds at once.
#[tokio::test]
async fn facts_of_an_unwatched_table_live_as_long_as_was_said() {
    let (clock, hand) = Clock::manual();
    let table = Arc::new(MemoryStore::with_clock(clock.clone()));
    let age = Duration::from_secs(60);
    let log = LocalLog::max_age(table.clone(), age).with_clock(clock.clone());
    let builder = Keyward::builder(log).format(format()).clock(clock);
    let keys = builder.start().await.unwrap();
    let verifier = keys.verifier();
    let new = || keyward_core::NewKey::named("a").tenant("t");
    let (elsewhere, here) = (
        keys.issue(new()).await.unwrap(),
        keys.issue(new()).await.unwrap(),
    );
    let accepted = async |key: &keyward_core::Issued| {
        verifier
            .verify(key.secret.expose().as_bytes())
            .await
            .is_ok()
    };
    assert!(accepted(&elsewhere).await && accepted(&here).await);

    let mut revoked = elsewhere.key.clone();
    revoked.revoked_at = Some(hand.wall());
    revoked.revision += 1;
    let write = keyward_store::Write::Replace {
        record: revoked,
        refound: false,
    };
    let change = keyward_store::Change::new(hand.wall()).write(write);
    keyward_store::Records::commit(&*table, &change)
        .await
        .unwrap();
    keys.revoke(&here.key.id).await.unwrap();
    assert!(!accepted(&here).await);

    hand.advance(age - Duration::from_nanos(1));
    assert!(accepted(&elsewhere).await);
    hand.advance(Duration::from_nanos(1));
    assert!(!accepted(&elsewhere).await);
}

/// A store may say that there could be news as often as it likes.
#[tokio::test]
async fn a_store_that_hints_for_ever_is_not_asked_for_ever() {
    let interval = Duration::from_millis(100);
    let service = Service::with(|builder| builder.poll_interval(interval)).await;
    // A hint that fails resolves at once.
    service.faults.always(Call::Hint, Fault::Fail);
    let before = service.faults.calls(Call::Changes);
    tokio::time::sleep(interval * 5).await;
    let polls = service.faults.calls(Call::Changes) - before;
    // Five while the pause doubles, then two in each interval; some ten per cent more or less.
    assert!((4..=20).contains(&polls), "{polls} polls in five intervals");
}

#[tokio::test]
async fn dropping_the_last_handle_stops_the_tasks() {
    let service = Service::with(|builder| builder.poll_interval(Duration::from_millis(5))).await;
    let faults = service.faults.clone();
    drop(service);
    tokio::time::sleep(MOMENT).await;
    let polls = faults.calls(Call::Changes);
    tokio::time::sleep(MOMENT).await;
    assert_eq!(faults.calls(Call::Changes), polls);
}

pub(crate) async fn eventually(mut holds: impl AsyncFnMut() -> bool) {
    for _ in 0..400 {
        if holds().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("it did not come to hold within four seconds");
}
