//! What a node says of itself.

use std::time::Duration;

use keyward_core::Keyward;
use keyward_memory::MemoryStore;
use keyward_store::{LocalLog, Records};
use keyward_testkit::{Call, Clock, Fault, FaultStore};

use crate::coherence::eventually;
use crate::support::{ACCEPTED, Service, format};

const SECOND: Duration = Duration::from_secs(1);
const OFTEN: Duration = Duration::from_millis(20);

#[tokio::test]
async fn a_healthy_node_says_so() {
    let service = Service::with(|builder| builder.poll_interval(SECOND * 4)).await;
    let health = service.keys.health();
    assert_eq!(health.lease_left, SECOND * 5);
    assert_eq!(health.lease_age, Some(Duration::ZERO));
    assert!(health.hints && health.is_serving());
    assert_eq!(health.behind, 0);
    assert_eq!(service.verifier.health(), health);
}

#[tokio::test]
async fn a_node_that_hears_nothing_serves_until_its_lease_ends() {
    let service = Service::with(|builder| builder.poll_interval(OFTEN)).await;
    let health = || service.keys.health();
    service.faults.always(Call::Changes, Fault::Fail);
    eventually(async || !health().hints).await;
    service.clock.advance(SECOND * 2);
    assert_eq!(health().lease_left, SECOND * 3);
    assert_eq!(health().lease_age, Some(SECOND * 2));
    assert!(health().is_serving());
    service.clock.advance(SECOND * 3);
    assert_eq!(health().lease_left, Duration::ZERO);
    assert_eq!(health().lease_age, Some(SECOND * 5));
    assert!(!health().is_serving());
    service.faults.heal(Call::Changes);
    eventually(async || health().is_serving() && health().hints).await;
    assert_eq!(health().lease_age, Some(Duration::ZERO));
}

#[tokio::test]
async fn a_node_that_cannot_beat_stops_serving() {
    let service = Service::with(|builder| builder.poll_interval(OFTEN)).await;
    service.faults.always(Call::Beat, Fault::Fail);
    service.clock.advance(SECOND * 5);
    eventually(async || service.keys.health().lease_age == Some(Duration::ZERO)).await;
    assert!(!service.keys.health().is_serving());
    service.faults.heal(Call::Beat);
    eventually(async || service.keys.health().is_serving()).await;
}

#[tokio::test]
async fn a_node_that_was_shut_down_does_not_serve() {
    let service = Service::start().await;
    service.keys.shutdown().await;
    let health = service.keys.health();
    assert!(!health.is_serving());
    assert_eq!(health.lease_left, Duration::ZERO);
}

#[tokio::test]
async fn a_node_knows_by_its_look_ups_how_far_behind_it_is() {
    let service = Service::with(|builder| builder.poll_interval(OFTEN)).await;
    let key = service.issue().await;
    service.faults.always(Call::Changes, Fault::Fail);
    for n in 0..3 {
        let hash = keyward_store::Digest::sha256(&[n]);
        let hash = keyward_store::KeyHash::Sha256(hash);
        let record = keyward_store::KeyRecord::new(i64::from(n).into(), "t", hash);
        let change = keyward_store::Change::new(service.clock.wall());
        let change = change.write(keyward_store::Write::Insert(record));
        service.store.get_ref().commit(&change).await.unwrap();
    }
    assert_eq!(service.keys.health().behind, 0);
    assert_eq!(service.kind(&key).await, ACCEPTED);
    assert_eq!(service.keys.health().behind, 3);
    service.faults.heal(Call::Changes);
    eventually(async || service.keys.health().behind == 0).await;
}

/// There is no lease over a table that others write unseen, and keys are accepted all the same.
#[tokio::test]
async fn a_node_over_a_table_that_others_write_serves_while_it_hears_of_its_own_process() {
    let (clock, hand) = Clock::manual();
    let log = LocalLog::max_age(MemoryStore::default(), SECOND * 60);
    let (store, faults) = FaultStore::new(log);
    let builder = Keyward::builder(store).format(format()).clock(clock);
    let keys = builder.poll_interval(OFTEN).start().await.unwrap();
    assert!(keys.health().is_serving());
    assert_eq!(keys.health().lease_left, Duration::ZERO);
    faults.always(Call::Changes, Fault::Fail);
    eventually(async || !keys.health().hints).await;
    hand.advance(SECOND * 4);
    assert!(keys.health().is_serving());
    hand.advance(SECOND);
    assert!(!keys.health().is_serving());
    faults.heal(Call::Changes);
    eventually(async || keys.health().is_serving()).await;
    keys.shutdown().await;
    assert!(!keys.health().is_serving());
}
