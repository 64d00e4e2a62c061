//! Pages of keys.

use keyward_store::{KeyFilter, ListQuery, Page};
use sqlx::PgConnection;

use crate::error::Failure;
use crate::rows::{Columns, snapshot_columns, snapshot_joins};
use crate::time::micros;

/// One statement for each way to an index.
macro_rules! list {
    ($whose:literal) => {
        concat!(
            "SELECT ",
            snapshot_columns!(),
            " FROM (SELECT * FROM keyward.keys WHERE ",
            $whose,
            " AND ($1 OR revoked_at IS NULL) \
             AND (created_at, id) < (coalesce(keyward.at($2), 'infinity'), $3) \
             ORDER BY created_at DESC, id DESC LIMIT $4) k",
            snapshot_joins!(),
            " ORDER BY k.created_at DESC, k.id DESC"
        )
    };
}

const ALL: &str = list!("true");
const OF_TENANT: &str = list!("tenant = $5");
const OF_OWNER: &str = list!("owner_kind = $5 AND owner_id = $6");
const OF_BOTH: &str = list!("tenant = $5 AND owner_kind = $6 AND owner_id = $7");

pub(crate) async fn list(
    connection: &mut PgConnection,
    query: &ListQuery,
) -> Result<Page, Failure> {
    let limit = query.limit.clamp(1, ListQuery::MAX_LIMIT);
    let KeyFilter {
        tenant,
        owner,
        revoked,
        ..
    } = &query.filter;
    let statement = match (tenant, owner) {
        (None, None) => ALL,
        (Some(_), None) => OF_TENANT,
        (None, Some(_)) => OF_OWNER,
        (Some(_), Some(_)) => OF_BOTH,
    };
    let after = query.after.as_ref();
    let mut statement = sqlx::query(statement)
        .bind(revoked)
        .bind(after.and_then(|place| micros(place.created_at)))
        .bind(after.map_or("", |place| place.key.as_str()))
        .bind(i64::try_from(limit + 1).unwrap_or(i64::MAX));
    if let Some(tenant) = tenant {
        statement = statement.bind(tenant.as_str());
    }
    if let Some(owner) = owner {
        statement = statement.bind(owner.kind()).bind(owner.id());
    }
    let rows = statement.fetch_all(connection).await?;
    let keys = rows.iter().map(|row| Columns::new(row).snapshot());
    let keys = keys
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(Page::new(keys, limit))
}
