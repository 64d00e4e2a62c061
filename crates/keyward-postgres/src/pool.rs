//! Connections of the host's pool, and what becomes of those that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_store::{Loaded, Selector};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, PgConnection, PgPool, Postgres};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::error::Failure;
use crate::load;

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

    /// Looks keys up. A connection that has died since it was used last is passed over: to read again
    /// does no harm.
    pub(crate) async fn load(&self, by: &Selector) -> Result<Loaded, Failure> {
        let mut dead = 0;
        loop {
            let mut lent = self.lend().await?;
            let answer = load::load(lent.connection()?, by).await;
            match lent.settle(answer) {
                Err(failure) if failure.breaks_connection() && dead < self.pool.size() => dead += 1,
                answer => return answer,
            }
        }
    }

    /// A connection, as the pool gives it.
    pub(crate) async fn lend(&self) -> Result<Lent<'_>, Failure> {
        let mut lent = Lent {
            connection: None,
            from: self,
            sound: false,
        };
        lent.connection = Some(self.pool.acquire().await?);
        Ok(lent)
    }

    /// A connection that has just answered. When the server was started anew, all that were idle
    /// have died.
    pub(crate) async fn lend_tested(&self) -> Result<Lent<'_>, Failure> {
        for _ in 0..self.pool.size() {
            let mut lent = self.lend().await?;
            let answer = match lent.connection() {
                Ok(connection) => connection.ping().await.map_err(Failure::from),
                Err(failure) => Err(failure),
            };
            if lent.settle(answer).is_ok() {
                lent.sound = false;
                return Ok(lent);
            }
        }
        self.lend().await
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
        let this = self.clone();
        runtime.spawn(async move {
            let idle: Vec<_> = std::iter::from_fn(|| this.pool.try_acquire()).collect();
            let looks = idle.into_iter().map(|idle| tokio::spawn(look(idle)));
            for look in looks.collect::<Vec<_>>() {
                // Nothing in it panics, and nobody aborts it.
                let _ended = look.await;
            }
            this.sweeping.store(false, Ordering::SeqCst);
        });
    }
}

async fn look(mut connection: PoolConnection<Postgres>) {
    let answers = timeout(PATIENCE, connection.ping()).await;
    if !matches!(answers, Ok(Ok(()))) {
        drop(connection.detach());
    }
}

/// How long an idle connection may take to answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// A connection on loan; and before that, the wish for one.
///
/// If what is done with it is given up half-way, or fails so that the connection may be in any state,
/// the connection is closed and the idle ones are looked at: over a link that was cut, each of them
/// would cost somebody a time limit.
pub(crate) struct Lent<'a> {
    connection: Option<PoolConnection<Postgres>>,
    from: &'a Connections,
    sound: bool,
}

impl Lent<'_> {
    pub(crate) fn connection(&mut self) -> Result<&mut PgConnection, Failure> {
        let connection = self.connection.as_deref_mut();
        connection.ok_or(Failure::Link(sqlx::Error::PoolClosed))
    }

    /// Says how it ended.
    pub(crate) fn settle<T>(&mut self, answer: Result<T, Failure>) -> Result<T, Failure> {
        self.sound = !answer.as_ref().is_err_and(Failure::breaks_connection);
        answer
    }
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
