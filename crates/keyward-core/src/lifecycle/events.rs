use std::collections::VecDeque;
use std::time::Duration;

use keyward_store::{AuditEntry, AuditQuery};
use tokio::time::sleep;

use super::{Keyward, LifecycleError};

/// What happens to keys, as it happens: the audit log from some position on, in which a host finds what
/// to send mails and webhooks about. [`Keyward::events_after`] gives it.
///
/// Every line comes at least once. Whoever keeps the position of the last one that was dealt with, and
/// begins there after a restart, misses none; whatever was dealt with but not yet kept comes again.
/// Lines of all nodes come, so in a service of several nodes one of them is to listen.
#[derive(Debug)]
pub struct Events {
    keys: Keyward,
    position: u64,
    read: VecDeque<AuditEntry>,
}

impl Events {
    pub(super) const fn after(keys: Keyward, position: u64) -> Self {
        Self {
            keys,
            position,
            read: VecDeque::new(),
        }
    }

    /// The next line, as soon as there is one.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer. Nothing is lost; to ask again is safe.
    ///
    /// # Cancel safety
    /// When the future is dropped, no line is lost.
    pub async fn next(&mut self) -> Result<AuditEntry, LifecycleError> {
        loop {
            if let Some(entry) = self.read.pop_front() {
                self.position = entry.position;
                return Ok(entry);
            }
            let mut news = self.keys.node().applied.subscribe();
            let query = AuditQuery::default()
                .after(self.position)
                .limit(LINES_AT_ONCE);
            self.read = self.keys.records().audit(&query).await?.into();
            if self.read.is_empty() {
                // Most lines come with changes, of which this node hears; the others are looked for.
                tokio::select! {
                    _ = news.changed() => {}
                    () = sleep(PAUSE) => {}
                }
            }
        }
    }

    /// The position of the last line that was given, or from which this began.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.position
    }
}

const LINES_AT_ONCE: usize = 100;
/// The longest that a line goes unnoticed which comes without a change.
const PAUSE: Duration = Duration::from_secs(1);
