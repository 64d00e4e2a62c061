//! Rule 4: changes, and when they have taken hold here.

use std::sync::Arc;
use std::time::Duration;

use keyward_store::{Change, CommitError, StoreError};
use tokio::time::timeout;

use super::caught::caught;
use super::node::Node;

impl Node {
    /// Commits a change and waits until this node has learnt of it. After that, nothing that was
    /// read before the change is believed here.
    pub(crate) async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        let Some(records) = &self.records else {
            let cause = StoreError::new("this service only verifies keys");
            return Err(CommitError::NotCommitted(cause));
        };
        let committed = timeout(COMMIT_LIMIT, caught(records.commit(change))).await;
        match committed {
            Ok(Ok(outcome)) => outcome?,
            Ok(Err(panicked)) => return Err(CommitError::Unknown(StoreError::new(panicked))),
            Err(elapsed) => return Err(CommitError::Unknown(StoreError::new(elapsed))),
        }
        self.polls.one_more(self.limits.lease).await;
        Ok(())
    }

    /// The same, carried to its end although the caller goes away.
    pub(crate) async fn commit_detached(
        self: &Arc<Self>,
        change: Change,
    ) -> Result<(), CommitError> {
        let node = self.clone();
        let task = self
            .runtime
            .spawn(async move { node.commit(&change).await });
        match task.await {
            Ok(outcome) => outcome,
            Err(stopped) => Err(CommitError::Unknown(StoreError::new(stopped))),
        }
    }
}

const COMMIT_LIMIT: Duration = Duration::from_secs(10);
