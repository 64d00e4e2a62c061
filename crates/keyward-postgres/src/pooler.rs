//! Whether something stands between this process and the server, and whether it can be lived with.
//!
//! A pooler that hands out servers by transaction says nothing of itself. It shows when another
//! client takes the server that this one has just used: the next statement is answered by another
//! server, which knows nothing of the statements that were prepared on the first.

use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgRow};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::time::timeout;
use uuid::Uuid;

use crate::error::Failure;

/// What the way to the server is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Way {
    /// A connection has one server for as long as it lives.
    Direct,
    /// Servers change from one transaction to the next, and prepared statements go along.
    Pooled,
    /// Servers change, and prepared statements stay behind: one client's are answered with the rows
    /// of another's.
    Unsafe,
}

pub(crate) async fn probe(options: &PgConnectOptions) -> Result<Way, Failure> {
    let mut ours = PgConnection::connect_with(options).await?;
    let mut other = PgConnection::connect_with(options).await?;
    let way = compare(&mut ours, &mut other).await;
    // Whether they say goodbye or are cut off, they are gone.
    drop((ours, other));
    way
}

async fn compare(ours: &mut PgConnection, other: &mut PgConnection) -> Result<Way, Failure> {
    let question = Question::new();
    for _ in 0..ROUNDS {
        let Some(first) = question.ask(ours).await? else {
            return Ok(Way::Unsafe);
        };
        // In the simple protocol, so that nothing is prepared on the server that it takes.
        sqlx::raw_sql("BEGIN").execute(&mut *other).await?;
        let taken: i32 = sqlx::raw_sql("SELECT pg_backend_pid()")
            .fetch_one(&mut *other)
            .await?
            .try_get(0)?;
        let again = timeout(PATIENCE, question.ask(ours)).await;
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

/// A statement that no other client has prepared: the name under which it is prepared is the same for
/// all, so it is the answer that must tell whose it is.
struct Question {
    mark: String,
    sql: String,
}

impl Question {
    fn new() -> Self {
        let mark = format!("keyward {}", Uuid::now_v7());
        let sql = format!("SELECT pg_backend_pid() || ' {mark}'");
        Self { mark, sql }
    }

    /// The server that answers; `None` when it knows no such statement, or answers another one.
    async fn ask(&self, connection: &mut PgConnection) -> Result<Option<i32>, Failure> {
        // Nothing in it comes from outside.
        let question = sqlx::query(AssertSqlSafe(&*self.sql));
        // All rows, since another's statement may have any number of them.
        match question.fetch_all(connection).await {
            Ok(rows) => Ok(rows.first().and_then(|row| self.server(row))),
            Err(error) => {
                let failure = Failure::from(error);
                match failure.code() {
                    Some(UNKNOWN_STATEMENT | STATEMENT_EXISTS | OTHER_PARAMETERS) => Ok(None),
                    _ => Err(failure),
                }
            }
        }
    }

    fn server(&self, row: &PgRow) -> Option<i32> {
        let answer: &str = row.try_get(0).ok()?;
        let (server, mark) = answer.split_once(' ')?;
        server.parse().ok().filter(|_| mark == self.mark)
    }
}

const UNKNOWN_STATEMENT: &str = "26000";
const STATEMENT_EXISTS: &str = "42P05";
/// What a statement is told that was prepared with more parameters.
const OTHER_PARAMETERS: &str = "08P01";
/// Other clients of the pooler may get in between, and hide it for one or the other of them.
const ROUNDS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(2);
