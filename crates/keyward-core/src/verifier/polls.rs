//! Rule 3: asking the store what has changed, for ever.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward_store::{Changes, Cursor, Feed, StoreError, Writers};
use tokio::sync::{Notify, watch};
use tokio::time::{sleep, timeout};

use super::caught::caught;
use super::coherence::Sent;
use super::node::Node;

/// How writers and the poller find each other.
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

    /// Waits until a poll that is sent after this call has been applied, `at_most` so long.
    pub(crate) async fn one_more(&self, at_most: Duration) {
        let last = self.sent.load(Ordering::SeqCst);
        let mut applied = self.applied.subscribe();
        self.wanted.notify_one();
        // Either end keeps the promise: after the length of a lease, nothing that was read before
        // is believed any more.
        let _elapsed = timeout(at_most, applied.wait_for(|poll| *poll > last)).await;
    }
}

/// The poller's own state: nobody else moves the cursor.
#[derive(Debug)]
pub(crate) struct Poller {
    cursor: Cursor,
    failing: bool,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self {
            cursor: Cursor::origin(),
            failing: false,
        }
    }

    /// One poll, sent and applied.
    pub(crate) async fn poll(&mut self, node: &Node) -> Result<(), StoreError> {
        let number = node.polls.sent.fetch_add(1, Ordering::SeqCst) + 1;
        let sent = node.coherence.send();
        let answer = timeout(node.limits.poll, caught(node.store.changes(&self.cursor))).await;
        let changes = answer
            .map_err(StoreError::new)?
            .map_err(StoreError::new)??;
        self.apply(node, changes, sent);
        node.polls.applied.send_replace(number);
        Ok(())
    }

    /// The order is the promise: first the minimums, then the cursor, then the lease.
    fn apply(&mut self, node: &Node, changes: Changes, sent: Sent) {
        match &changes.feed {
            Feed::Events(events) => events.iter().for_each(|event| node.coherence.apply(event)),
            // `HistoryChanged`, and whatever this version does not know.
            _ => node.coherence.history_changed(changes.cursor.number()),
        }
        self.cursor = changes.cursor;
        if changes.writers == Writers::All {
            node.coherence.extend_lease(sent);
        }
    }

    /// Polls for ever: every so often, at a hint, and whenever a writer waits for it.
    pub(crate) async fn run(mut self, node: &Node) {
        loop {
            self.rest(node).await;
            match self.poll(node).await {
                Ok(()) if self.failing => {
                    tracing::info!(target: "keyward", "the store answers again");
                    self.failing = false;
                }
                Ok(()) => {}
                Err(error) => {
                    if !self.failing {
                        let error: &dyn std::error::Error = &error;
                        tracing::warn!(target: "keyward", error, "the store does not tell changes");
                    }
                    self.failing = true;
                }
            }
        }
    }

    async fn rest(&self, node: &Node) {
        let interval = jitter(node.limits.poll_interval);
        if self.failing {
            // No hints from a store that fails, so that it is not asked without a pause.
            sleep(interval / 4).await;
            return;
        }
        tokio::select! {
            () = sleep(interval) => {}
            () = node.polls.wanted.notified() => {}
            hint = caught(node.store.hint(&self.cursor)) => {
                if hint.is_err() {
                    sleep(interval).await;
                }
            }
        }
    }
}

/// Ten per cent around the interval, so that the nodes of a service do not ask in step.
fn jitter(interval: Duration) -> Duration {
    // Each `RandomState` has keys of its own; nothing secret hangs on this number.
    let random = RandomState::new().hash_one(0_u8) % 1_000;
    let thousandths = u32::try_from(900 + random / 5).unwrap_or(1_000);
    interval * thousandths / 1_000
}
