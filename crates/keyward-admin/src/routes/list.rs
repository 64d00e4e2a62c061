use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::http::header::LINK;
use axum::response::{AppendHeaders, IntoResponse, Response};
use keyward::{Actor, KeyFilter, ListQuery, Page};

use crate::admin::{Asker, Desk};
use crate::paging::List;
use crate::params::Params;
use crate::problem::Problem;
use crate::view::KeyView;

/// List keys
///
/// Those that you may see, newest first; revoked and retired ones only where `status` asks for them.
#[utoipa::path(
    get,
    path = "/api-keys",
    operation_id = "listApiKeys",
    tag = "API keys",
    params(
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "The most keys on a page; 50"),
        ("cursor" = Option<String>, Query, description = "Where to go on, from the link to the next page"),
        ("status" = Option<String>, Query,
            pattern = "^(all|(active|retiring|suspended|expired|retired|revoked)(,(active|retiring|suspended|expired|retired|revoked))*)$",
            description = "Words for statuses with commas between them, or `all`"),
        ("owner" = Option<String>, Query, pattern = "^[!-9;-~]{1,255}:[!-~]{1,255}$", description = "Keys of this owner, as in `user:7`"),
        ("environment" = Option<String>, Query, min_length = 1, max_length = 255, description = "Keys for this environment"),
        ("tag" = Option<String>, Query, min_length = 1, max_length = 255, description = "Keys that bear this tag"),
        ("prefix" = Option<String>, Query, min_length = 1, max_length = 255, description = "Keys whose format has this prefix"),
        ("unusedFor" = Option<u64>, Query, maximum = 3155760000u64, description = "Keys that were neither used nor \
            issued for so many seconds"),
        ("endsWithin" = Option<u64>, Query, maximum = 3155760000u64, description = "Keys that are good and end \
            within so many seconds"),
    ),
    responses((status = 200, description = "The keys", body = Vec<KeyView>,
        headers(("Link" = String, description = "The next page, if there is one, with `rel=\"next\"`")))),
)]
pub(crate) async fn list(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    mut params: Params,
) -> Result<Response, Problem> {
    let mut filter = KeyFilter::listed();
    if let Some(statuses) = params.statuses("status") {
        filter = filter.standing(statuses);
    }
    filter.owner = params.owner("owner");
    filter.environment = params.word("environment");
    filter.tag = params.word("tag");
    filter.prefix = params.word("prefix");
    if let Some(idle) = params.seconds("unusedFor") {
        filter = filter.idle_since(long_ago(desk.keys.now(), idle));
    }
    let within = params.seconds("endsWithin");
    page(&desk, &actor, "keys", params, filter, within).await
}

/// List keys that nobody uses
#[utoipa::path(
    get,
    path = "/api-keys/reports/unused",
    operation_id = "listUnusedApiKeys",
    tag = "API keys",
    params(
        ("days" = Option<u32>, Query, minimum = 1, maximum = 36500, description = "Neither used nor issued for so \
            many days; 90"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "The most keys on a page; 50"),
        ("cursor" = Option<String>, Query, description = "Where to go on, from the link to the next page"),
    ),
    responses((status = 200, description = "The keys", body = Vec<KeyView>,
        headers(("Link" = String, description = "The next page, if there is one, with `rel=\"next\"`")))),
)]
pub(crate) async fn unused(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    mut params: Params,
) -> Result<Response, Problem> {
    let idle = params.days("days").unwrap_or(90 * DAY);
    let filter = KeyFilter::listed().idle_since(long_ago(desk.keys.now(), idle));
    page(&desk, &actor, "unused", params, filter, None).await
}

/// List keys that end soon
///
/// Because they expire, or because another key takes their place.
#[utoipa::path(
    get,
    path = "/api-keys/reports/expiring",
    operation_id = "listExpiringApiKeys",
    tag = "API keys",
    params(
        ("days" = Option<u32>, Query, minimum = 1, maximum = 36500, description = "Good now, and for so many days at \
            most; 30"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "The most keys on a page; 50"),
        ("cursor" = Option<String>, Query, description = "Where to go on, from the link to the next page"),
    ),
    responses((status = 200, description = "The keys", body = Vec<KeyView>,
        headers(("Link" = String, description = "The next page, if there is one, with `rel=\"next\"`")))),
)]
pub(crate) async fn expiring(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    mut params: Params,
) -> Result<Response, Problem> {
    let within = params.days("days").unwrap_or(30 * DAY);
    let filter = KeyFilter::listed();
    page(&desk, &actor, "expiring", params, filter, Some(within)).await
}

async fn page(
    desk: &Desk,
    actor: &Actor,
    name: &str,
    mut params: Params,
    filter: KeyFilter,
    within: Option<Duration>,
) -> Result<Response, Problem> {
    let (limit, cursor) = (params.limit(), params.cursor());
    let list = List::new(name, actor, params.finish()?, limit);
    let mut query = ListQuery::new(filter).limit(limit);
    query.after = list.key(cursor.as_deref())?;
    let acting = desk.keys.acting_as(actor);
    let Page { keys, next, .. } = match within {
        None => acting.list(&query).await?,
        Some(within) => acting.ending_within(within, query).await?,
    };
    let now = desk.keys.now();
    let keys: Vec<_> = keys.iter().map(|key| KeyView::new(key, now)).collect();
    let link = next.and_then(|place| list.after_key(&place));
    let links = AppendHeaders(link.map(|link| (LINK, link)));
    Ok((links, Json(keys)).into_response())
}

/// That time before now; the beginning of 1970 for all that lies before it, where there were no keys.
pub(super) fn long_ago(now: SystemTime, ago: Duration) -> SystemTime {
    let then = now.checked_sub(ago);
    then.map_or(SystemTime::UNIX_EPOCH, |then| {
        then.max(SystemTime::UNIX_EPOCH)
    })
}

const DAY: Duration = Duration::from_secs(24 * 3600);
