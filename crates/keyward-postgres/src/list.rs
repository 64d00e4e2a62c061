//! Pages of keys.

use keyward_store::{KeyFilter, ListQuery, Owner, Page};
use sqlx::PgConnection;

use crate::error::Failure;
use crate::filter::{hidden, kept, may_be_there};
use crate::rows::{Columns, snapshot_columns, snapshot_joins};
use crate::time::Bound;

/// The function has one statement for each way to an index.
const PAGE: &str = concat!(
    "SELECT ",
    snapshot_columns!(),
    " FROM keyward.page(ROW ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, \
        $15, $16)::keyward.filter, $17, $18, $19) k",
    snapshot_joins!(),
    " ORDER BY k.created_at DESC, k.id DESC"
);

pub(crate) async fn list(
    connection: &mut PgConnection,
    query: &ListQuery,
) -> Result<Page, Failure> {
    let limit = query.limit.clamp(1, ListQuery::MAX_LIMIT);
    let filter: &KeyFilter = &query.filter;
    let unknown = || Failure::Unfit("this filter is not known here".to_owned());
    let (hash, pepper) = kept(filter.kept.as_ref()).ok_or_else(unknown)?;
    let texts = [
        filter.tenant.as_ref().map(|tenant| tenant.as_str()),
        filter.owner.as_ref().map(Owner::kind),
        filter.owner.as_ref().map(Owner::id),
        filter.environment.as_deref(),
        filter.prefix.as_deref(),
        filter.tag.as_deref(),
        filter.lookup.as_deref(),
        pepper,
    ];
    if !texts.into_iter().flatten().all(may_be_there) {
        return Ok(Page::default());
    }
    let [
        tenant,
        owner_kind,
        owner_id,
        environment,
        prefix,
        tag,
        lookup,
        _,
    ] = texts;
    let after = query.after.as_ref();
    let rows = sqlx::query(PAGE)
        .bind(tenant)
        .bind(owner_kind)
        .bind(owner_id)
        .bind(environment)
        .bind(prefix)
        .bind(tag)
        .bind(hidden(filter.statuses))
        .bind(filter.at.map(Bound::up_to))
        .bind(filter.created_before.map(Bound::before))
        .bind(filter.ends_before.map(Bound::before))
        .bind(filter.over_before.map(Bound::before))
        .bind(filter.used_since.map(Bound::before))
        .bind(filter.idle_since.map(Bound::before))
        .bind(hash)
        .bind(pepper)
        .bind(lookup)
        .bind(after.map_or(Bound::NEVER, |place| Bound::up_to(place.created_at)))
        .bind(after.map_or("", |place| place.key.as_str()))
        .bind(i64::try_from(limit + 1).unwrap_or(i64::MAX))
        .fetch_all(connection)
        .await?;
    let keys = rows.iter().map(|row| Columns::new(row).snapshot());
    let keys = keys
        .filter_map(Result::transpose)
        .collect::<Result<_, _>>()?;
    Ok(Page::new(keys, limit))
}
