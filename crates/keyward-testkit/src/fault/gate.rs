use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

/// Holds calls that have done their work, until it is opened or dropped.
///
/// This is how a revocation overtakes a load: the load has read its answer and cannot hand it over.
#[must_use = "a gate that is dropped is open"]
pub struct Gate(Arc<Latch>);

impl Gate {
    pub(super) fn new(latch: Arc<Latch>) -> Self {
        Self(latch)
    }

    /// Waits until so many calls have been held in all.
    pub async fn reached(&self, calls: usize) {
        let mut held = self.0.held.subscribe();
        let enough = held.wait_for(|held| *held >= calls);
        let reached = timeout(PATIENCE, enough).await.is_ok();
        let held = *self.0.held.borrow();
        assert!(
            reached,
            "{calls} calls were to reach the gate, {held} have in {PATIENCE:?}"
        );
    }

    /// Lets every call go on.
    pub fn open(self) {
        drop(self);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.open.send_replace(true);
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gate")
            .field("held", &*self.0.held.borrow())
            .finish()
    }
}

pub(super) struct Latch {
    held: watch::Sender<usize>,
    open: watch::Sender<bool>,
}

impl Latch {
    pub(super) fn shut() -> Arc<Self> {
        Arc::new(Self {
            held: watch::Sender::new(0),
            open: watch::Sender::new(false),
        })
    }

    pub(super) async fn pass(&self) {
        let mut open = self.open.subscribe();
        self.held.send_modify(|held| *held += 1);
        // The sender lives as long as `self`, so this fails never.
        let _closed = open.wait_for(|open| *open).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(20);
