//! Rule 4: changes, and when they have taken hold here.

use std::sync::Arc;
use std::time::Duration;

use keyward_store::{Applied, BootTime, Change, CommitError, StoreError};
use tokio::time::timeout;

use super::caught::caught;
use super::node::Node;

/// What had been committed at some moment, as far as this node is concerned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaughtUp {
    /// The moment.
    pub(crate) since: BootTime,
    /// How far this node has applied the changes, that moment included. `None` when it took too long,
    /// and what was known then is too old to be believed.
    pub(crate) applied: Option<Applied>,
}

impl Node {
    /// Commits a change and waits until this node has learnt of it. After that, nothing that was
    /// read before the change is believed here.
    ///
    /// It is carried to its end although the caller goes away, or has waited for long enough: a
    /// commit that is given up may still be made later, and must be told of then.
    pub(crate) async fn commit(self: &Arc<Self>, change: Change) -> Result<CaughtUp, CommitError> {
        let node = self.clone();
        let task = self
            .runtime
            .spawn(async move { node.carry_out(&change).await });
        let limit = COMMIT_LIMIT.saturating_add(self.coherence.longest_trust());
        match timeout(limit, task).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(stopped)) => Err(CommitError::Unknown(StoreError::new(stopped))),
            Err(elapsed) => Err(CommitError::Unknown(StoreError::new(elapsed))),
        }
    }

    async fn carry_out(&self, change: &Change) -> Result<CaughtUp, CommitError> {
        let Some(records) = &self.records else {
            let cause = StoreError::new("this service only verifies keys");
            return Err(CommitError::NotCommitted(cause));
        };
        match caught(async { records.commit(change).await }).await {
            Ok(outcome) => outcome?,
            Err(panicked) => return Err(CommitError::Unknown(StoreError::new(panicked))),
        }
        Ok(self.catch_up().await)
    }

    /// Waits until this node knows of everything that has been committed so far; or until whatever
    /// it knew before is too old to be believed.
    pub(crate) async fn catch_up(&self) -> CaughtUp {
        let since = self.clock.boot();
        // After the end nothing is believed, and nobody polls.
        let in_time = !self.coherence.is_stopped()
            && self.polls.one_more(self.coherence.longest_trust()).await;
        let applied = *self.applied.borrow();
        CaughtUp {
            since,
            applied: applied.filter(|_| in_time),
        }
    }
}

/// How long a store may take, before its caller is told that the outcome is unknown.
const COMMIT_LIMIT: Duration = Duration::from_secs(10);
