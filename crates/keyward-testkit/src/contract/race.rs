//! Of two changes that exclude each other, one is refused.

use std::sync::Arc;

use keyward_store::{Change, Expectation, KeyFilter, KeyRecord, ListQuery, Records, Subject};

use super::sample::{edit, insert, owner, record, set, suspended, tenant};
use super::tools::{at_once, get, is_duplicate, is_expectation, put};

/// Of two changes at once that expect the same revision, exactly one is made.
pub async fn one_of_two_writers_wins(store: impl Records) {
    let store = Arc::new(store);
    // Again and again, for two rarely meet.
    for n in 0..30 {
        put(&store, [record(n)]).await;
        one_wins(&store, &record(n), 2).await;
    }
}

/// Of a hundred changes at once that expect the same revision, exactly one is made.
pub async fn one_of_a_hundred_writers_wins(store: impl Records) {
    let store = Arc::new(store);
    put(&store, [record(1)]).await;
    one_wins(&store, &record(1), 100).await;
}

/// Of two hundred keys that are issued at once under a cap, exactly as many are made as fit.
pub async fn a_cap_holds_under_two_hundred_writers(store: impl Records) {
    capped(store, KeyFilter::usable(), |_| {}).await;
}

/// The same for a cap on the keys of one tenant, beside other tenants.
pub async fn a_tenants_cap_holds_under_two_hundred_writers(store: impl Records) {
    let mut filter = KeyFilter::usable();
    filter.tenant = Some("acme-inc".into());
    let mut other = record(1000);
    other.tenant = "other".into();
    put(&store, [other]).await;
    capped(store, filter, |_| {}).await;
}

/// The same for a cap on the keys of one owner.
pub async fn an_owners_cap_holds_under_two_hundred_writers(store: impl Records) {
    let user = keyward_store::Owner::new("user", "1");
    let mut filter = KeyFilter::usable();
    filter.owner = Some(user.clone());
    capped(store, filter, move |record| {
        record.owner = Some(user.clone())
    })
    .await;
}

/// Of fifty records at once with the same public id, exactly one is made.
pub async fn one_of_fifty_twins_is_made(store: impl Records) {
    let twins = (0..50).map(|n| {
        let mut twin = record(n);
        twin.public_id = record(0).public_id;
        insert([twin])
    });
    one_is_made(store, twins, is_duplicate).await;
}

/// Of fifty changes at once that set a standing for the first time, exactly one is made.
pub async fn one_of_fifty_first_standings_is_set(store: impl Records) {
    let subjects = [tenant("acme-inc"), owner("user", "1")];
    let store = Arc::new(store);
    for subject in subjects {
        let first = Expectation::SubjectRevision {
            subject: subject.clone(),
            is: 0,
        };
        let change = set(&subject, &suspended(1)).expect(first);
        let changes = std::iter::repeat_n(change, 50);
        one_is_made(store.clone(), changes, |outcome| is_expectation(outcome, 0)).await;
    }
}

/// Of two changes each of which expects that the other was not made, one is made.
pub async fn two_changes_cannot_slip_past_each_other(store: impl Records) {
    let store = Arc::new(store);
    for n in 0..20 {
        let pair = [record(2 * n), record(2 * n + 1)];
        put(&store, pair.clone()).await;
        let changes = [(0, 1), (1, 0)].map(|(mine, other): (usize, usize)| {
            let (_, change) = edit(&pair[mine], false, |record| record.name = "mine".into());
            change.expect(Expectation::Revision {
                key: pair[other].id.clone(),
                is: 1,
            })
        });
        one_is_made(store.clone(), changes, |outcome| {
            is_expectation(outcome, 0) || is_expectation(outcome, 1)
        })
        .await;
    }
}

/// Changes that touch the same records in another order all get done, one after the other.
pub async fn changes_in_any_order_do_not_block_each_other(store: impl Records) {
    let store = Arc::new(store);
    let records: Vec<KeyRecord> = (0..8).map(record).collect();
    put(&store, records.clone()).await;
    let outcomes = at_once((0..40).map(|n| {
        let mut change = insert([]);
        let subjects: Vec<Subject> = (0..4).map(|n| tenant(&format!("t{n}"))).collect();
        for record in &records {
            let (_, edit) = edit(record, false, |record| record.name = format!("by {n}"));
            change.writes.extend(edit.writes);
        }
        for subject in &subjects {
            change.writes.extend(set(subject, &suspended(n)).writes);
        }
        if n % 2 == 1 {
            change.writes.reverse();
        }
        let store = store.clone();
        async move { store.commit(&change).await }
    }))
    .await;
    for outcome in outcomes {
        assert!(outcome.is_ok(), "{outcome:?}");
    }
    let names: Vec<_> = store.list(&ListQuery::all()).await.unwrap().keys;
    assert!(
        names
            .iter()
            .all(|key| key.record.name == names[0].record.name)
    );
}

async fn one_wins<S: Records>(store: &Arc<S>, before: &KeyRecord, writers: u32) {
    let writers = at_once((0..writers).map(|n| {
        let (after, change) = edit(before, false, |record| record.name = format!("writer {n}"));
        let store = store.clone();
        async move { (after, store.commit(&change).await) }
    }))
    .await;
    let (won, lost): (Vec<_>, Vec<_>) = writers.into_iter().partition(|(_, done)| done.is_ok());
    for (_, outcome) in lost {
        assert!(is_expectation(&outcome, 0), "{outcome:?}");
    }
    assert_eq!(won.len(), 1);
    assert_eq!(get(store, &before.id).await.as_ref(), Some(&won[0].0));
}

async fn capped<S: Records>(store: S, filter: KeyFilter, own: impl Fn(&mut KeyRecord)) {
    let store = Arc::new(store);
    let cap = Expectation::Fewer {
        than: 17,
        of: filter.clone(),
    };
    let outcomes = at_once((0..200).map(|n| {
        let mut record = record(n);
        own(&mut record);
        let change = insert([record]).expect(cap.clone());
        let store = store.clone();
        async move { store.commit(&change).await }
    }))
    .await;
    let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    assert_eq!(made, 17);
    for outcome in outcomes {
        assert!(
            outcome.is_ok() || is_expectation(&outcome, 0),
            "{outcome:?}"
        );
    }
    let mut query = ListQuery::all();
    query.filter = filter;
    assert_eq!(store.list(&query).await.unwrap().keys.len(), 17);
}

async fn one_is_made(
    store: impl Records,
    changes: impl IntoIterator<Item = Change>,
    refused: fn(&Result<(), keyward_store::CommitError>) -> bool,
) {
    let store = Arc::new(store);
    let outcomes = at_once(changes.into_iter().map(|change| {
        let store = store.clone();
        async move { store.commit(&change).await }
    }))
    .await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for outcome in outcomes {
        assert!(outcome.is_ok() || refused(&outcome), "{outcome:?}");
    }
}
