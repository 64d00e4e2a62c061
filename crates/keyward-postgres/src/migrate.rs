//! The schema, and how it gets there.

use sqlx::{Connection, PgConnection, Row};

use crate::error::Failure;

/// Each file makes its own line in `keyward.migrations`, also when it is run by hand.
const FILES: [(i32, &str); 2] = [
    (1, include_str!("../migrations/0001_keyward.sql")),
    (2, include_str!("../migrations/0002_lifecycle.sql")),
];

/// The version that this crate needs. A later one is an addition to it.
pub(crate) const VERSION: i32 = FILES[FILES.len() - 1].0;

/// Held to the end of the transaction, so that of several nodes which start at once the others wait
/// and find nothing left to do. The number is the first eight bytes of "keyward migrations".
const LOCK: &str = "SELECT pg_advisory_xact_lock(7738152069870315379)";

const HAS_LEDGER: &str = "SELECT to_regclass('keyward.migrations') IS NOT NULL";
const LAST_FILE: &str = "SELECT coalesce(max(version), 0) FROM keyward.migrations";

pub(crate) async fn migrate(connection: &mut PgConnection) -> Result<(), Failure> {
    let mut transaction = connection.begin().await?;
    sqlx::query(LOCK).execute(&mut *transaction).await?;
    let present = version(&mut transaction).await?;
    for (_, file) in FILES.iter().filter(|(version, _)| *version > present) {
        sqlx::raw_sql(*file).execute(&mut *transaction).await?;
    }
    transaction.commit().await?;
    Ok(())
}

/// The last file that has been run; 0 when none has. Nothing is prepared for it, so that it is told
/// right through whatever pooler.
pub(crate) async fn version(connection: &mut PgConnection) -> Result<i32, Failure> {
    let row = sqlx::raw_sql(HAS_LEDGER)
        .fetch_one(&mut *connection)
        .await?;
    if !row.try_get::<bool, _>(0)? {
        return Ok(0);
    }
    Ok(sqlx::raw_sql(LAST_FILE)
        .fetch_one(connection)
        .await?
        .try_get(0)?)
}
