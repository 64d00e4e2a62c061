//! A change is made if all that it expects holds, as a whole or not at all.

use keyward_store::{AuditAction, Change, Expectation, KeyFilter, Records, Write};

use super::sample::{
    audit_of, edit, insert, is_still, key_id, record, set, suspended, tenant, time,
};
use super::tools::{get, is_duplicate, is_expectation, put, whole_audit};

/// A change that expects an older revision than there is, or a newer one, is refused, and the
/// refusal names the expectation by its place.
pub async fn a_stale_writer_is_refused(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    let (current, first) = edit(&record(1), false, |record| record.name = "first".into());
    store.commit(&first).await.unwrap();

    let (_, mut stale) = edit(&record(1), false, |record| record.name = "second".into());
    stale.expectations.insert(0, is_still(&record(2)));
    let outcome = store.commit(&stale).await;
    assert!(is_expectation(&outcome, 1), "{outcome:?}");
    let (ahead, _) = edit(&current, false, |_| {});
    let change = Change::new(time(0)).expect(is_still(&ahead));
    assert!(is_expectation(&store.commit(&change).await, 0));
    assert_eq!(get(&store, &current.id).await, Some(current));
}

/// A record that does not exist has no revision, not even 0.
pub async fn what_does_not_exist_has_no_revision(store: impl Records) {
    for is in [0, 1] {
        let expectation = Expectation::Revision { key: key_id(1), is };
        let change = insert([record(2)]).expect(expectation);
        assert!(is_expectation(&store.commit(&change).await, 0), "{is}");
    }
    assert_eq!(get(&store, &record(2).id).await, None);
}

/// A revision is what the record says; a store counts nothing.
pub async fn a_revision_is_what_the_record_says(store: impl Records) {
    let mut imported = record(1);
    imported.revision = 41;
    put(&store, [imported.clone()]).await;
    let (mut after, _) = edit(&imported, false, |_| {});
    after.revision = 50;
    let change = Change::new(time(0))
        .expect(is_still(&imported))
        .write(Write::Replace {
            record: after.clone(),
            refound: false,
        });
    store.commit(&change).await.unwrap();
    assert_eq!(get(&store, &after.id).await, Some(after));
}

/// The first expectation that does not hold is the one that is named.
pub async fn the_first_failure_is_named(store: impl Records) {
    put(&store, [record(1)]).await;
    let missing = |n| Expectation::Revision {
        key: key_id(n),
        is: 1,
    };
    let change = Change::new(time(0))
        .expect(is_still(&record(1)))
        .expect(missing(2))
        .expect(missing(3));
    let outcome = store.commit(&change).await;
    assert!(is_expectation(&outcome, 1), "{outcome:?}");
}

/// What is expected must hold before the first row is written, whatever the rows say.
pub async fn expectations_are_about_the_state_before(store: impl Records) {
    let no_key_yet = Expectation::Fewer {
        than: 1,
        of: KeyFilter::usable(),
    };
    let change = insert([record(1), record(2)]).expect(no_key_yet.clone());
    store.commit(&change).await.unwrap();

    let (_, mut change) = edit(&record(1), false, |record| {
        record.revoked_at = Some(time(1))
    });
    change.writes.push(Write::Insert(record(3)));
    let outcome = store.commit(&change.expect(no_key_yet)).await;
    assert!(is_expectation(&outcome, 1), "{outcome:?}");
}

/// Nothing of a change that is refused by its last expectation can be seen.
pub async fn nothing_of_a_refused_change_is_written(store: impl Records) {
    put(&store, [record(1)]).await;
    let change = everything().expect(Expectation::Revision {
        key: key_id(9),
        is: 1,
    });
    let outcome = store.commit(&change).await;
    assert!(is_expectation(&outcome, 1), "{outcome:?}");
    untouched(&store).await;
}

/// Nothing of a change whose last row is refused can be seen.
pub async fn nothing_of_a_change_with_a_bad_row_is_written(store: impl Records) {
    put(&store, [record(1)]).await;
    let mut twin = record(3);
    twin.hash = record(1).hash;
    let change = everything().write(Write::Insert(twin));
    assert!(is_duplicate(&store.commit(&change).await));
    untouched(&store).await;
}

/// All of a change that is made can be seen.
pub async fn all_of_a_change_is_written(store: impl Records) {
    put(&store, [record(1)]).await;
    store.commit(&everything()).await.unwrap();
    assert_eq!(get(&store, &record(1).id).await.unwrap().name, "renamed");
    assert_eq!(get(&store, &record(2).id).await, Some(record(2)));
    let standing = store.standing(&tenant("acme-inc")).await.unwrap();
    assert_eq!(standing, suspended(1));
    assert_eq!(whole_audit(&store).await.len(), 1);
}

/// A change may hold a thousand rows.
pub async fn a_change_may_be_large(store: impl Records) {
    put(&store, (0..1000).map(record)).await;
    assert_eq!(get(&store, &record(0).id).await, Some(record(0)));
    assert_eq!(get(&store, &record(999).id).await, Some(record(999)));
}

/// A change of every kind of row, to a store that holds the first record.
fn everything() -> Change {
    let (_, change) = edit(&record(1), false, |record| record.name = "renamed".into());
    let mut change = change
        .write(Write::Insert(record(2)))
        .audit(audit_of(&record(2), AuditAction::Issued));
    let standing = set(&tenant("acme-inc"), &suspended(1));
    change.writes.extend(standing.writes);
    change
}

async fn untouched(store: &impl Records) {
    assert_eq!(get(store, &record(1).id).await, Some(record(1)));
    assert_eq!(get(store, &record(2).id).await, None);
    let standing = store.standing(&tenant("acme-inc")).await.unwrap();
    assert_eq!(standing, keyward_store::SubjectState::default());
    assert_eq!(whole_audit(store).await, []);
}
