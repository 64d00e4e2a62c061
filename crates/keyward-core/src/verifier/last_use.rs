//! When keys were last used: noted on the hot path, written down in batches.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use keyward_store::{BootTime, KeyId, Use};

/// The last use of one key since its entry was loaded.
///
/// It is reachable from the entry, and from [`Uses`] while it holds something unwritten; so it
/// outlives the entry's eviction.
#[derive(Debug)]
pub(crate) struct LastUse {
    key: KeyId,
    /// Two readings of one moment, to tell the store's time of a use by.
    loaded: BootTime,
    loaded_at: SystemTime,
    seen: AtomicU64,
    unwritten: AtomicBool,
}

impl LastUse {
    pub(crate) fn new(key: KeyId, loaded: BootTime, loaded_at: SystemTime) -> Self {
        Self {
            key,
            loaded,
            loaded_at,
            seen: AtomicU64::new(0),
            unwritten: AtomicBool::new(false),
        }
    }

    /// Whether a use at `now` is worth noting: the last one was noted a second ago or more.
    #[inline]
    pub(crate) fn is_due(&self, now: BootTime) -> bool {
        let seen = self.seen.load(Ordering::Relaxed);
        seen == 0 || now.since(BootTime::from_nanos(seen)) >= RESOLUTION
    }

    fn at(&self) -> SystemTime {
        let seen = BootTime::from_nanos(self.seen.load(Ordering::SeqCst));
        self.loaded_at + seen.since(self.loaded)
    }
}

const RESOLUTION: Duration = Duration::from_secs(1);

/// The uses that no store knows of yet.
#[derive(Debug, Default)]
pub(crate) struct Uses(Mutex<Unwritten>);

#[derive(Debug, Default)]
struct Unwritten {
    noted: Vec<Arc<LastUse>>,
    /// Taken once, and refused by the store.
    again: BTreeMap<KeyId, SystemTime>,
}

impl Uses {
    /// Notes a use; at most once a second and key there is more to it than a comparison, and it says so.
    #[inline]
    pub(crate) fn note(&self, last_use: &Arc<LastUse>, now: BootTime) -> bool {
        let due = last_use.is_due(now);
        if due {
            self.note_due(last_use, now);
        }
        due
    }

    #[cold]
    fn note_due(&self, last_use: &Arc<LastUse>, now: BootTime) {
        last_use.seen.store(now.as_nanos(), Ordering::SeqCst);
        if !last_use.unwritten.swap(true, Ordering::SeqCst) {
            self.lock().noted.push(last_use.clone());
        }
    }

    /// Takes what is unwritten, a use per key, sorted by key so that writers do not deadlock.
    pub(crate) fn take(&self) -> Vec<Use> {
        let Unwritten { noted, again } = std::mem::take(&mut *self.lock());
        let mut latest = again;
        for last_use in noted {
            // Cleared before the time is read: a use in between is noted again.
            last_use.unwritten.store(false, Ordering::SeqCst);
            let at = last_use.at();
            let known = latest.entry(last_use.key.clone()).or_insert(at);
            *known = at.max(*known);
        }
        latest
            .into_iter()
            .map(|(key, at)| Use { key, at })
            .collect()
    }

    /// Keeps what the store would not take, for the next time.
    pub(crate) fn put_back(&self, uses: Vec<Use>) {
        let mut unwritten = self.lock();
        for Use { key, at } in uses {
            let known = unwritten.again.entry(key).or_insert(at);
            *known = at.max(*known);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Unwritten> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_use_a_second_and_the_latest_of_each_key() {
        let uses = Uses::default();
        let second = 1_000_000_000;
        let at = |n| BootTime::from_nanos(n * second);
        let epoch = SystemTime::UNIX_EPOCH;
        let last_use = || Arc::new(LastUse::new(KeyId::from(1), at(10), epoch));
        let (before, reloaded) = (last_use(), last_use());
        uses.note(&before, at(12));
        uses.note(&before, BootTime::from_nanos(12 * second + 999_999_999));
        uses.note(&reloaded, at(15));
        let expected = Use {
            key: KeyId::from(1),
            at: epoch + Duration::from_secs(5),
        };
        assert_eq!(uses.take(), std::slice::from_ref(&expected));
        assert_eq!(uses.take(), []);
        uses.put_back(vec![expected.clone()]);
        assert_eq!(uses.take(), [expected]);
        uses.note(&before, at(13));
        assert_eq!(uses.take().len(), 1);
    }
}
