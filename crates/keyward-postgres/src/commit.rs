//! Changes: one statement, which calls a function that makes them.

use keyward_store::{CommitError, KeyId};
use sqlx::{PgConnection, Row};

use crate::error::Failure;

const COMMIT: &str = "SELECT unmet, used_by FROM keyward.make_change($1::jsonb)";

/// Sends a change, and tells what became of it. A failure may mean anything.
pub(crate) async fn commit(
    connection: &mut PgConnection,
    change: &str,
) -> Result<Outcome, Failure> {
    let row = match sqlx::query(COMMIT).bind(change).fetch_one(connection).await {
        Ok(row) => row,
        Err(error) => return refusal(error.into()),
    };
    if let Some(key) = row.try_get::<Option<&str>, _>(1)? {
        return Ok(Outcome::Refused(match KeyId::new(key) {
            Ok(key) => CommitError::TokenUsed(key),
            // Whatever it says, nothing was written.
            Err(_) => CommitError::NotCommitted(Failure::Nonsense("the key of a token").into()),
        }));
    }
    let place: Option<i32> = row.try_get(0)?;
    Ok(match place.map(usize::try_from) {
        None => Outcome::Made,
        Some(Ok(place)) => Outcome::Refused(CommitError::Expectation(place)),
        Some(Err(_)) => return Err(Failure::Nonsense("a place below zero")),
    })
}

pub(crate) enum Outcome {
    Made,
    /// For certain.
    Refused(CommitError),
    /// Others were in the way; it may be tried again.
    Overtaken(Failure),
}

fn refusal(failure: Failure) -> Result<Outcome, Failure> {
    Ok(match failure.code().unwrap_or_default() {
        "KW001" => Outcome::Refused(CommitError::Duplicate),
        // Deadlock, and a snapshot that was too old.
        "40P01" | "40001" => Outcome::Overtaken(failure),
        code if says_no(code) => Outcome::Refused(CommitError::NotCommitted(failure.into())),
        _ => return Err(failure),
    })
}

/// Errors by which a transaction ends before its commit. Any other may come after it: when a server
/// shuts down, a commit that waits for its standby has been made.
fn says_no(code: &str) -> bool {
    // Classes of SQLSTATE, appendix A of the manual of Postgres: feature not supported, data
    // exception, constraint violation, transaction state, access rule, resources, object in use.
    const CLASSES: [&str; 8] = ["0A", "22", "23", "25", "42", "53", "54", "55"];
    let class = code.get(..2).unwrap_or_default();
    CLASSES.contains(&class) || code == "KW002" || code == "P0001" || code == "57014"
}
