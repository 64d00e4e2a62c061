//! What every clone of a verifier, every load and every task share.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyward_store::{Applied, Clock, Formats, KeyStore, Peppers, Records};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};

use super::cache::Cache;
use super::coherence::Coherence;
use super::entry::ExpiredFloor;
use super::flights::Flights;
use super::foreign::Foreign;
use super::health::Vitals;
use super::identity::Identity;
use super::last_use::Uses;
use super::observer::Observer;
use super::rounds::Rounds;

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) formats: Formats,
    pub(crate) peppers: Peppers,
    pub(crate) foreign: Foreign,
    pub(crate) identity: Identity,
    pub(crate) clock: Clock,
    pub(crate) coherence: Coherence,
    pub(crate) cache: Cache,
    pub(crate) flights: Arc<Flights>,
    pub(crate) polls: Rounds,
    pub(crate) beats: Rounds,
    /// How far the poller has applied the changes.
    pub(crate) applied: watch::Sender<Option<Applied>>,
    pub(crate) observer: Observer,
    pub(crate) vitals: Vitals,
    pub(crate) uses: Uses,
    pub(crate) expired: ExpiredFloor,
    pub(crate) rehashes: Semaphore,
    pub(crate) store: Arc<dyn KeyStore>,
    /// `None` when keys are only verified.
    pub(crate) records: Option<Arc<dyn Records>>,
    pub(crate) runtime: Handle,
    pub(crate) limits: Limits,
}

impl Node {
    /// The time of day, to the microsecond: so that what is returned is what stores keep.
    pub(crate) fn now(&self) -> SystemTime {
        whole_micros(self.clock.wall())
    }
}

/// The last whole microsecond up to that time. Of times before 1970, nothing is cut.
pub(crate) fn whole_micros(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let part = since.map_or(0, |since| since.subsec_nanos() % 1_000);
    time - Duration::from_nanos(part.into())
}

/// How long and how much.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) lease: Duration,
    pub(crate) poll_interval: Duration,
    pub(crate) poll: Duration,
    pub(crate) load: Duration,
    pub(crate) flush_interval: Duration,
    pub(crate) loads_at_once: usize,
    pub(crate) slow_hashes_at_once: usize,
    pub(crate) entries: u64,
    pub(crate) absent: usize,
    /// How long before its end a key is told of.
    pub(crate) notice: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(5),
            poll_interval: Duration::from_secs(1),
            poll: Duration::from_secs(1),
            load: Duration::from_secs(2),
            flush_interval: Duration::from_secs(1),
            loads_at_once: 64,
            slow_hashes_at_once: 2,
            entries: 100_000,
            absent: 10_000,
            notice: None,
        }
    }
}

/// Entries are read again at this age, in case a change ever escaped the log.
pub(crate) const TIME_TO_LIVE: Duration = Duration::from_secs(300);
/// Keys that move to another hash at the same time; the next use of one that had to wait tries
/// again.
pub(crate) const REHASHES_AT_ONCE: usize = 4;
