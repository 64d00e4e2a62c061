//! No two records are found by the same thing.

use keyward_store::{Digest, KeyHash, KeyRecord, Records, Write};

use super::sample::{
    audit_of, by_key, digest, edit, foreign, full_record, hmac, insert, public_id, record,
};
use super::tools::{found, get, is_duplicate, put, whole_audit};

/// A new record that bears the name of another is refused, and the other stays as it was.
pub async fn no_two_keys_share_a_name(store: impl Records) {
    put(&store, [record(1)]).await;
    let mut twin = record(2);
    twin.id = record(1).id;
    assert!(is_duplicate(&store.commit(&insert([twin])).await));
    assert_eq!(found(&store, &by_key(&record(1))).await, [record(1)]);
}

/// A new record whose prefix and public id are those of another is refused.
pub async fn no_two_keys_share_a_public_id(store: impl Records) {
    put(&store, [record(1)]).await;
    let mut twin = record(2);
    twin.public_id = record(1).public_id;
    refused(&store, twin.clone()).await;
    // With another prefix it is another key.
    twin.prefix = "acme_test".to_owned();
    put(&store, [twin]).await;
}

/// A new record whose hash is that of another is refused, be it SHA-256, a MAC or another system's.
pub async fn no_two_keys_share_a_hash(store: impl Records) {
    let hashes = [
        KeyHash::Sha256(digest(1)),
        hmac("a", digest(2)),
        foreign("bcrypt", "$2b$12$abc"),
    ];
    for (n, hash) in (1..).zip(hashes.clone()) {
        let mut record = record(n);
        record.hash = hash;
        put(&store, [record]).await;
    }
    for hash in hashes {
        let mut twin = record(4);
        twin.hash = hash;
        refused(&store, twin).await;
    }
}

/// The same bytes under another pepper, or under none, are another hash.
pub async fn the_same_bytes_under_another_pepper_are_another_hash(store: impl Records) {
    let hashes = [
        KeyHash::Sha256(digest(1)),
        hmac("a", digest(1)),
        hmac("b", digest(1)),
    ];
    for (n, hash) in (1..).zip(hashes) {
        let mut record = record(n);
        record.hash = hash;
        put(&store, [record]).await;
    }
}

/// The same text under another scheme, in another case, or as the bytes of a digest, is another hash.
pub async fn the_same_text_under_another_scheme_is_another_hash(store: impl Records) {
    let text = "x".repeat(32);
    let hashes = [
        KeyHash::Sha256(Digest::from_bytes([b'x'; 32])),
        hmac("a", Digest::from_bytes([b'x'; 32])),
        foreign("a", &text),
        foreign("A", &text),
        foreign("b", &text),
        foreign("", &text),
        foreign("a", &text.to_uppercase()),
        foreign("a", ""),
    ];
    for (n, hash) in (1..).zip(hashes) {
        let mut record = record(n);
        record.hash = hash;
        put(&store, [record]).await;
    }
}

/// Any number of records have no public id.
pub async fn keys_without_public_id_do_not_clash(store: impl Records) {
    let records = [1, 2, 3].map(|n| {
        let mut record = record(n);
        record.public_id = None;
        record
    });
    put(&store, records).await;
}

/// Two records of one change that clash with each other are both refused.
pub async fn the_keys_of_one_change_must_not_clash(store: impl Records) {
    let mut twin = record(2);
    twin.hash = record(1).hash;
    let change = insert([record(3), record(1), twin]);
    assert!(is_duplicate(&store.commit(&change).await));
    for n in 1..=3 {
        assert_eq!(get(&store, &record(n).id).await, None);
    }
}

/// A record cannot be given the public id or the hash of another one.
pub async fn no_key_can_take_what_another_has(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    let takes: [fn(&mut KeyRecord); 2] = [
        |record| record.public_id = Some(public_id(1)),
        |record| record.hash = KeyHash::Sha256(digest(1)),
    ];
    for take in takes {
        let (_, change) = edit(&record(2), true, take);
        assert!(is_duplicate(&store.commit(&change).await));
        assert_eq!(get(&store, &record(2).id).await, Some(record(2)));
    }
}

/// A record can be replaced by one with the same public id and hash.
pub async fn a_key_does_not_clash_with_itself(store: impl Records) {
    let before = full_record();
    put(&store, [before.clone()]).await;
    let (after, change) = edit(&before, false, |record| record.name = "new".to_owned());
    store.commit(&change).await.unwrap();
    assert_eq!(found(&store, &by_key(&after)).await, [after]);
}

/// A record that does not exist cannot be replaced: the change is refused and nothing is written.
pub async fn what_does_not_exist_cannot_be_replaced(store: impl Records) {
    let (_, mut change) = edit(&record(1), false, |_| {});
    change.expectations.clear();
    change.writes.insert(0, Write::Insert(record(2)));
    let refused = store.commit(&change).await;
    assert!(refused.is_err_and(|error| error.is_certain()));
    assert_eq!(get(&store, &record(1).id).await, None);
    assert_eq!(get(&store, &record(2).id).await, None);
}

/// Nothing of the record, or of the change that it came in, may be seen.
async fn refused(store: &impl Records, twin: KeyRecord) {
    let before = whole_audit(store).await;
    let line = audit_of(&twin, keyward_store::AuditAction::Issued);
    let change = insert([record(1000), twin.clone()]).audit(line);
    assert!(is_duplicate(&store.commit(&change).await));
    assert_eq!(get(store, &twin.id).await, None);
    assert_eq!(get(store, &record(1000).id).await, None);
    assert_eq!(whole_audit(store).await, before);
}
