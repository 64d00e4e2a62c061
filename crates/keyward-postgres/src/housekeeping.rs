//! What is done once in a while, and by no one in particular.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward_store::{BootTime, Clock};

use crate::error::Failure;
use crate::pool::Connections;

/// Changes are kept for a day: a node that was away for longer drops what it knows.
const FORGET: &str = "SELECT keyward.forget_changes(interval '24 hours')";
const EVERY: Duration = Duration::from_secs(3_600);

/// When the log was last cut, in nanoseconds of the boot clock.
#[derive(Debug, Default)]
pub(crate) struct Housekeeping(AtomicU64);

impl Housekeeping {
    /// Cuts the log, if nobody has in this process for an hour.
    pub(crate) fn tick(&self, pool: &Connections) {
        let now = Clock::system().boot();
        let last = self.0.load(Ordering::Relaxed);
        let due = last == 0 || now.since(BootTime::from_nanos(last)) >= EVERY;
        let mine = due && {
            let (from, to) = (last, now.as_nanos());
            let exchange = self
                .0
                .compare_exchange(from, to, Ordering::Relaxed, Ordering::Relaxed);
            exchange.is_ok()
        };
        if mine {
            let pool = pool.clone();
            tokio::spawn(async move {
                if let Err(failure) = pool.with(forget).await {
                    let failure: &dyn std::error::Error = &failure;
                    tracing::warn!(target: "keyward", error = failure, "the log of changes was not cut");
                }
            });
        }
    }
}

async fn forget(connection: &mut sqlx::PgConnection) -> Result<(), Failure> {
    sqlx::query(FORGET).execute(connection).await?;
    Ok(())
}
