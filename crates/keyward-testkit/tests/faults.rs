//! The fault-injecting store does what it is told.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyward_memory::MemoryStore;
use keyward_store::{
    Change, CommitError, Cursor, Digest, KeyHash, KeyId, KeyRecord, KeyStore, Lookup, Origin,
    ReadFrom, Records, Selector, Write,
};
use keyward_testkit::{Call, Fault, FaultStore, Faults};
use tokio::time::timeout;

type Store = Arc<FaultStore<MemoryStore>>;

fn store() -> (Store, Faults) {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    (Arc::new(store), faults)
}

fn insert(n: i64) -> Change {
    let hash = KeyHash::Sha256(Digest::sha256(&n.to_be_bytes()));
    let record = KeyRecord::new(KeyId::from(n), "acme-inc", hash);
    Change::new(SystemTime::UNIX_EPOCH).write(Write::Insert(record))
}

fn by(n: i64) -> Selector {
    Selector::Key(KeyId::from(n))
}

async fn is_there(store: &Store, n: i64) -> bool {
    let found = store.get_ref().find(&by(n)).await;
    found.is_ok_and(|found| !found.is_empty())
}

#[tokio::test]
async fn faults_come_in_the_order_asked_for_and_end() {
    let (store, faults) = store();
    faults.once(Call::Find, Fault::Fail);
    faults.times(2, Call::Find, Fault::FailAfter);
    faults.times(0, Call::Find, Fault::Hang);
    for failed in [true, true, true, false, false] {
        assert_eq!(store.find(&by(1)).await.is_err(), failed);
    }
    faults.always(Call::Find, Fault::Fail);
    for _call in 0..5 {
        assert!(store.find(&by(1)).await.is_err());
    }
    faults.heal(Call::Find);
    assert!(store.find(&by(1)).await.is_ok());
    assert_eq!(faults.calls(Call::Find), 11);
    assert_eq!(faults.calls(Call::Load), 0);
}

#[tokio::test]
async fn a_commit_that_fails_says_whether_it_was_made() {
    let (store, faults) = store();
    faults.once(Call::Commit, Fault::Fail);
    faults.once(Call::Commit, Fault::FailAfter);
    let refused = store.commit(&insert(1)).await;
    assert!(matches!(refused, Err(CommitError::NotCommitted(_))));
    assert!(!is_there(&store, 1).await);
    let unknown = store.commit(&insert(2)).await;
    assert!(matches!(unknown, Err(CommitError::Unknown(_))));
    assert!(is_there(&store, 2).await);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_hangs_has_or_has_not_done_its_work() {
    let (store, faults) = store();
    let long = Duration::from_secs(3600);
    for (n, fault) in [(1, Fault::Hang), (2, Fault::HangAfter)] {
        faults.once(Call::Commit, fault);
        assert!(timeout(long, store.commit(&insert(n))).await.is_err());
        assert_eq!(is_there(&store, n).await, n == 2);
    }
    assert_eq!(faults.running(Call::Commit), 0, "they were dropped");
}

#[tokio::test(start_paused = true)]
async fn a_delayed_call_answers_late() {
    let (store, faults) = store();
    let delay = Duration::from_secs(3);
    faults.once(Call::Changes, Fault::Delay(delay));
    let origin = Cursor::origin();
    let mut call = store.changes(&origin);
    let early = timeout(delay - Duration::from_millis(1), &mut call).await;
    assert!(early.is_err());
    assert!(call.await.is_ok());
}

#[tokio::test]
async fn a_call_panics_when_told_to() {
    let (store, faults) = store();
    faults.once(Call::Touch, Fault::Panic);
    let panicking = tokio::spawn({
        let store = store.clone();
        async move { store.touch(&[]).await }
    });
    assert!(panicking.await.is_err_and(|error| error.is_panic()));
    assert!(store.touch(&[]).await.is_ok());
    assert_eq!(faults.running(Call::Touch), 0);
}

#[tokio::test]
async fn a_gate_holds_answers_that_have_been_read() {
    let (store, faults) = store();
    let gate = faults.hold(Call::Find);
    let held = tokio::spawn({
        let store = store.clone();
        async move { store.find(&by(1)).await.unwrap() }
    });
    gate.reached(1).await;
    store.commit(&insert(1)).await.unwrap();
    assert_eq!(faults.running(Call::Find), 1);
    gate.open();
    assert_eq!(held.await.unwrap(), [], "it was read before the change");
    assert_eq!(store.find(&by(1)).await.unwrap().len(), 1);
    assert_eq!(faults.peak(Call::Find), 1);
}

#[tokio::test]
async fn a_frozen_selector_is_answered_as_by_a_replica() {
    let (store, _faults) = store();
    store.freeze(&by(1)).await.unwrap();
    store.commit(&insert(1)).await.unwrap();
    let stale = store.load(&by(1), ReadFrom::Any).await.unwrap();
    assert_eq!((stale.found.len(), stale.origin), (0, Origin::Replica));
    let fresh = store.load(&by(1), ReadFrom::Primary).await.unwrap();
    assert_eq!((fresh.found.len(), fresh.origin), (1, Origin::Primary));
    assert!(stale.number < fresh.number);
    store.thaw(&by(1));
    let fresh = store.load(&by(1), ReadFrom::Any).await.unwrap();
    assert_eq!(fresh.found.len(), 1);
}

#[tokio::test]
async fn a_hint_that_fails_wakes_for_nothing() {
    let (store, faults) = store();
    let end = store.changes(&Cursor::origin()).await.unwrap().cursor;
    let moment = Duration::from_millis(20);
    assert!(timeout(moment, store.hint(&end)).await.is_err());
    faults.once(Call::Hint, Fault::Fail);
    assert!(timeout(moment, store.hint(&end)).await.is_ok());
}
