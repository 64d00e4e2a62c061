//! The tasks behind a verifier, and how they end.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use keyward_store::Use;
use tokio::task::JoinHandle;
use tokio::time::{interval, timeout};

use super::beats::Beater;
use super::caught::caught;
use super::node::Node;
use super::poller::Poller;
use crate::lifecycle::notices;

/// Aborts the tasks when dropped.
#[derive(Debug)]
pub(crate) struct Tasks(Mutex<Vec<JoinHandle<()>>>);

impl Tasks {
    pub(crate) fn start(node: &Arc<Node>, poller: Poller, beater: Beater) -> Self {
        let (polling, beating, flushing) = (node.clone(), node.clone(), node.clone());
        let poll = node
            .runtime
            .spawn(async move { poller.run(&polling).await });
        let beat = node
            .runtime
            .spawn(async move { beater.run(&beating).await });
        let flush = node
            .runtime
            .spawn(async move { flush_for_ever(&flushing).await });
        let notice = node.limits.notice.map(|within| {
            let node = node.clone();
            let runtime = node.runtime.clone();
            runtime.spawn(notices::run(node, within))
        });
        let tasks = [poll, beat, flush].into_iter().chain(notice);
        Self(Mutex::new(tasks.collect()))
    }

    pub(crate) async fn stop(&self, node: &Node) {
        for task in self.take() {
            task.abort();
            // It has let go of its batch when it has ended; how it ended is known.
            let _aborted = task.await;
        }
        node.coherence.stop();
        tokio::join!(node.leave(), flush(node));
    }

    fn take(&self) -> Vec<JoinHandle<()>> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        self.take().iter().for_each(JoinHandle::abort);
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

/// Writes down the uses of the last interval. What the store does not take is offered again.
async fn flush(node: &Node) {
    let mut batch = Batch {
        uses: node.uses.take(),
        node,
    };
    // Without records nobody keeps them, and they are only let go.
    let Some(records) = node.records.as_ref().filter(|_| !batch.uses.is_empty()) else {
        batch.uses.clear();
        return;
    };
    let written = timeout(
        FLUSH_LIMIT,
        caught(async { records.touch(&batch.uses).await }),
    )
    .await;
    if matches!(written, Ok(Ok(Ok(())))) {
        batch.uses.clear();
    } else {
        tracing::debug!(target: "keyward", "last uses could not be written down");
    }
}

/// Uses on their way to the store. Those that are left when it is dropped go back, also when the
/// task is aborted in between.
struct Batch<'a> {
    uses: Vec<Use>,
    node: &'a Node,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        self.node.uses.put_back(std::mem::take(&mut self.uses));
    }
}

const FLUSH_LIMIT: Duration = Duration::from_secs(5);
