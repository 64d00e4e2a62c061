//! What must be right before a service starts.

use sqlx::postgres::PgConnectOptions;
use sqlx::{Connection, PgConnection, Row};

use crate::error::Failure;
use crate::migrate::{VERSION, version};
use crate::pooler::{Way, probe};

/// Triggers that are missing, or not always fired.
const SILENT_TRIGGERS: &str = "\
    SELECT count(*) FROM (VALUES ('keys'), ('tenants'), ('owners')) AS t (name) \
    CROSS JOIN (VALUES ('keyward_changed'), ('keyward_truncated')) AS g (name) \
    WHERE NOT EXISTS (SELECT FROM pg_trigger p \
        WHERE p.tgrelid = to_regclass('keyward.' || t.name) \
        AND p.tgname = g.name AND p.tgenabled = 'A')";

const SETTINGS: &str = "\
    SELECT pg_is_in_recovery(), current_setting('server_encoding') = 'UTF8', \
        current_setting('default_transaction_isolation') = 'read committed', \
        current_setting('default_transaction_read_only')::boolean";

pub(crate) async fn check(
    pool: &PgConnectOptions,
    direct: &PgConnectOptions,
) -> Result<(), Failure> {
    if probe(pool).await? == Way::Unsafe {
        return unfit(
            "the pool goes through a pooler that hands out servers by transaction and leaves \
             prepared statements behind, so that one request could be answered with the rows of \
             another: PgBouncer must be 1.21 or newer with max_prepared_statements above 0, or \
             have pool_mode = session",
        );
    }
    if probe(direct).await? != Way::Direct {
        return unfit(
            "news of changes cannot come through a pooler that hands out servers by transaction: \
             give the store a direct address with PostgresStore::direct",
        );
    }
    let mut connection = PgConnection::connect_with(pool).await?;
    settings(&mut connection).await?;
    schema(&mut connection).await?;
    connection.close().await?;
    let mut connection = PgConnection::connect_with(direct).await?;
    settings(&mut connection).await?;
    connection.close().await?;
    Ok(())
}

async fn settings(connection: &mut PgConnection) -> Result<(), Failure> {
    let row = sqlx::query(SETTINGS).fetch_one(connection).await?;
    if row.try_get(0)? {
        return unfit("this is a standby: keys are kept by the primary");
    }
    if !row.try_get::<bool, _>(1)? {
        return unfit("the database must have the encoding UTF8");
    }
    if !row.try_get::<bool, _>(2)? {
        return unfit(
            "default_transaction_isolation must be \"read committed\" for these connections",
        );
    }
    if row.try_get(3)? {
        return unfit("default_transaction_read_only must be off for these connections");
    }
    Ok(())
}

async fn schema(connection: &mut PgConnection) -> Result<(), Failure> {
    match version(connection).await? {
        0 => {
            return unfit(
                "there is no schema yet: call PostgresStore::migrate, or run the files in migrations/",
            );
        }
        present if present < VERSION => {
            return Err(Failure::Unfit(format!(
                "the schema is at version {present} and must be at {VERSION}: call \
                 PostgresStore::migrate, or run the files in migrations/"
            )));
        }
        _ => {}
    }
    let silent: i64 = sqlx::query(SILENT_TRIGGERS)
        .fetch_one(connection)
        .await?
        .try_get(0)?;
    if silent > 0 {
        return unfit(
            "a trigger that tells of changes is missing or not set to fire always: without it, \
             revoked keys would live on in caches",
        );
    }
    Ok(())
}

fn unfit<T>(why: &str) -> Result<T, Failure> {
    Err(Failure::Unfit(why.to_owned()))
}
