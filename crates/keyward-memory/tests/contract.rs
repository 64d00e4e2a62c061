//! The memory store obeys the laws of every store, and a few of its own.

use std::time::SystemTime;

use keyward_memory::MemoryStore;
use keyward_store::{
    AuditAction, AuditRecord, Change, Digest, KeyHash, KeyId, KeyRecord, Lookup, Records, Selector,
    Write,
};

keyward_testkit::contract_tests!(MemoryStore::default());
keyward_testkit::hint_contract_tests!(MemoryStore::default());
keyward_testkit::verifier_contract_tests!(MemoryStore::default());
keyward_testkit::lifecycle_contract_tests!(MemoryStore::default());

fn record(n: i64) -> KeyRecord {
    let hash = KeyHash::Sha256(Digest::sha256(&n.to_be_bytes()));
    KeyRecord::new(KeyId::from(n), "acme-inc", hash)
}

fn change() -> Change {
    Change::new(SystemTime::UNIX_EPOCH)
}

/// The rows of a change build on each other, so they are taken back in reverse.
#[tokio::test]
async fn a_change_is_taken_back_from_its_end() {
    let store = MemoryStore::default();
    store
        .commit(&change().write(Write::Insert(record(1))))
        .await
        .unwrap();
    let replace = |name: &str| {
        let mut record = record(1);
        record.name = name.to_owned();
        let refound = false;
        Write::Replace { record, refound }
    };
    let refused = change()
        .write(replace("first"))
        .write(replace("second"))
        .write(Write::Insert(record(1)));
    assert!(store.commit(&refused).await.is_err());
    let found = store.find(&Selector::Key(KeyId::from(1))).await.unwrap();
    assert_eq!(found[0].record, record(1));
}

/// What is printed of a store is how much it holds, and nothing of what.
#[tokio::test]
async fn debug_shows_numbers_alone() {
    let store = MemoryStore::default();
    let issued = AuditRecord::new(SystemTime::UNIX_EPOCH, AuditAction::Issued);
    let change = change().write(Write::Insert(record(7))).audit(issued);
    store.commit(&change).await.unwrap();
    assert_eq!(
        format!("{store:?}"),
        "MemoryStore(Table { keys: 1, standings: 0, audit: 1 })"
    );
}
