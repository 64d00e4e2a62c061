//! Where entries lie: a bounded map, an array in front of it, and another for what is not there.
//!
//! All of them may hold what is long out of date; every read is believed or not on its own.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use keyward_store::{BootTime, Digest, ForeignHash, PublicId};
use moka::sync::Cache as Moka;

use super::coherence::Stamp;
use super::entry::Entry;

/// What an entry is found by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum CacheKey {
    /// The public id, among keys of the format at that place.
    Id(usize, PublicId),
    /// The SHA-256 of the whole credential.
    Digest(Digest),
}

pub(crate) struct Cache {
    front: Box<[ArcSwapOption<Entry>]>,
    entries: Moka<CacheKey, Arc<Entry>>,
    absent: Box<[ArcSwapOption<Absence>]>,
}

/// That nothing was found.
#[derive(Debug)]
struct Absence {
    key: CacheKey,
    asked: BootTime,
    stamp: Stamp,
}

impl Cache {
    pub(crate) fn new(capacity: u64, absent_capacity: usize, time_to_live: Duration) -> Self {
        Self {
            front: (0..FRONT_SLOTS).map(|_| ArcSwapOption::empty()).collect(),
            entries: Moka::builder()
                .max_capacity(capacity)
                .time_to_live(time_to_live)
                .build(),
            absent: (0..absent_capacity.max(1))
                .map(|_| ArcSwapOption::empty())
                .collect(),
        }
    }

    /// The slot that the entry of this credential lies in, if it lies in front.
    #[inline]
    pub(crate) fn slot(&self, credential: &Digest) -> Option<&ArcSwapOption<Entry>> {
        // The word's low bits, which are as good as random.
        let place = usize::try_from(credential.word() % FRONT_SLOTS).ok()?;
        self.front.get(place)
    }

    /// The entry behind the front. One that this credential proves moves to the front.
    pub(crate) fn behind(&self, key: &CacheKey, credential: &Digest) -> Option<Arc<Entry>> {
        let entry = self.entries.get(key)?;
        self.bring_forward(&entry, credential);
        Some(entry)
    }

    /// Whether an entry tells, however old it is, that this credential is the one behind `hash`.
    pub(crate) fn was_compared(&self, credential: &Digest, hash: &ForeignHash) -> bool {
        let told = |entry: &Arc<Entry>| entry.was_compared(credential, hash);
        let in_front = self.slot(credential);
        in_front.is_some_and(|slot| slot.load().as_ref().is_some_and(told))
            || self
                .entries
                .get(&CacheKey::Digest(*credential))
                .is_some_and(|entry| told(&entry))
    }

    pub(crate) fn insert(&self, key: CacheKey, credential: &Digest, entry: &Arc<Entry>) {
        self.entries.insert(key, entry.clone());
        self.bring_forward(entry, credential);
    }

    fn bring_forward(&self, entry: &Arc<Entry>, credential: &Digest) {
        if entry.is_proved_by(credential)
            && let Some(slot) = self.slot(credential)
        {
            slot.store(Some(entry.clone()));
        }
    }

    /// Whether the map still holds the key. Asking lets its policy see that the key is in use, which
    /// the front hides from it.
    pub(crate) fn holds(&self, key: &CacheKey) -> bool {
        self.entries.get(key).is_some()
    }

    /// That nothing was found behind this key, and when that was asked, if a slot still tells so.
    pub(crate) fn absence(&self, key: &CacheKey) -> Option<(BootTime, Stamp)> {
        let slots = self.absence_slots(key);
        slots.into_iter().flatten().find_map(|slot| {
            let absence = slot.load();
            let absence = absence.as_ref().filter(|absence| absence.key == *key);
            absence.map(|absence| (absence.asked, absence.stamp))
        })
    }

    /// A flood of unknown keys overwrites itself, in bounded memory, and evicts nothing else.
    pub(crate) fn insert_absence(&self, key: CacheKey, asked: BootTime, stamp: Stamp) {
        let [first, second] = self.absence_slots(&key);
        let is_free = |slot: &&ArcSwapOption<Absence>| {
            slot.load()
                .as_ref()
                .is_none_or(|absence| absence.key == key)
        };
        // With both taken, the second gives way: whoever shares the first keeps it.
        let slot = first.filter(is_free).or(second);
        if let Some(slot) = slot {
            slot.store(Some(Arc::new(Absence { key, asked, stamp })));
        }
    }

    /// The two slots that may tell of a key: where two keys share one, they seldom share the other.
    fn absence_slots(&self, key: &CacheKey) -> [Option<&ArcSwapOption<Absence>>; 2] {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let hash = hasher.finish();
        let slot = |half: u64| {
            let slots = u64::try_from(self.absent.len()).ok()?;
            let place = usize::try_from(half.checked_rem(slots)?).ok()?;
            self.absent.get(place)
        };
        [slot(hash >> 32), slot(hash & u64::from(u32::MAX))]
    }
}

impl std::fmt::Debug for Cache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cache")
            .field("entries", &self.entries.entry_count())
            .finish_non_exhaustive()
    }
}

/// 512 KiB of pointers: ten thousand busy keys seldom meet.
const FRONT_SLOTS: u64 = 65_536;
