//! What is done once in a while, and by no one in particular.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward_store::{BootTime, Clock};
use sqlx::{PgConnection, Row};

use crate::error::Failure;
use crate::pool::Connections;

/// Changes are kept for a day: a node that was away for longer drops what it knows.
const FORGET_CHANGES: &str = "SELECT keyward.forget_changes(interval '24 hours')";
/// Tokens go an hour after their time, which is told by the clocks of nodes. As many at once as keep
/// nobody waiting.
const FORGET_TOKENS: &str = "SELECT keyward.forget_tokens(interval '1 hour', 1000)";
const EVERY: Duration = Duration::from_secs(3_600);
/// The most batches of tokens at a time; the rest waits for the next.
const BATCHES: usize = 1_000;

/// When it was last done, in nanoseconds of the boot clock.
#[derive(Debug, Default)]
pub(crate) struct Housekeeping(AtomicU64);

impl Housekeeping {
    /// Cuts the log and forgets old tokens, if nobody has in this process for an hour.
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
                if let Err(failure) = pool.with(forget_changes).await {
                    let failure: &dyn std::error::Error = &failure;
                    tracing::warn!(target: "keyward", error = failure, "the log of changes was not cut");
                }
                if let Err(failure) = pool.with(forget_tokens).await {
                    let failure: &dyn std::error::Error = &failure;
                    tracing::warn!(target: "keyward", error = failure, "old tokens were not forgotten");
                }
            });
        }
    }
}

async fn forget_changes(connection: &mut PgConnection) -> Result<(), Failure> {
    sqlx::query(FORGET_CHANGES).execute(connection).await?;
    Ok(())
}

async fn forget_tokens(connection: &mut PgConnection) -> Result<(), Failure> {
    for _batch in 0..BATCHES {
        let row = sqlx::query(FORGET_TOKENS)
            .fetch_one(&mut *connection)
            .await?;
        if row.try_get::<i64, _>(0)? == 0 {
            break;
        }
    }
    Ok(())
}
