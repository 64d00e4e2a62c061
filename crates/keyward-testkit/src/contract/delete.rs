//! Deletions.

use std::sync::Arc;

use keyward_store::{
    AuditAction, CommitError, EventSubject, Expectation, KeyFilter, KeyStore, ListQuery, Records,
    Use, Write,
};

use super::sample::{
    audit_of, by_foreign, by_key, by_public_id, by_sha256, delete, digest, edit, insert, key_id,
    public_id, record, second, time,
};
use super::tools::{Follower, at_once, found, get, is_expectation, put, whole_audit};

/// A record that was deleted is not found by anything, is in no list, and counts towards no cap; all
/// others are as they were.
pub async fn a_deleted_key_is_not_found(store: impl Records) {
    let mut gone = record(1);
    gone.lookup = Some("acme_live_1".to_owned());
    gone.owner = Some(keyward_store::Owner::new("user", "1"));
    put(&store, [gone.clone(), record(2)]).await;
    let line = audit_of(&gone, AuditAction::Purged);
    store.commit(&delete(&gone).audit(line)).await.unwrap();
    for by in [
        by_key(&gone),
        by_public_id("acme_live", public_id(1)),
        by_sha256(digest(1)),
        by_foreign([], ["acme_live_1"]),
    ] {
        assert_eq!(found(&store, &by).await, [], "{by:?}");
    }
    let owner = gone.owner.clone().unwrap();
    for (query, left) in [
        (ListQuery::new(KeyFilter::all()), 1),
        (ListQuery::tenant("acme-inc"), 1),
        (ListQuery::all().owner(owner), 0),
    ] {
        assert_eq!(store.list(&query).await.unwrap().keys.len(), left);
    }
    let of = KeyFilter::all();
    let one_at_most = insert([]).expect(Expectation::Fewer { than: 2, of });
    store.commit(&one_at_most).await.unwrap();
    assert_eq!(get(&store, &key_id(2)).await, Some(record(2)));
    assert_eq!(whole_audit(&store).await.len(), 1);
}

/// The last use of a deleted record goes with it, also when another takes its name; and one that comes
/// late is passed over.
pub async fn the_last_use_of_a_deleted_key_is_gone(store: impl Records) {
    put(&store, [record(1)]).await;
    let touch = async || {
        let (key, at) = (key_id(1), second(5));
        store.touch(&[Use { key, at }]).await.unwrap();
    };
    touch().await;
    store.commit(&delete(&record(1))).await.unwrap();
    touch().await;
    put(&store, [record(1)]).await;
    let again = &store.find(&by_key(&record(1))).await.unwrap()[0];
    assert_eq!(again.last_used_at, None);
}

/// The name, the public id and the hash of a deleted record are free again, within the same change
/// already.
pub async fn what_a_deleted_key_had_is_free(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    let mut heir = record(3);
    heir.public_id = Some(public_id(1));
    heir.hash = record(1).hash;
    let change = delete(&record(1)).write(Write::Insert(heir.clone()));
    store.commit(&change).await.unwrap();
    assert_eq!(found(&store, &by_sha256(digest(1))).await, [heir.clone()]);

    store.commit(&delete(&heir)).await.unwrap();
    put(&store, [record(1)]).await;
    let by = by_public_id("acme_live", public_id(1));
    assert_eq!(found(&store, &by).await, [record(1)]);

    let mut renewed = record(2);
    renewed.name = "renewed".to_owned();
    let change = delete(&record(2)).write(Write::Insert(renewed.clone()));
    store.commit(&change).await.unwrap();
    assert_eq!(get(&store, &key_id(2)).await, Some(renewed));
}

/// A deletion that expects an older revision than there is is refused.
pub async fn a_stale_deletion_is_refused(store: impl Records) {
    put(&store, [record(1)]).await;
    let (current, change) = edit(&record(1), false, |key| key.name = "new".to_owned());
    store.commit(&change).await.unwrap();
    let outcome = store.commit(&delete(&record(1))).await;
    assert!(is_expectation(&outcome, 0), "{outcome:?}");
    assert_eq!(get(&store, &key_id(1)).await, Some(current));
}

/// What does not exist cannot be deleted, nor replaced once it was deleted: the change is refused for
/// certain, and nothing of it is written.
pub async fn what_does_not_exist_cannot_be_deleted(store: impl Records) {
    put(&store, [record(1)]).await;
    let mut missing = delete(&record(9));
    missing.expectations.clear();
    missing.writes.insert(0, Write::Insert(record(2)));
    missing.writes.push(Write::Insert(record(3)));
    let mut twice = delete(&record(1));
    twice.writes.extend(twice.writes.clone());
    let (_, edit) = edit(&record(1), false, |_| {});
    let mut replaced = delete(&record(1));
    replaced.writes.extend(edit.writes);
    for change in [missing, twice, replaced] {
        let outcome = store.commit(&change).await;
        let refused = matches!(outcome, Err(CommitError::NotCommitted(_)));
        assert!(refused, "{outcome:?}");
    }
    assert_eq!(get(&store, &key_id(1)).await, Some(record(1)));
    for n in [2, 3] {
        assert_eq!(get(&store, &key_id(n)).await, None);
    }
}

/// A deletion in a change that is refused did not happen, and the last use is still there.
pub async fn a_deletion_is_taken_back_with_its_change(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    let (key, at) = (key_id(1), second(5));
    store.touch(&[Use { key, at }]).await.unwrap();
    let refused = delete(&record(1)).write(Write::Insert(record(2)));
    assert!(store.commit(&refused).await.is_err());
    let kept = store.find(&by_sha256(digest(1))).await.unwrap();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].record, record(1));
    assert_eq!(kept[0].last_used_at, Some(at));
}

/// Of fifty deletions at once of one record, exactly one is made.
pub async fn one_of_fifty_deletions_is_made(store: impl Records) {
    let store = Arc::new(store);
    put(&store, [record(1)]).await;
    let outcomes = at_once((0..50).map(|n| {
        let mut change = delete(&record(1)).write(Write::Insert(record(100 + n)));
        change.expectations.clear();
        let store = store.clone();
        async move { store.commit(&change).await }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|done| done.is_ok()).count(), 1);
    for outcome in outcomes {
        let refused = matches!(outcome, Err(CommitError::NotCommitted(_)));
        assert!(outcome.is_ok() || refused, "{outcome:?}");
    }
    let left = store.list(&ListQuery::all()).await.unwrap().keys;
    assert_eq!(left.len(), 1);
    assert_ne!(left[0].record.id, key_id(1));
}

/// The event of a deletion names the key and its public id, and says that it is found otherwise now.
pub async fn a_deletion_is_told<S: Records + KeyStore>(store: S) {
    let mut opaque = record(2);
    opaque.public_id = None;
    put(&store, [record(1), opaque.clone()]).await;
    let mut feed = Follower::start(&store).await;
    for (key, public_ids) in [(record(1), vec![public_id(1)]), (opaque, vec![])] {
        let mut change = delete(&key);
        change.at = time(9);
        store.commit(&change).await.unwrap();
        let events = feed.poll(&store).await;
        let subjects: Vec<_> = events.into_iter().map(|event| event.subject).collect();
        let told = EventSubject::Key {
            key: key.id,
            public_ids,
            refound: true,
        };
        assert_eq!(subjects, [told]);
    }
}
