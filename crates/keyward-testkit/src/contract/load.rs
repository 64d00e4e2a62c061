//! Loads, and the number that they state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use keyward_store::{Cursor, KeyStore, ListQuery, Origin, ReadFrom, Records, SubjectState};

use super::sample::{
    by_key, by_public_id, by_sha256, digest, edit, full_record, public_id, record, set, suspended,
    tenant,
};
use super::tools::{Follower, put};

/// A load says of a key what finding it says, whatever it is found by.
pub async fn a_load_says_what_finding_says<S: Records + KeyStore>(store: S) {
    let full = full_record();
    put(&store, [full.clone(), record(1)]).await;
    store
        .commit(&set(&tenant("acme-inc"), &suspended(1)))
        .await
        .unwrap();
    for by in [
        by_key(&full),
        by_key(&record(1)),
        by_key(&record(2)),
        by_public_id("acme_live", public_id(1)),
        by_public_id("acme_live", public_id(2)),
        by_sha256(digest(1)),
        by_sha256(digest(2)),
    ] {
        let found = store.find(&by).await.unwrap();
        for from in [ReadFrom::Any, ReadFrom::Primary] {
            let loaded = store.load(&by, from).await.unwrap();
            assert_eq!(loaded.found, found, "{by:?}");
        }
    }
}

/// What a change wrote is in every load from the primary that starts after it was made.
pub async fn a_load_sees_what_was_written_before_it<S: Records + KeyStore>(store: S) {
    let by = by_public_id("acme_live", public_id(1));
    assert_eq!(store.load(&by, ReadFrom::Primary).await.unwrap().found, []);
    put(&store, [record(1)]).await;
    let mut current = record(1);
    for n in 0..20 {
        let (after, change) = edit(&current, false, |record| record.name = format!("name {n}"));
        store.commit(&change).await.unwrap();
        let loaded = store.load(&by, ReadFrom::Primary).await.unwrap();
        assert_eq!(loaded.found[0].record, after);
        current = after;
        let standing = set(&tenant("acme-inc"), &suspended(n));
        store.commit(&standing).await.unwrap();
        let loaded = store.load(&by, ReadFrom::Primary).await.unwrap();
        assert_eq!(loaded.found[0].tenant, suspended(n));
        assert_eq!(loaded.found[0].owner, SubjectState::default());
    }
}

/// A load from the primary states at least the number that an earlier poll reached: else nobody
/// could ever believe it.
pub async fn a_load_is_as_new_as_an_earlier_poll<S: Records + KeyStore>(store: S) {
    let mut feed = Follower::start(&store).await;
    for n in 0..20 {
        put(&store, [record(n)]).await;
        feed.poll(&store).await;
        let by = by_key(&record(n));
        let loaded = store.load(&by, ReadFrom::Primary).await.unwrap();
        assert_eq!(loaded.origin, Origin::Primary);
        assert!(loaded.number >= feed.cursor.number());
        assert_eq!(loaded.found.len(), 1);
    }
}

/// A load and a poll speak of one history: the numbers of two are not compared.
pub async fn a_load_is_of_the_history_that_polls_tell_of<S: Records + KeyStore>(store: S) {
    put(&store, [record(1)]).await;
    let polled = store.changes(&Cursor::origin()).await.unwrap();
    let again = store.changes(&polled.cursor).await.unwrap();
    let loaded = store
        .load(&by_key(&record(1)), ReadFrom::Primary)
        .await
        .unwrap();
    assert_eq!(polled.history, again.history);
    assert_eq!(loaded.history, polled.history);
}

/// The number that a load states is never beyond the present end of the history.
pub async fn a_load_is_not_ahead_of_the_history<S: Records + KeyStore>(store: S) {
    for n in 0..20 {
        for from in [ReadFrom::Any, ReadFrom::Primary] {
            let loaded = store.load(&by_key(&record(n)), from).await.unwrap();
            let end = store.changes(&Cursor::origin()).await.unwrap().cursor;
            assert!(loaded.number <= end.number(), "{} {end:?}", loaded.number);
        }
        put(&store, [record(n)]).await;
    }
}

/// A load includes every change up to the number that it states, also while changes are being made.
pub async fn a_load_includes_all_up_to_its_number<S: Records + KeyStore>(store: S) {
    let store = Arc::new(store);
    put(&store, [record(1)]).await;
    let mut feed = Follower::start(&store).await;
    let (done, loads) = (
        Arc::new(AtomicBool::new(false)),
        Arc::new(AtomicUsize::new(0)),
    );
    let loaders: Vec<_> = (0..4u64)
        .map(|loader| {
            let (store, done, loads) = (store.clone(), done.clone(), loads.clone());
            tokio::spawn(async move {
                let by = [by_key(&record(1)), by_public_id("acme_live", public_id(1))];
                let mut seen = Vec::new();
                for turn in loader.. {
                    let from = [ReadFrom::Any, ReadFrom::Primary][usize::from(turn % 3 == 0)];
                    let by = &by[usize::from(turn % 2 == 0)];
                    let loaded = store.load(by, from).await.unwrap();
                    seen.push((loaded.number, loaded.found[0].record.revision));
                    loads.fetch_add(1, Ordering::SeqCst);
                    if done.load(Ordering::SeqCst) {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                seen
            })
        })
        .collect();
    let mut current = record(1);
    let mut changes = 0;
    while changes < 300 || loads.load(Ordering::SeqCst) < 600 {
        let (after, change) = edit(&current, false, |_| {});
        store.commit(&change).await.unwrap();
        current = after;
        changes += 1;
        tokio::task::yield_now().await;
    }
    done.store(true, Ordering::SeqCst);

    // One writer, so the change with the nth smallest number made revision n + 1.
    let events = feed.poll(&store).await;
    let mut numbers: Vec<_> = events.iter().map(|event| event.number).collect();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), changes);
    for loader in loaders {
        for (number, revision) in loader.await.unwrap() {
            let included = numbers.partition_point(|change| *change <= number);
            let least = u64::try_from(included).unwrap() + 1;
            assert!(
                revision >= least,
                "a load states number {number} and has revision {revision}, not {least}"
            );
        }
    }
    let last = store.list(&ListQuery::all()).await.unwrap();
    assert_eq!(last.keys[0].record, current);
}
