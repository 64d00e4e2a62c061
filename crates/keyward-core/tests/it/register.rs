//! Beats and rows: how a node is known to the others, and what it believes without them.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Keyward, NewKey, Reason, StartError};
use keyward_memory::MemoryStore;
use keyward_store::{KeyStore, RegisteredNode};
use keyward_testkit::{Call, Clock, Fault, FaultStore};

use crate::coherence::eventually;
use crate::support::{ACCEPTED, MOMENT, Service, UNAVAILABLE, format};

const LEASE: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
const OFTEN: Duration = Duration::from_millis(20);

async fn rows(store: &impl KeyStore) -> Vec<RegisteredNode> {
    store.register().nodes().await.unwrap()
}

/// Strikes out the only node, which must not beat meanwhile.
async fn strike(service: &Service) {
    let row = rows(&*service.store).await.remove(0);
    let register = service.store.register();
    assert!(register.strike(&row.node.id, row.beat).await.unwrap());
}

#[tokio::test]
async fn a_node_is_on_the_register_from_its_start_to_its_shutdown() {
    let service = Service::with(|builder| builder.node_name("api-7").lease(LEASE * 2)).await;
    let row = rows(&*service.store).await.remove(0).node;
    assert_eq!((&*row.name, row.lease), ("api-7", LEASE * 2));
    service.keys.shutdown().await;
    assert_eq!(rows(&*service.store).await, []);
    service.keys.shutdown().await;
}

#[tokio::test]
async fn a_node_without_a_name_has_that_of_its_process() {
    let service = Service::start().await;
    let name = rows(&*service.store).await.remove(0).node.name;
    let (host, process) = name.split_once('/').unwrap();
    assert!(!host.is_empty());
    assert_eq!(process, std::process::id().to_string());
}

/// The register may be away, or stuck, when a service ends.
#[tokio::test]
async fn a_shutdown_does_not_wait_long_for_the_register() {
    for fault in [Fault::Fail, Fault::Hang, Fault::Panic] {
        let service = Service::start().await;
        service.faults.always(Call::Strike, fault);
        let before = std::time::SystemTime::now();
        service.keys.shutdown().await;
        assert!(before.elapsed().unwrap() < SECOND * 2);
    }
}

#[tokio::test]
async fn a_service_that_cannot_beat_does_not_start() {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    faults.once(Call::Beat, Fault::Fail);
    let start = Keyward::builder(store).format(format()).start();
    assert!(matches!(start.await, Err(StartError::Store(_))));
}

#[tokio::test]
async fn a_service_that_does_not_start_leaves_no_row() {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    let store = Arc::new(store);
    faults.once(Call::Changes, Fault::Fail);
    let start = Keyward::builder(store.clone()).format(format()).start();
    assert!(matches!(start.await, Err(StartError::Store(_))));
    assert_eq!(faults.calls(Call::Beat), 1);
    assert_eq!(rows(&*store).await, []);
}

#[tokio::test]
async fn what_was_applied_is_told_without_waiting_for_a_beat() {
    let service = Service::with(|builder| builder.poll_interval(SECOND * 4)).await;
    let told = async || rows(&*service.store).await.remove(0).node.applied;
    eventually(async || told().await.is_some()).await;
    let before = rows(&*service.store).await.remove(0).beat;
    let first = told().await;
    service.issue().await;
    eventually(async || told().await != first).await;
    let (now, first) = (told().await.unwrap(), first.unwrap());
    assert!(now.includes(&first) && !first.includes(&now));
    assert_eq!(rows(&*service.store).await.remove(0).beat, before);
}

/// A hundred changes are not a hundred words to the register, and the last of them is told.
#[tokio::test]
async fn a_stream_of_changes_is_told_in_few_words() {
    let service = Service::with(|builder| builder.poll_interval(SECOND * 4)).await;
    for _ in 0..100 {
        service.issue().await;
    }
    let told = async || rows(&*service.store).await.remove(0).node.applied;
    eventually(async || told().await.is_some_and(|applied| applied.number == 100)).await;
    tokio::time::sleep(MOMENT).await;
    let words = service.faults.calls(Call::Applied);
    assert!((1..100).contains(&words), "{words}");
}

