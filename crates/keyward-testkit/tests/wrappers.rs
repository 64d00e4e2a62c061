//! A store in a wrapper is still a store; and what `LocalLog` does when a call is overtaken,
//! dropped or of unknown outcome, which no store in memory is slow enough to show.
#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::sync::Arc;
use std::time::SystemTime;

use keyward_memory::MemoryStore;
use keyward_store::{
    Change, Cursor, Digest, Event, EventSubject, Feed, KeyHash, KeyId, KeyRecord, KeyStore,
    LocalLog, ReadFrom, Records, Selector, Write,
};
use keyward_testkit::{Call, Fault, FaultStore, Faults};

keyward_testkit::contract_tests!(Arc::new(wrapped()));
keyward_testkit::hint_contract_tests!(Arc::new(wrapped()));

fn wrapped() -> FaultStore<LocalLog<MemoryStore>> {
    FaultStore::new(LocalLog::sole_writer(MemoryStore::default())).0
}

type Log = Arc<LocalLog<FaultStore<MemoryStore>>>;

/// The faults are behind the log.
fn log() -> (Log, Faults) {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    (Arc::new(LocalLog::sole_writer(store)), faults)
}

fn insert() -> Change {
    let hash = KeyHash::Sha256(Digest::sha256(b"a credential"));
    let record = KeyRecord::new(KeyId::from(1), "acme-inc", hash);
    Change::new(SystemTime::UNIX_EPOCH).write(Write::Insert(record))
}

async fn end(log: &Log) -> Cursor {
    log.changes(&Cursor::origin()).await.unwrap().cursor
}

/// Whether the only change since then is told.
async fn is_told(log: &Log, since: &Cursor) -> bool {
    let feed = log.changes(since).await.unwrap().feed;
    let Feed::Events(events) = feed else {
        panic!("the history changed");
    };
    let key = |event: &Event| matches!(&event.subject, EventSubject::Key { .. });
    assert!(events.len() <= 1, "{events:?}");
    events.iter().any(key)
}

#[tokio::test]
async fn a_load_that_is_overtaken_does_not_state_the_later_number() {
    let (log, faults) = log();
    let gate = faults.hold(Call::Find);
    let load = tokio::spawn({
        let log = log.clone();
        async move {
            let by = Selector::Key(KeyId::from(1));
            log.load(&by, ReadFrom::Primary).await.unwrap()
        }
    });
    gate.reached(1).await;
    let before = end(&log).await.number();
    log.commit(&insert()).await.unwrap();
    gate.open();
    let loaded = load.await.unwrap();
    assert_eq!((loaded.found.len(), loaded.number), (0, before));
}

#[tokio::test]
async fn a_change_is_told_after_it_can_be_read() {
    let (log, faults) = log();
    let since = end(&log).await;
    let gate = faults.hold(Call::Commit);
    let commit = tokio::spawn({
        let log = log.clone();
        async move { log.commit(&insert()).await }
    });
    gate.reached(1).await;
    assert!(!is_told(&log, &since).await);
    gate.open();
    commit.await.unwrap().unwrap();
    assert!(is_told(&log, &since).await);
}

#[tokio::test]
async fn what_may_have_been_committed_is_told() {
    for (fault, told) in [
        (Fault::Fail, false),
        (Fault::FailAfter, true),
        (Fault::Panic, true),
        (Fault::HangAfter, true),
    ] {
        let (log, faults) = log();
        let since = end(&log).await;
        faults.once(Call::Commit, fault);
        let commit = tokio::spawn({
            let log = log.clone();
            async move { log.commit(&insert()).await }
        });
        while faults.calls(Call::Commit) == 0 {
            tokio::task::yield_now().await;
        }
        // Only the one that hangs is still there to be dropped.
        commit.abort();
        drop(commit.await);
        assert_eq!(is_told(&log, &since).await, told, "{fault:?}");
    }
}
