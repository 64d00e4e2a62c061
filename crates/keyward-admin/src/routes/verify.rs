use axum::Json;
use axum::extract::State;
use keyward::{DeniedKind, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

use crate::admin::{Asker, Desk};
use crate::body::Body;
use crate::params::NoParams;
use crate::problem::Problem;

/// A key to be looked at.
#[derive(ToSchema)]
struct PresentedApiKey {
    /// The whole key.
    key: String,
}

/// What may be known of a key.
#[derive(Serialize, ToSchema)]
pub(crate) struct ApiKeyVerdict {
    /// Whether it is a good key of the same tenant.
    valid: bool,
}

/// Tell whether a key is good
///
/// Of keys of other tenants it tells nothing. To ask counts as a use of the key.
#[utoipa::path(
    post,
    path = "/api-keys/verify",
    operation_id = "verifyApiKey",
    tag = "API keys",
    request_body = PresentedApiKey,
    responses((status = 200, description = "Whether it is good", body = ApiKeyVerdict)),
)]
pub(crate) async fn verify(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    _: NoParams,
    Body(mut fields): Body,
) -> Result<Json<ApiKeyVerdict>, Problem> {
    let key = fields.required_text("key").unwrap_or_default();
    let presented = PresentedApiKey { key };
    fields.finish()?;
    let rights = desk.keys.acting_as(&actor).rights();
    let may_ask = desk.introspection.as_ref().is_some_and(|scope| {
        let rights = rights.as_ref();
        rights.is_none_or(|rights| rights.allows(scope))
    });
    if !may_ask {
        return Err(match actor.is_key() {
            true => Refusal::ByKey.into(),
            false => Refusal::Role.into(),
        });
    }
    let verified = desk.keys.verifier();
    let valid = match verified.verify(presented.key.as_bytes()).await {
        Ok(principal) => principal.tenant() == actor.tenant().as_str(),
        Err(denied) if denied.kind() == DeniedKind::Unavailable => {
            return Err(Problem::unavailable());
        }
        Err(_) => false,
    };
    Ok(Json(ApiKeyVerdict { valid }))
}
