//! The tasks behind a verifier, and how they end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::{interval, timeout};

use super::caught::caught;
use super::node::Node;
use super::polls::Poller;

/// Aborts the tasks when dropped.
#[derive(Debug)]
pub(crate) struct Tasks(Mutex<Vec<AbortHandle>>);

impl Tasks {
    pub(crate) fn start(node: &Arc<Node>, poller: Poller) -> Self {
        let (polling, flushing) = (node.clone(), node.clone());
        let poll = node
            .runtime
            .spawn(async move { poller.run(&polling).await });
        let flush = node
            .runtime
            .spawn(async move { flush_for_ever(&flushing).await });
        Self(Mutex::new(vec![poll.abort_handle(), flush.abort_handle()]))
    }

    pub(crate) async fn stop(&self, node: &Node) {
        self.abort();
        flush(node).await;
    }

    fn abort(&self) {
        let mut tasks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.drain(..).for_each(|task| task.abort());
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.abort();
    }
}

async fn flush_for_ever(node: &Node) {
    let mut turn = interval(node.limits.flush_interval);
    turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        turn.tick().await;
        flush(node).await;
    }
}

/// Writes down the uses of the last interval. What the store does not take is offered again; there
/// is at most one use for each key that was in the cache.
async fn flush(node: &Node) {
    let Some(records) = &node.records else {
        // Nobody keeps them, so they are only let go.
        node.uses.take();
        return;
    };
    let uses = node.uses.take();
    if uses.is_empty() {
        return;
    }
    let written = timeout(FLUSH_LIMIT, caught(records.touch(&uses))).await;
    if !matches!(written, Ok(Ok(Ok(())))) {
        node.uses.put_back(uses);
        tracing::debug!(target: "keyward", "last uses could not be written down");
    }
}

const FLUSH_LIMIT: Duration = Duration::from_secs(5);
