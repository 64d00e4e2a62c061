//! How writers, loads and the poller find each other.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// Which polls were sent and applied, and whether one is wanted.
#[derive(Debug)]
pub(crate) struct Polls {
    /// The number of the last poll that was sent.
    sent: AtomicU64,
    /// The number of the last poll that was applied.
    applied: watch::Sender<u64>,
    wanted: Notify,
}

impl Polls {
    pub(crate) fn new() -> Self {
        Self {
            sent: AtomicU64::new(0),
            applied: watch::Sender::new(0),
            wanted: Notify::new(),
        }
    }

    /// Called right before a poll is sent; it bears the number from then on.
    pub(crate) fn note_sent(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The poll of that number has been applied.
    pub(crate) fn note_applied(&self, poll: u64) {
        self.applied.send_replace(poll);
    }

    /// Returns when a poll is wanted sooner than its time.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Has a poll sent soon.
    pub(crate) fn wake(&self) {
        self.wanted.notify_one();
    }

    /// Waits until a poll that is sent after this call has been applied, `at_most` so long.
    pub(crate) async fn one_more(&self, at_most: Duration) {
        let last = self.sent.load(Ordering::SeqCst);
        let mut applied = self.applied.subscribe();
        self.wake();
        // Either end keeps the promise: after that time, nothing that was read before is believed
        // any more.
        let _elapsed = timeout(at_most, applied.wait_for(|poll| *poll > last)).await;
    }
}
