use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use utoipa::ToSchema;

use super::create::{IssuedApiKey, told_once};
use crate::admin::{Asker, Desk, Named};
use crate::body::OptionalBody;
use crate::params::NoParams;
use crate::problem::Problem;

/// How a key is replaced.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ApiKeyRotation {
    /// How many seconds the old key is good beside the new one; 0 unless said otherwise.
    #[schema(nullable = false, value_type = Option<u64>)]
    overlap_seconds: Option<Duration>,
}

/// Replace a key by a new one
///
/// It may do what the old one may, and has its name, scopes, limits and expiry.
#[utoipa::path(
    post,
    path = "/api-keys/{id}/rotate",
    operation_id = "rotateApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The old key's name")),
    request_body = ApiKeyRotation,
    responses(
        (status = 201, description = "The new key, which is told here and never again", body = IssuedApiKey<'static>),
        (status = 409, description = "The old key is not good any more, or has been replaced already",
            body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn rotate(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
    OptionalBody(mut fields): OptionalBody,
) -> Result<Response, Problem> {
    let overlap_seconds = fields.seconds("overlapSeconds");
    let rotation = ApiKeyRotation { overlap_seconds };
    fields.finish()?;
    let overlap = rotation.overlap_seconds.unwrap_or_default();
    let rotated = desk
        .keys
        .acting_as(&actor)
        .rotate(&id)
        .overlap(overlap)
        .await;
    let rotated =
        rotated.map_err(|error| Problem::from(error).about("expiresAt", "overlapSeconds"))?;
    Ok(told_once(&rotated))
}

/// Undo the replacement of a key
///
/// While both keys are good: the new one is revoked, and the old one stays as it was before. Either may be
/// named.
#[utoipa::path(
    delete,
    path = "/api-keys/{id}/rotation",
    operation_id = "undoApiKeyRotation",
    tag = "API keys",
    params(("id" = String, Path, description = "The name of the old key, or of the new one")),
    responses(
        (status = 204, description = "It is undone"),
        (status = 409, description = "There is nothing to undo", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn undo(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
) -> Result<StatusCode, Problem> {
    desk.keys.acting_as(&actor).undo_rotation(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}
