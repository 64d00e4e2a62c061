//! What has been counted, by whom it was counted for.

use std::collections::HashMap;
use std::collections::hash_map::{DefaultHasher, Entry};
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyward::Limit;

use super::gcra::{Quota, Rate};
use super::subject::Subject;

/// The schedules of everyone who has been counted, until they equal those of someone who has not.
///
/// They outlive the cache entries of keys, and nobody's is dropped for want of room: when there are too
/// many, newcomers share one.
#[derive(Debug)]
pub(crate) struct Buckets {
    shards: Box<[Mutex<Shard>]>,
    room: usize,
}

#[derive(Debug, Default)]
struct Shard {
    buckets: HashMap<Subject, Arc<Bucket>>,
    /// Of those for whom there was no room.
    crowd: Arc<Bucket>,
    /// When it is worth looking again for buckets that can go.
    sweep_at: usize,
    /// When that was done last.
    swept: u64,
}

/// The schedules of one subject, one for each window: a limit that is changed goes on from where it was.
#[derive(Debug, Default)]
pub(crate) struct Bucket(Mutex<Schedules>);

#[derive(Debug, Default)]
struct Schedules(Vec<(Duration, u64)>);

impl Buckets {
    pub(crate) fn new(room: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            room: room.div_ceil(SHARDS).max(1),
        }
    }

    /// The bucket of that subject. It stays as long as someone holds it, or it says anything.
    pub(crate) fn bucket(&self, subject: &Subject, now: u64) -> Arc<Bucket> {
        let mut hasher = DefaultHasher::new();
        subject.hash(&mut hasher);
        let place = usize::try_from(hasher.finish() % SHARDS as u64).unwrap_or_default();
        let Some(shard) = self.shards.get(place) else {
            return Arc::default();
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = shard.buckets.get(subject) {
            return bucket.clone();
        }
        let is_due = shard.buckets.len() >= shard.sweep_at.max(LEAST_SWEPT);
        // A full one is looked through again and again, but not for each newcomer.
        let is_full = shard.buckets.len() >= self.room;
        if is_due || (is_full && now.saturating_sub(shard.swept) >= FULL_PAUSE) {
            shard.sweep(now);
        }
        if shard.buckets.len() >= self.room {
            return shard.crowd.clone();
        }
        match shard.buckets.entry(subject.clone()) {
            Entry::Occupied(entry) => entry.get().clone(),
            Entry::Vacant(entry) => entry.insert(Arc::default()).clone(),
        }
    }

    /// How many subjects are counted.
    pub(crate) fn len(&self) -> usize {
        let shards = self.shards.iter();
        let lens = shards.map(|shard| {
            let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            shard.buckets.len()
        });
        lens.sum()
    }
}

impl Shard {
    /// Drops what says nothing more. Whoever holds a bucket may be about to write to it.
    fn sweep(&mut self, now: u64) {
        self.buckets
            .retain(|_, bucket| Arc::strong_count(bucket) > 1 || !bucket.is_spent(now));
        // Again when there are twice as many: so a sweep costs each newcomer a constant.
        self.sweep_at = self.buckets.len() * 2;
        self.swept = now;
    }
}

impl Bucket {
    fn lock(&self) -> MutexGuard<'_, Schedules> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_spent(&self, now: u64) -> bool {
        self.lock().0.iter().all(|(_, schedule)| *schedule <= now)
    }
}

/// A bucket, and the limits that hold for it.
#[derive(Debug)]
pub(crate) struct Counted {
    pub(crate) subject: Subject,
    pub(crate) bucket: Arc<Bucket>,
    pub(crate) limits: Box<[(Limit, Rate)]>,
}

/// Takes one request off every limit of every bucket, or off none of them; gives the wait, if it may not
/// pass. What is left of each limit is put into `quotas`, in order.
#[inline]
pub(crate) fn take(counted: &[Counted], now: u64, quotas: Option<&mut Vec<Quota>>) -> Option<u64> {
    // One bucket of one limit is nearly all there is.
    if let [counted] = counted
        && let [(limit, rate)] = &*counted.limits
    {
        let mut schedules = counted.bucket.lock();
        let schedule = schedules.of(limit);
        let taken = rate.take(*schedule, now);
        if let Ok(next) = taken {
            *schedule = next;
        }
        if let Some(quotas) = quotas {
            quotas.push(rate.quota(*schedule, now));
        }
        return taken.err();
    }
    take_many(counted, now, quotas)
}

/// What is left of each limit, in order, without taking anything.
pub(crate) fn left(counted: &[Counted], now: u64) -> Vec<Quota> {
    let quota = |counted: &Counted| {
        let mut schedules = counted.bucket.lock();
        let limits = counted.limits.iter();
        let quotas = limits.map(|(limit, rate)| rate.quota(*schedules.of(limit), now));
        quotas.collect::<Vec<_>>()
    };
    counted.iter().flat_map(quota).collect()
}

fn take_many(counted: &[Counted], now: u64, quotas: Option<&mut Vec<Quota>>) -> Option<u64> {
    // Each bucket once, however often it occurs, and all of them in one order.
    let mut order: Vec<&Bucket> = counted.iter().map(|counted| &*counted.bucket).collect();
    order.sort_by_key(|bucket| std::ptr::from_ref(*bucket));
    order.dedup_by(|a, b| std::ptr::eq(*a, *b));
    let mut locked: Vec<_> = order.iter().map(|bucket| bucket.lock()).collect();
    let limits = counted.iter().flat_map(|counted| {
        let is = |bucket: &&Bucket| std::ptr::eq(*bucket, &*counted.bucket);
        let place = order.iter().position(is).unwrap_or_default();
        counted.limits.iter().map(move |limit| (place, limit))
    });
    let mut wait = None;
    let mut next = Vec::new();
    for (place, (limit, rate)) in limits.clone() {
        match rate.take(*locked[place].of(limit), now) {
            Ok(schedule) => next.push((place, limit, schedule)),
            Err(longer) => wait = wait.max(Some(longer)),
        }
    }
    if wait.is_none() {
        for (place, limit, schedule) in next {
            // Two limits of one window have one schedule: the narrower one moves it.
            let moved = locked[place].of(limit);
            *moved = schedule.max(*moved);
        }
    }
    if let Some(quotas) = quotas {
        for (place, (limit, rate)) in limits {
            quotas.push(rate.quota(*locked[place].of(limit), now));
        }
    }
    wait
}

impl Schedules {
    #[inline]
    fn of(&mut self, limit: &Limit) -> &mut u64 {
        let window = limit.per();
        let found = self.0.iter().position(|(known, _)| *known == window);
        let place = found.unwrap_or_else(|| {
            self.0.push((window, 0));
            self.0.len() - 1
        });
        &mut self.0[place].1
    }
}

/// How long a full shard is left alone, in nanoseconds.
const FULL_PAUSE: u64 = 1_000_000_000;
const SHARDS: usize = 64;
/// Fewer are not worth a look.
const LEAST_SWEPT: usize = 64;