/// Others may have struck it out by then, and have called what it knows over.
#[tokio::test]
async fn a_node_whose_beats_fail_stops_believing_though_it_polls() {
    for fault in [Fault::Fail, Fault::FailAfter, Fault::Panic] {
        let service = Service::with(|builder| builder.poll_interval(OFTEN)).await;
        let key = service.issue().await;
        assert_eq!(service.kind(&key).await, ACCEPTED);
        service.faults.always(Call::Beat, fault);
        // A beat that is under way may still end well.
        tokio::time::sleep(MOMENT).await;
        for _ in 0..4 {
            service.clock.advance(SECOND);
            tokio::time::sleep(MOMENT).await;
            assert_eq!(service.kind(&key).await, ACCEPTED);
        }
        service.clock.advance(SECOND);
        let denied = service.verify(&key).await.unwrap_err();
        assert_eq!(denied.reason(), Reason::CutOff);
        tokio::time::sleep(MOMENT).await;
        assert_eq!(service.kind(&key).await, UNAVAILABLE);
        service.faults.heal(Call::Beat);
        eventually(async || service.kind(&key).await == ACCEPTED).await;
    }
}

/// An answer that was long on its way says nothing of the time it spent there.
#[tokio::test]
async fn contact_counts_from_when_the_beat_was_sent() {
    let service = Service::with(|builder| builder.poll_interval(OFTEN)).await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let beat = service.faults.hold(Call::Beat);
    beat.reached(1).await;
    service.faults.always(Call::Beat, Fault::Fail);
    service.clock.advance(LEASE);
    beat.open();
    tokio::time::sleep(MOMENT).await;
    assert_eq!(service.kind(&key).await, UNAVAILABLE);
}

#[tokio::test]
async fn a_node_whose_polls_fail_goes_on_by_the_age_of_its_look_ups() {
    let service = Service::start().await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.faults.always(Call::Changes, Fault::Fail);
    tokio::time::sleep(MOMENT).await;
    for _ in 0..5 {
        let loads = service.faults.calls(Call::Load);
        service.clock.advance(LEASE);
        assert_eq!(service.kind(&key).await, ACCEPTED);
        assert_eq!(service.kind(&key).await, ACCEPTED);
        assert_eq!(service.faults.calls(Call::Load), loads + 1);
    }
}

/// After SIGCONT, say: neither a beat nor a poll is due yet, and others may have struck it out.
#[tokio::test]
async fn the_first_request_after_a_long_stop_gets_its_answer() {
    for struck in [false, true] {
        let service = Service::with(|builder| builder.poll_interval(SECOND * 4)).await;
        let key = service.issue().await;
        assert_eq!(service.kind(&key).await, ACCEPTED);
        service.clock.advance(SECOND * 3_600);
        if struck {
            strike(&service).await;
        }
        let beats = service.faults.calls(Call::Beat);
        assert_eq!(service.kind(&key).await, ACCEPTED);
        assert_eq!(service.faults.calls(Call::Beat), beats + 1);
    }
}

/// In the new row no poll vouches for anything yet: one is sent at once.
#[tokio::test]
async fn a_struck_node_has_its_lease_back_long_before_the_next_poll_is_due() {
    let service = Service::with(|builder| builder.poll_interval(SECOND * 4)).await;
    let key = service.issue().await;
    service.clock.advance(LEASE);
    strike(&service).await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let leased = eventually(async || service.keys.health().is_serving());
    assert!(tokio::time::timeout(SECOND, leased).await.is_ok());
}

/// A thousand requests that find the node without contact wait for one beat or two, not for one each.
#[tokio::test]
async fn requests_without_contact_share_a_beat() {
    let service = Arc::new(Service::with(|builder| builder.poll_interval(SECOND * 4)).await);
    let mut keys = Vec::new();
    for _ in 0..100 {
        keys.push(service.issue().await);
    }
    let beats = service.faults.calls(Call::Beat);
    service.clock.advance(LEASE);
    let mut tasks = tokio::task::JoinSet::new();
    for key in keys {
        let service = service.clone();
        tasks.spawn(async move { service.kind(&key).await });
    }
    while let Some(kind) = tasks.join_next().await {
        assert_eq!(kind.unwrap(), ACCEPTED);
    }
    assert!(service.faults.calls(Call::Beat) <= beats + 2);
}

