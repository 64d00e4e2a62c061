//! How often the store is asked, and what is said of it when it fails.

use std::error::Error;
use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use keyward_store::StoreError;

/// The pause after a failure: a node comes back soon after its link does, however seldom it asks.
pub(crate) fn retry(interval: Duration) -> Duration {
    (interval / 4).min(Duration::from_secs(1))
}

/// Ten per cent around the interval, so that the nodes of a service do not ask in step.
pub(crate) fn jitter(interval: Duration) -> Duration {
    // Each `RandomState` has keys of its own; nothing secret hangs on this number.
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    let thousandths = u32::try_from(900 + random / 5).unwrap_or(1_000);
    interval * thousandths / 1_000
}

/// Whether something that is asked again and again fails at present. Told once, and when it is over.
#[derive(Debug)]
pub(crate) struct Trouble {
    fails: &'static str,
    works: &'static str,
    now: bool,
}

impl Trouble {
    /// Nothing fails yet; these are the words for it.
    pub(crate) const fn none(fails: &'static str, works: &'static str) -> Self {
        Self {
            fails,
            works,
            now: false,
        }
    }

    pub(crate) fn note<T>(&mut self, outcome: &Result<T, StoreError>) {
        match outcome {
            Ok(_) if self.now => tracing::info!(target: "keyward", "{}", self.works),
            Err(error) if !self.now => {
                let error: &dyn Error = error;
                tracing::warn!(target: "keyward", error, "{}", self.fails);
            }
            _ => {}
        }
        self.now = outcome.is_err();
    }

    /// Whether the last one failed.
    pub(crate) const fn is_now(&self) -> bool {
        self.now
    }
}
