//! Rule 3: asking the store what has changed, for ever.

use std::time::Duration;

use keyward_store::{Applied, Changes, Cursor, Event, Feed, StoreError};
use tokio::time::{sleep, timeout};

use super::caught::{Panicked, caught};
use super::coherence::Sent;
use super::node::Node;
use super::pace::{Trouble, jitter, retry};

/// The poller's own state: nobody else moves the cursor.
#[derive(Debug)]
pub(crate) struct Poller {
    cursor: Cursor,
    trouble: Trouble,
    /// How many hints in a row told of nothing.
    misled: u32,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self {
            cursor: Cursor::origin(),
            trouble: Trouble::none("the store does not tell changes", "the store answers again"),
            misled: 0,
        }
    }

    /// One poll, sent and applied. Says whether there was any news.
    pub(crate) async fn poll(&mut self, node: &Node) -> Result<bool, StoreError> {
        let number = node.polls.note_sent();
        let outcome = self.ask(node).await;
        if outcome.is_err() {
            node.vitals.note_failed();
        }
        node.polls.note_ended(number, outcome.is_ok());
        outcome
    }

    async fn ask(&mut self, node: &Node) -> Result<bool, StoreError> {
        let sent = node.coherence.send();
        let answer = timeout(
            node.limits.poll,
            caught(async { node.store.changes(&self.cursor).await }),
        )
        .await;
        let changes = answer
            .map_err(StoreError::new)?
            .map_err(StoreError::new)??;
        check_numbers(&changes)?;
        let news = changes.cursor != self.cursor;
        self.apply(node, changes, sent);
        Ok(news)
    }

    /// The order is the promise: first the minimums, then the cursor, then the lease.
    fn apply(&mut self, node: &Node, changes: Changes, sent: Sent) {
        let coherence = &node.coherence;
        match &changes.feed {
            Feed::Events(events) if !coherence.is_other_history(changes.history) => {
                events.iter().for_each(|event| coherence.apply(event));
            }
            // Another history, and whatever this version does not know.
            _ => coherence.history_changed(changes.history, changes.cursor.number()),
        }
        let applied = Applied {
            history: changes.history,
            number: changes.cursor.number(),
        };
        node.vitals.note_applied(sent.at, &changes);
        self.cursor = changes.cursor;
        coherence.polled(sent, applied.number, changes.writers);
        node.applied
            .send_if_modified(|before| before.replace(applied) != Some(applied));
    }

    /// Polls for ever: every so often, at a hint, and whenever a writer waits for it.
    pub(crate) async fn run(mut self, node: &Node) {
        loop {
            let hinted = self.rest(node).await;
            let outcome = self.poll(node).await;
            let misled = hinted && matches!(outcome, Ok(false));
            self.misled = if misled { self.misled + 1 } else { 0 };
            self.trouble.note(&outcome);
        }
    }

    async fn hint(&self, node: &Node, at_most: Duration) -> Result<(), Panicked> {
        if self.misled > 0 {
            let doubled = PAUSE.saturating_mul(1 << self.misled.min(16));
            sleep(doubled.min(at_most)).await;
        }
        caught(async { node.store.hint(&self.cursor).await }).await
    }

    /// Returns when it is time for the next poll, and whether a hint made it so.
    async fn rest(&self, node: &Node) -> bool {
        let interval = jitter(node.limits.poll_interval);
        if self.trouble.is_now() {
            // No hints from a store that fails, so that it is not asked without a pause.
            sleep(retry(interval)).await;
            return false;
        }
        tokio::select! {
            () = sleep(interval) => false,
            () = node.polls.wanted() => false,
            // A hint may be of what a writer's poll has told already, so the next is heeded soon; but
            // a store whose hints are all like that is not asked without a pause.
            Ok(()) = self.hint(node, interval / 2) => true,
        }
    }
}

/// The pause after a hint that told of nothing, doubled with each that follows, up to half of an
/// interval; a whole interval without a hint starts over.
const PAUSE: Duration = Duration::from_millis(1);

/// A number that cannot be counted cannot be compared either.
fn check_numbers(changes: &Changes) -> Result<(), StoreError> {
    let mut largest = changes.cursor.number();
    if let Feed::Events(events) = &changes.feed {
        largest = events
            .iter()
            .map(|event| event.number)
            .fold(largest, u64::max);
    }
    if largest <= Event::MAX_NUMBER {
        Ok(())
    } else {
        Err(StoreError::new("the number of a change is beyond 2^44"))
    }
}