/// A poll and a look-up are on their way while the node is struck out and begins anew. What they bring
/// is of a time that others have called over.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_asked_for_before_a_new_row_vouches_for_nothing() {
    let service = Service::with(|builder| {
        let builder = builder.poll_interval(OFTEN).poll_limit(SECOND * 10);
        builder.load_limit(SECOND * 4)
    })
    .await;
    let service = Arc::new(service);
    let (cached, other) = (service.issue().await, Arc::new(service.issue().await));
    assert_eq!(service.kind(&cached).await, ACCEPTED);
    service.faults.always(Call::Beat, Fault::Fail);
    tokio::time::sleep(MOMENT).await;
    service.clock.advance(SECOND * 4);
    let (poll, load) = (
        service.faults.hold(Call::Changes),
        service.faults.hold(Call::Load),
    );
    let on_its_way = tokio::spawn({
        let (service, other) = (service.clone(), other.clone());
        async move { service.kind(&other).await }
    });
    poll.reached(1).await;
    load.reached(1).await;
    service.clock.advance(SECOND);
    strike(&service).await;
    service.faults.heal(Call::Beat);
    eventually(async || !rows(&*service.store).await.is_empty()).await;
    service.faults.always(Call::Changes, Fault::Fail);
    service.faults.always(Call::Load, Fault::Fail);
    let polls = service.faults.calls(Call::Changes);
    poll.open();
    load.open();
    assert_eq!(on_its_way.await.unwrap(), UNAVAILABLE);
    eventually(async || service.faults.calls(Call::Changes) > polls).await;
    assert_eq!(service.kind(&cached).await, UNAVAILABLE);
    assert_eq!(service.kind(&other).await, UNAVAILABLE);
    service.faults.heal(Call::Changes);
    service.faults.heal(Call::Load);
    eventually(async || service.kind(&cached).await == ACCEPTED).await;
}

/// The answer to the beat that made the new row is lost, so the next one finds the row in its place.
#[tokio::test]
async fn a_new_row_is_noticed_although_the_beat_that_made_it_was_lost() {
    let service = Service::with(|builder| builder.poll_interval(OFTEN)).await;
    let key = service.issue().await;
    assert_eq!(service.kind(&key).await, ACCEPTED);
    service.faults.always(Call::Beat, Fault::Fail);
    tokio::time::sleep(MOMENT).await;
    service.clock.advance(LEASE - SECOND);
    // The last poll that is applied, long after the last beat.
    let polls = service.faults.calls(Call::Changes);
    eventually(async || service.faults.calls(Call::Changes) > polls + 1).await;
    service.faults.always(Call::Changes, Fault::Fail);
    service.faults.always(Call::Load, Fault::Fail);
    tokio::time::sleep(MOMENT).await;
    service.clock.advance(SECOND);
    strike(&service).await;
    service.faults.heal(Call::Beat);
    service.faults.once(Call::Beat, Fault::FailAfter);
    let beats = service.faults.calls(Call::Beat);
    eventually(async || service.faults.calls(Call::Beat) > beats + 2).await;
    assert_eq!(service.kind(&key).await, UNAVAILABLE);
}

#[tokio::test]
async fn a_node_that_was_gone_for_a_minute_beyond_its_lease_is_struck_out_in_passing() {
    let (clock, hand) = Clock::manual();
    let store = Arc::new(MemoryStore::with_clock(clock.clone()));
    let (through, faults) = FaultStore::new(store.clone());
    let here = Keyward::builder(through).poll_interval(OFTEN);
    let here = here.clock(clock.clone()).format(format());
    let _here = here.start().await.unwrap();
    let gone = Keyward::builder(store.clone()).clock(clock);
    drop(gone.format(format()).start().await.unwrap());
    let two_beats = async || {
        let beats = faults.calls(Call::Beat);
        eventually(async || faults.calls(Call::Beat) > beats + 2).await;
    };
    two_beats().await;
    hand.advance(LEASE + SECOND * 60);
    two_beats().await;
    assert_eq!(rows(&*store).await.len(), 2);
    hand.advance(SECOND);
    eventually(async || rows(&*store).await.len() == 1).await;
}

#[tokio::test]
async fn a_service_over_a_table_that_others_write_says_how_long_it_believes_that() {
    let age = SECOND * 60;
    let log = keyward_store::LocalLog::max_age(MemoryStore::default(), age);
    let log = Arc::new(log);
    let builder = Keyward::builder(log.clone()).format(format());
    let keys = builder.start().await.unwrap();
    assert_eq!(rows(&*log).await.remove(0).node.lease, age);
    let new = NewKey::named("a").tenant("t");
    let watch = keyward_testkit::LeakWatch::start();
    watch.issued(&keys.issue(new).await.unwrap());
}
