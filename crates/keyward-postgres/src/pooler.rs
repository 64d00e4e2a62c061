//! Whether something stands between this process and the server, and whether it can be lived with.
//!
//! A pooler that hands out servers by transaction says nothing of itself. It shows when another
//! client takes the server that this one has just used: the next statement is answered by another
//! server, which knows nothing of the statements that were prepared on the first.

use std::time::Duration;

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};
use tokio::time::timeout;

use crate::error::Failure;

/// What the way to the server is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A connection has one server for as long as it lives.
    Direct,
    /// Servers change from one transaction to the next, and prepared statements go along.
    Pooled,
    /// Servers change, and prepared statements stay behind: one client's are answered with the rows
    /// of another's.
    Unsafe,
}

const SERVER: &str = "SELECT pg_backend_pid()";

pub(crate) async fn probe(options: &PgConnectOptions) -> Result<Way, Failure> {
    let mut ours = PgConnection::connect_with(options).await?;
    let mut other = PgConnection::connect_with(options).await?;
    let way = compare(&mut ours, &mut other).await;
    // Whether they say goodbye or are cut off, they are gone.
    drop((ours, other));
    way
}

async fn compare(ours: &mut PgConnection, other: &mut PgConnection) -> Result<Way, Failure> {
    for _ in 0..ROUNDS {
        let first = match prepared(ours).await? {
            Some(server) => server,
            None => return Ok(Way::Unsafe),
        };
        // In the simple protocol, so that nothing is prepared on the server that it takes.
        sqlx::raw_sql("BEGIN").execute(&mut *other).await?;
        let taken: i32 = sqlx::raw_sql(SERVER)
            .fetch_one(&mut *other)
            .await?
            .try_get(0)?;
        let again = timeout(PATIENCE, prepared(ours)).await;
        sqlx::raw_sql("ROLLBACK").execute(&mut *other).await?;
        match again {
            // The only server is taken: it was the one that this client had used.
            Err(_elapsed) => return Ok(Way::Unsafe),
            Ok(again) => match again? {
                None => return Ok(Way::Unsafe),
                Some(again) if again != first || taken == first => return Ok(Way::Pooled),
                Some(_) => {}
            },
        }
    }
    Ok(Way::Direct)
}

/// The server that answers a prepared statement; `None` when it knows no such statement, or another
/// client's of that name.
async fn prepared(connection: &mut PgConnection) -> Result<Option<i32>, Failure> {
    match sqlx::query(SERVER).fetch_one(connection).await {
        Ok(row) => Ok(Some(row.try_get(0)?)),
        Err(error) => {
            let failure = Failure::from(error);
            match failure.code() {
                Some(UNKNOWN_STATEMENT | STATEMENT_EXISTS) => Ok(None),
                _ => Err(failure),
            }
        }
    }
}

const UNKNOWN_STATEMENT: &str = "26000";
const STATEMENT_EXISTS: &str = "42P05";
/// Other clients of the pooler may get in between.
const ROUNDS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(2);
