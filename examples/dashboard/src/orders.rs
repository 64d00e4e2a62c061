//! What the product is about, and the description of its whole API.

use axum::routing::get;
use axum::{Json, Router};
use keyward::{ApiKeyLayer, Principal, RequireScopes, Verifier};
use keyward_admin::{Admin, bearer_scheme, security_of};
use utoipa::OpenApi;

use crate::READ;

pub(crate) fn routes(verifier: Verifier) -> Router {
    Router::new()
        .route("/orders", get(list))
        .route_layer(guard())
        .layer(ApiKeyLayer::new(verifier))
}

/// What guards the orders says in their description what they need.
fn guard() -> RequireScopes {
    RequireScopes::all([READ])
}

/// List the orders
#[utoipa::path(get, path = "/orders", responses(
    (status = 200, description = "The orders", body = String, content_type = "text/plain"),
    (status = 400, description = "There are several keys, or what is there is malformed"),
    (status = 401, description = "There is no good key"),
    (status = 403, description = "The key may not read orders"),
    (status = 503, description = "It cannot be found out whether the key is good"),
))]
async fn list(key: Principal) -> String {
    format!("the orders of {}\n", key.tenant())
}

#[derive(OpenApi)]
#[openapi(info(title = "Acme", version = "1"), paths(list))]
struct Orders;

/// `/openapi.json`, with the management of keys in it.
pub(crate) fn description(admin: &Admin) -> Router {
    let mut orders = Orders::openapi();
    let components = orders.components.get_or_insert_default();
    components.add_security_scheme("apiKey", bearer_scheme("acme_live_…"));
    let path = orders.paths.paths.get_mut("/orders");
    if let Some(list) = path.and_then(|path| path.get.as_mut()) {
        list.security = Some(security_of("apiKey", &guard()));
    }
    let whole = orders.nest("/api", admin.openapi());
    Router::new().route("/openapi.json", get(async || Json(whole)))
}
