//! Connections of the host's pool, and what becomes of those that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::error::Failure;

/// A pool in which dead connections are found.
#[derive(Clone, Debug)]
pub(crate) struct Connections {
    pool: PgPool,
    sweeping: Arc<AtomicBool>,
}

impl Connections {
    pub(crate) fn new(pool: PgPool) -> Self {
        Self {
            pool,
            sweeping: Arc::default(),
        }
    }

    pub(crate) fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Does one thing on a connection. If it is given up half-way, or fails so that the connection
    /// may be in any state, the connection is closed and the idle ones are looked at: over a link
    /// that was cut, each of them would cost somebody a time limit.
    pub(crate) async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut lent = Lent {
            connection: None,
            from: self,
            sound: false,
        };
        let connection = self.pool.acquire().await?;
        let answer = work(lent.connection.insert(connection)).await;
        lent.sound = !answer.as_ref().is_err_and(Failure::breaks_connection);
        answer
    }

    /// Does what may as well be done twice. A connection may have died since it was used last; then
    /// another one is tried.
    pub(crate) async fn with_retry<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, Failure> + Copy,
    ) -> Result<T, Failure> {
        match self.with(work).await {
            Err(failure) if failure.breaks_connection() => self.with(work).await,
            outcome => outcome,
        }
    }

    /// Closes idle connections that do not answer.
    fn sweep(&self) {
        // There is none while a runtime ends.
        let Ok(runtime) = Handle::try_current() else {
            return;
        };
        if self.sweeping.swap(true, Ordering::SeqCst) {
            return;
        }
        // Right now, so that whoever tries again gets none of them.
        let idle: Vec<_> = std::iter::from_fn(|| self.pool.try_acquire()).collect();
        let this = self.clone();
        runtime.spawn(async move {
            let looks = idle
                .into_iter()
                .map(|connection| tokio::spawn(look(connection)));
            for look in looks.collect::<Vec<_>>() {
                // Nothing in it panics, and nobody aborts it.
                let _ended = look.await;
            }
            this.sweeping.store(false, Ordering::SeqCst);
        });
    }
}

async fn look(mut connection: PoolConnection<Postgres>) {
    if ping(&mut connection).await.is_err() {
        drop(connection.detach());
    }
}

/// Whether a connection lives.
pub(crate) async fn ping(connection: &mut PgConnection) -> Result<(), Failure> {
    let answered = timeout(PATIENCE, connection.ping()).await;
    answered.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))?;
    Ok(())
}

/// How long an idle connection may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection on loan; and before that, the wish for one.
struct Lent<'a> {
    connection: Option<PoolConnection<Postgres>>,
    from: &'a Connections,
    sound: bool,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        if self.sound {
            return;
        }
        if let Some(connection) = self.connection.take() {
            drop(connection.detach());
        }
        self.from.sweep();
    }
}
