//! How a node fares, for those who watch it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyward_store::{BootTime, Changes, Writers};

use super::node::Node;

/// How a node fares: what a readiness endpoint or a dashboard shows.
///
/// It is read from memory; the store is not asked.
///
/// ```
/// # use keyward_core::Health;
/// fn readiness(health: Health) -> (u16, String) {
///     let status = if health.is_serving() { 200 } else { 503 };
///     (status, format!("lease: {:?}, behind: {}", health.lease_left, health.behind))
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Health {
    /// How long everything that is cached is believed without further news; zero when that is over,
    /// and always where others write the table unseen.
    pub lease_left: Duration,
    /// How long ago the store was asked for the last news that it gave.
    pub lease_age: Option<Duration>,
    /// Whether the store hints at changes, so that they are heeded before the next poll.
    pub hints: bool,
    /// How many changes this node knows to have been made that it has not heard of in full yet. It
    /// gets to know of them by look-ups; nothing is believed that they bear on once it has heard.
    pub behind: u64,
    serving: bool,
}

impl Health {
    /// Whether keys that are cached are accepted. If not, each request waits for the store, or is
    /// answered that the service is unavailable.
    #[must_use]
    pub const fn is_serving(&self) -> bool {
        self.serving
    }
}

/// What the polls so far say of the store.
#[derive(Debug, Default)]
pub(crate) struct Vitals(Mutex<Option<LastPoll>>);

/// The last poll that was applied.
#[derive(Clone, Copy, Debug)]
struct LastPoll {
    sent: BootTime,
    hints: bool,
    writers: Writers,
}

impl Vitals {
    pub(crate) fn note_applied(&self, sent: BootTime, changes: &Changes) {
        *self.lock() = Some(LastPoll {
            sent,
            hints: changes.hints,
            writers: changes.writers,
        });
    }

    pub(crate) fn note_failed(&self) {
        if let Some(last) = &mut *self.lock() {
            last.hints = false;
        }
    }

    /// Whether the polls tell of everyone's changes.
    pub(crate) fn hears_all(&self) -> bool {
        self.lock().is_some_and(|last| last.writers == Writers::All)
    }

    fn lock(&self) -> MutexGuard<'_, Option<LastPoll>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Node {
    pub(crate) fn health(&self) -> Health {
        let now = self.clock.boot();
        let lease_left = self.coherence.lease_end().since(now);
        let last = *self.vitals.lock();
        let lease_age = last.map(|last| now.since(last.sent));
        let serving = if self.vitals.hears_all() {
            !lease_left.is_zero()
        } else {
            let recent = lease_age.is_some_and(|age| age < self.limits.lease);
            recent && self.coherence.is_in_contact()
        };
        Health {
            lease_left,
            lease_age,
            hints: last.is_some_and(|last| last.hints),
            behind: self.coherence.behind(),
            serving,
        }
    }
}
