//! Pages of keys.

use keyward_store::{KeyFilter, ListQuery, Owner, Page};
use sqlx::PgConnection;

use crate::error::Failure;
use crate::filter::{kept, statuses};
use crate::rows::{Columns, snapshot_columns, snapshot_joins};
use crate::time::Bound;

/// One statement for each way to an index. What makes the way narrow says nothing that the filter does
/// not say too.
macro_rules! list {
    ($whose:literal) => {
        concat!(
            "SELECT ",
            snapshot_columns!(),
            " FROM (SELECT k.* FROM keyward.keys k \
             LEFT JOIN keyward.last_used u ON u.key = k.id WHERE ",
            $whose,
            " AND keyward.admits(ROW ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, \
                $17, $18)::keyward.filter, k, u.at, statement_timestamp()) \
             AND (k.created_at, k.id) < ($1, $2) \
             ORDER BY k.created_at DESC, k.id DESC LIMIT $3) k",
            snapshot_joins!(),
            " ORDER BY k.created_at DESC, k.id DESC"
        )
    };
}

const ALL: &str = list!("true");
const OF_TENANT: &str = list!("k.tenant = $4");
const OF_OWNER: &str = list!("k.owner_kind = $5 AND k.owner_id = $6");
/// What ends soon is few of many.
const ENDING: &str = list!(
    "(k.expires_at IS NOT NULL OR k.retires_at IS NOT NULL) \
     AND least(k.expires_at, k.retires_at) < $13"
);

pub(crate) async fn list(
    connection: &mut PgConnection,
    query: &ListQuery,
) -> Result<Page, Failure> {
    let limit = query.limit.clamp(1, ListQuery::MAX_LIMIT);
    let KeyFilter {
        tenant,
        owner,
        environment,
        prefix,
        tag,
        created_before,
        ends_before,
        over_before,
        used_since,
        idle_since,
        ..
    } = &query.filter;
    // An owner has fewer keys than a tenant.
    let statement = match (owner, tenant, ends_before) {
        (Some(_), _, _) => OF_OWNER,
        (None, Some(_), _) => OF_TENANT,
        (None, None, Some(_)) => ENDING,
        (None, None, None) => ALL,
    };
    let unknown = || Failure::Unfit("this filter is not known here".to_owned());
    let (hash, pepper) = kept(query.filter.kept.as_ref()).ok_or_else(unknown)?;
    let after = query.after.as_ref();
    let rows = sqlx::query(statement)
        .bind(after.map_or(Bound::NEVER, |place| Bound::up_to(place.created_at)))
        .bind(after.map_or("", |place| place.key.as_str()))
        .bind(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .bind(tenant.as_ref().map(|tenant| tenant.as_str()))
        .bind(owner.as_ref().map(Owner::kind))
        .bind(owner.as_ref().map(Owner::id))
        .bind(environment)
        .bind(prefix)
        .bind(tag)
        .bind(statuses(query.filter.statuses))
        .bind(query.filter.at.map(Bound::up_to))
        .bind(created_before.map(Bound::before))
        .bind(ends_before.map(Bound::before))
        .bind(over_before.map(Bound::before))
        .bind(used_since.map(Bound::before))
        .bind(idle_since.map(Bound::before))
        .bind(hash)
        .bind(pepper)
        .fetch_all(connection)
        .await?;
    let keys = rows.iter().map(|row| Columns::new(row).snapshot());
    let keys = keys
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(Page::new(keys, limit))
}
