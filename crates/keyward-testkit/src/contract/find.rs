//! What was written is found, and nothing else.

use keyward_store::{KeyHash, KeyId, KeyRecord, PublicId, Records, Selector};

use super::sample::{
    self, bare_record, by_key, by_macs, by_public_id, by_sha256, digest, edit, full_record, hmac,
    public_id, record,
};
use super::tools::{found, put};

/// A record is found by its name.
pub async fn a_key_is_found_by_its_name(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    assert_eq!(found(&store, &by_key(&record(2))).await, [record(2)]);
}

/// A record is found by its prefix with its public id, and not by its public id alone.
pub async fn a_key_is_found_by_its_public_id(store: impl Records) {
    let mut other = record(2);
    other.prefix = "acme_test".to_owned();
    other.public_id = record(1).public_id;
    put(&store, [record(1), other.clone()]).await;

    let live = by_public_id("acme_live", public_id(1));
    assert_eq!(found(&store, &live).await, [record(1)]);
    let test = by_public_id("acme_test", public_id(1));
    assert_eq!(found(&store, &test).await, [other]);
    for prefix in ["", "acme", "acme_live_", "ACME_LIVE"] {
        let by = by_public_id(prefix, public_id(1));
        assert_eq!(found(&store, &by).await, [], "{prefix}");
    }
}

/// Public ids are told apart by case.
pub async fn the_case_of_a_public_id_counts(store: impl Records) {
    let ids = ["abcDEF", "ABCdef"].map(|id| PublicId::new(id).unwrap());
    let records = [(1, ids[0]), (2, ids[1])].map(|(n, id)| {
        let mut record = record(n);
        record.public_id = Some(id);
        record
    });
    put(&store, records.clone()).await;
    for (id, record) in ids.into_iter().zip(records) {
        assert_eq!(
            found(&store, &by_public_id("acme_live", id)).await,
            [record]
        );
    }
}

/// A record that is kept as SHA-256 is found by the digest of its credential.
pub async fn a_key_is_found_by_its_sha256(store: impl Records) {
    let mut opaque = record(1);
    opaque.public_id = None;
    put(&store, [opaque.clone(), record(2)]).await;
    assert_eq!(found(&store, &by_sha256(digest(1))).await, [opaque]);
}

/// A record that is kept under a pepper is found by its MAC under that pepper, whichever of the
/// live ones it is, and by no other.
pub async fn a_key_is_found_by_its_mac_under_any_live_pepper(store: impl Records) {
    let (mut old, mut new) = (record(1), record(2));
    old.hash = hmac("old", digest(1));
    new.hash = hmac("new", digest(2));
    put(&store, [old.clone(), new.clone()]).await;

    let by_old = by_macs(digest(10), [("new", digest(11)), ("old", digest(1))]);
    assert_eq!(found(&store, &by_old).await, [old]);
    let by_new = by_macs(digest(10), [("new", digest(2)), ("old", digest(12))]);
    assert_eq!(found(&store, &by_new).await, [new]);
    let swapped = by_macs(digest(10), [("new", digest(1)), ("old", digest(2))]);
    assert_eq!(found(&store, &swapped).await, []);
    // The MAC of one key is no SHA-256 of another.
    assert_eq!(found(&store, &by_sha256(digest(1))).await, []);
}

/// A credential finds every record that it may be kept as.
pub async fn a_credential_finds_every_record_it_may_be_kept_as(store: impl Records) {
    let (plain, mut peppered) = (record(1), record(2));
    peppered.hash = hmac("pepper", digest(11));
    put(&store, [plain.clone(), peppered.clone(), record(3)]).await;
    let by = by_macs(digest(1), [("pepper", digest(11))]);
    assert_eq!(found(&store, &by).await, [plain, peppered]);
}

/// Every field comes back as it was written: times to the microsecond, text of any script, the
/// present but empty and the absent told apart.
pub async fn every_field_comes_back_as_it_was_written(store: impl Records) {
    let records = [
        full_record(),
        bare_record(),
        sample::empty_record(),
        sample::foreign_record(),
    ];
    put(&store, records.clone()).await;
    for record in records {
        assert_eq!(found(&store, &by_key(&record)).await, [record]);
    }
}

/// Every field of a record that replaces another comes back too.
pub async fn every_field_is_replaced(store: impl Records) {
    let mut before = bare_record();
    let full = full_record();
    before.id = full.id.clone();
    put(&store, [before.clone()]).await;
    let (after, change) = edit(&before, true, |record| *record = full);
    store.commit(&change).await.unwrap();
    finds(&store, &by_key(&after), &after).await;
    let (after, change) = edit(&after, true, |record| {
        record.hash = sample::foreign_record().hash;
    });
    store.commit(&change).await.unwrap();
    finds(&store, &by_key(&after), &after).await;
    let (bare, change) = edit(&after, true, |record| {
        *record = bare_record();
        record.id = after.id.clone();
    });
    store.commit(&change).await.unwrap();
    assert_eq!(found(&store, &by_key(&bare)).await, [bare]);
}

/// A replaced record is found by what it is now, and no longer by what it was.
pub async fn a_replaced_key_is_found_by_what_it_is_now(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    let (after, change) = edit(&record(1), true, |record| {
        record.public_id = Some(public_id(11));
        record.hash = KeyHash::Sha256(digest(11));
    });
    store.commit(&change).await.unwrap();

    for gone in [
        by_public_id("acme_live", public_id(1)),
        by_sha256(digest(1)),
    ] {
        assert_eq!(found(&store, &gone).await, [], "{gone:?}");
    }
    for by in [
        by_key(&after),
        by_public_id("acme_live", public_id(11)),
        by_sha256(digest(11)),
    ] {
        finds(&store, &by, &after).await;
    }
}

/// Revoked, suspended, expired and retired records are found like any other: a store judges nothing.
pub async fn keys_that_are_refused_are_found_too(store: impl Records) {
    let mut records = [record(1), record(2), record(3), record(4)];
    records[0].revoked_at = Some(sample::time(9));
    records[1].suspended_at = Some(sample::time(9));
    records[2].expires_at = Some(sample::time(9));
    records[3].successor = Some(keyward_store::Successor {
        key: sample::key_id(1),
        since: sample::time(8),
        until: sample::time(8),
    });
    put(&store, records.clone()).await;
    for (n, record) in (1..).zip(records) {
        let by = by_public_id("acme_live", public_id(n));
        finds(&store, &by, &record).await;
        finds(&store, &by_sha256(digest(n)), &record).await;
    }
}

/// What was never written is not found, and that is no error.
pub async fn what_was_never_written_is_not_found(store: impl Records) {
    put(&store, [record(1), full_record()]).await;
    for by in [
        by_key(&record(2)),
        Selector::Key(KeyId::from(1)),
        by_public_id("acme_live", public_id(2)),
        by_public_id("acme", public_id(1)),
        by_sha256(digest(2)),
        by_macs(digest(2), [("pepper", digest(1))]),
        by_macs(digest(2), []),
    ] {
        assert_eq!(found(&store, &by).await, [], "{by:?}");
    }
}

async fn finds(store: &impl Records, by: &Selector, record: &KeyRecord) {
    let record = std::slice::from_ref(record);
    assert_eq!(found(store, by).await, record, "{by:?}");
}
