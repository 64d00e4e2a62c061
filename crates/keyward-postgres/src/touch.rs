//! Last uses: beside the records, and never in the way of anyone.

use keyward_store::Use;
use sqlx::PgConnection;

use crate::error::Failure;
use crate::time::micros;

/// One statement for the whole batch. It takes no lock on a key and is no change; and nobody waits
/// for the disk, since a use that is lost in a crash of the server is made up for by the next.
/// Sorted, so that batches do not block each other crosswise.
const TOUCH: &str = "\
    WITH lazily AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true)), \
    uses AS (SELECT u.key, max(u.at) AS at FROM lazily, unnest($1::text[], $2::bigint[]) AS u (key, at) \
        GROUP BY u.key) \
    INSERT INTO keyward.last_used AS l (key, at) \
    SELECT k.id, keyward.at(u.at) FROM uses u JOIN keyward.keys k ON k.id = u.key ORDER BY k.id \
    ON CONFLICT (key) DO UPDATE SET at = excluded.at WHERE l.at < excluded.at";

pub(crate) async fn touch(connection: &mut PgConnection, uses: &[Use]) -> Result<(), Failure> {
    let keys: Vec<&str> = uses.iter().map(|one| one.key.as_str()).collect();
    let times: Vec<i64> = uses
        .iter()
        .map(|one| micros(one.at).unwrap_or(i64::MAX))
        .collect();
    sqlx::query(TOUCH)
        .bind(keys)
        .bind(times)
        .execute(connection)
        .await?;
    Ok(())
}
