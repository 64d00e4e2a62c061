//! Last use.

use std::sync::Arc;

use keyward_store::{KeyId, KeyStore, Records, Use};

use super::sample::{by_key, edit, key_id, record, second};
use super::tools::{Follower, at_once, get, put};

/// When a key was last used shows wherever it is found; a key that was never used says so.
pub async fn a_use_shows(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    assert_eq!(last_use(&store, 1).await, None);
    touch(&store, [(1, 5)]).await;
    assert_eq!(last_use(&store, 1).await, Some(5));
    assert_eq!(last_use(&store, 2).await, None);
}

/// A last use never moves back, in one batch or from one to the next.
pub async fn a_last_use_never_moves_back(store: impl Records) {
    put(&store, [record(1), record(2)]).await;
    touch(&store, [(1, 5), (2, 9)]).await;
    touch(&store, [(1, 4), (2, 10)]).await;
    assert_eq!(last_use(&store, 1).await, Some(5));
    assert_eq!(last_use(&store, 2).await, Some(10));
    touch(&store, [(1, 8), (2, 11), (1, 7), (2, 12)]).await;
    assert_eq!(last_use(&store, 1).await, Some(8));
    assert_eq!(last_use(&store, 2).await, Some(12));
}

/// Uses of keys that do not exist are passed over, and the rest of the batch is written. They do
/// not turn up when the key is made later.
pub async fn unknown_keys_are_passed_over(store: impl Records) {
    put(&store, [record(1)]).await;
    touch(&store, [(7, 5), (1, 5), (8, 5)]).await;
    assert_eq!(last_use(&store, 1).await, Some(5));
    touch(&store, []).await;
    put(&store, [record(7)]).await;
    assert_eq!(last_use(&store, 7).await, None);
}

/// A batch may be large.
pub async fn a_batch_may_be_large(store: impl Records) {
    put(&store, (0..500).map(record)).await;
    touch(&store, (0..5000).map(|n| (n, n))).await;
    assert_eq!(last_use(&store, 0).await, Some(0));
    assert_eq!(last_use(&store, 499).await, Some(499));
}

/// A use changes nothing of a record, whose revision still holds, and the feed does not tell of it.
pub async fn a_use_changes_nothing_else<S: Records + KeyStore>(store: S) {
    put(&store, [record(1)]).await;
    let mut feed = Follower::start(&store).await;
    touch(&store, [(1, 5)]).await;
    assert_eq!(get(&store, &key_id(1)).await, Some(record(1)));
    assert_eq!(feed.poll(&store).await, []);
    let (_, change) = edit(&record(1), false, |record| record.name = "new".into());
    store.commit(&change).await.unwrap();
}

/// A change of a record leaves its last use as it is.
pub async fn a_change_leaves_the_last_use(store: impl Records) {
    put(&store, [record(1)]).await;
    touch(&store, [(1, 5)]).await;
    let (_, change) = edit(&record(1), false, |record| record.name = "new".into());
    store.commit(&change).await.unwrap();
    assert_eq!(last_use(&store, 1).await, Some(5));
}

/// Batches that overlap, in any order and beside changes of the same records, all get done.
pub async fn batches_do_not_block_each_other<S: Records>(store: S) {
    let store = Arc::new(store);
    put(&*store, (0..50).map(record)).await;
    at_once((0..20).map(|n| {
        let store = store.clone();
        async move {
            if n % 5 == 0 {
                let (_, change) = edit(&record(n), false, |record| record.name = "new".into());
                store.commit(&change).await.unwrap();
            }
            let mut uses: Vec<_> = (0..50).map(|key| (key, n)).collect();
            if n % 2 == 1 {
                uses.reverse();
            }
            touch(&*store, uses).await;
        }
    }))
    .await;
    for n in 0..50 {
        assert_eq!(last_use(&*store, n).await, Some(19));
    }
}

async fn touch(store: &impl Records, uses: impl IntoIterator<Item = (u64, u64)>) {
    let uses = uses.into_iter().map(|(key, at)| Use {
        key: key_id(key),
        at: second(at),
    });
    store.touch(&uses.collect::<Vec<_>>()).await.unwrap();
}

/// In seconds after the first.
async fn last_use(store: &impl Records, n: u64) -> Option<u64> {
    let id: KeyId = record(n).id;
    let key = &store.find(&by_key(&record(n))).await.unwrap()[0];
    assert_eq!(key.record.id, id);
    let since = key.last_used_at?.duration_since(second(0)).unwrap();
    Some(since.as_secs())
}
