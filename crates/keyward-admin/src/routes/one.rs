use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use keyward::{Actor, KeyId};

use super::to_the_end;
use crate::admin::{Asker, Desk, Named};
use crate::body::NoBody;
use crate::params::NoParams;
use crate::problem::Problem;
use crate::view::KeyView;

/// Show a key
#[utoipa::path(
    get,
    path = "/api-keys/{id}",
    operation_id = "getApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's name")),
    responses((status = 200, description = "The key; also one that is revoked", body = KeyView)),
)]
pub(crate) async fn show(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
) -> Result<Json<KeyView>, Problem> {
    let found = desk.keys.acting_as(&actor).get(&id).await?;
    let found = found.ok_or_else(Problem::not_found)?;
    Ok(Json(KeyView::new(&found, desk.keys.now())))
}

/// Revoke a key
///
/// For good, and with it the key that it overlaps with.
#[utoipa::path(
    delete,
    path = "/api-keys/{id}",
    operation_id = "deleteApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's name")),
    responses(
        (status = 204, description = "It is revoked, now or already"),
        (status = 409, description = "Others were changing it", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn delete(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    revoked(desk, actor, id).await
}

/// Revoke a key
///
/// For good, and with it the key that it overlaps with.
#[utoipa::path(
    post,
    path = "/api-keys/{id}/revoke",
    operation_id = "revokeApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's name")),
    responses(
        (status = 204, description = "It is revoked, now or already"),
        (status = 409, description = "Others were changing it", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn revoke(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    revoked(desk, actor, id).await
}

async fn revoked(desk: Desk, actor: Actor, id: KeyId) -> Result<StatusCode, Problem> {
    to_the_end(async move { desk.keys.acting_as(&actor).revoke(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Suspend a key
///
/// It is refused until it is resumed.
#[utoipa::path(
    post,
    path = "/api-keys/{id}/suspend",
    operation_id = "suspendApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's name")),
    responses(
        (status = 204, description = "It is suspended, now or already"),
        (status = 409, description = "It is revoked or retired", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn suspend(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    to_the_end(async move { desk.keys.acting_as(&actor).suspend(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Resume a key
#[utoipa::path(
    post,
    path = "/api-keys/{id}/resume",
    operation_id = "resumeApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's name")),
    responses(
        (status = 204, description = "It is not suspended, any more or at all"),
        (status = 409, description = "It is revoked or retired", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn resume(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
    _: NoBody,
) -> Result<StatusCode, Problem> {
    desk.keys.acting_as(&actor).resume(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
