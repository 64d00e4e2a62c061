use axum::Json;
use axum::extract::State;
use axum::http::header::LINK;
use axum::response::{AppendHeaders, IntoResponse, Response};
use keyward::{AuditEntry, AuditQuery};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::{Asker, Desk, Named};
use crate::paging::List;
use crate::params::Params;
use crate::problem::Problem;
use crate::time::spelled;

/// Something that was done to a key, or happened to it.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ApiKeyEvent {
    /// Its place in the log: later events have higher ones.
    position: u64,
    /// When.
    #[schema(format = DateTime)]
    at: String,
    /// What, as a stable word such as `issued`, `rotated` or `revoked`.
    action: &'static str,
    /// Who did it; null for the operator and for the service itself.
    #[schema(required = true)]
    actor: Option<String>,
    /// What was changed, as it was before.
    #[schema(required = true, value_type = Option<Object>)]
    before: Option<Value>,
    /// The same as it was after; or what was wanted in vain.
    #[schema(required = true, value_type = Option<Object>)]
    after: Option<Value>,
    /// Why it was refused, where it was, as a stable word.
    #[schema(required = true)]
    refusal: Option<String>,
}

/// List what happened to a key
///
/// The newest first.
#[utoipa::path(
    get,
    path = "/api-keys/{id}/events",
    operation_id = "listApiKeyEvents",
    tag = "API keys",
    params(
        ("id" = String, Path, description = "The key's name"),
        ("limit" = Option<u32>, Query, minimum = 1, maximum = 100, description = "The most events on a page; 50"),
        ("cursor" = Option<String>, Query, description = "Where to go on, from the link to the next page"),
    ),
    responses((status = 200, description = "What happened", body = Vec<ApiKeyEvent>,
        headers(("Link" = String, description = "The next page, if there is one, with `rel=\"next\"`")))),
)]
pub(crate) async fn events(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    mut params: Params,
) -> Result<Response, Problem> {
    let (limit, cursor) = (params.limit(), params.cursor());
    let name = format!("events of {id}");
    let list = List::new(&name, &actor, params.finish()?, limit);
    // One more tells whether there is a next page.
    let mut query = AuditQuery::key(&id).newest_first().limit(limit + 1);
    query.after = list.position(cursor.as_deref())?;
    let acting = desk.keys.acting_as(&actor);
    acting.get(&id).await?.ok_or_else(Problem::not_found)?;
    let mut lines = acting.audit(&query).await?;
    let more = lines.len() > limit;
    lines.truncate(limit);
    let last = lines.last().filter(|_| more).map(|line| line.position);
    let link = last.and_then(|position| list.after_position(position));
    let events: Vec<_> = lines.into_iter().map(ApiKeyEvent::new).collect();
    let links = AppendHeaders(link.map(|link| (LINK, link)));
    Ok((links, Json(events)).into_response())
}

impl ApiKeyEvent {
    fn new(line: AuditEntry) -> Self {
        let AuditEntry { position, record } = line;
        let json = |text: Option<String>| serde_json::from_str(&text?).ok();
        Self {
            position,
            at: spelled(record.at),
            action: record.action.as_str(),
            actor: record.actor,
            before: json(record.before),
            after: json(record.after),
            refusal: record.refusal,
        }
    }
}
