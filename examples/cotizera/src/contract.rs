//! Where the documents of the product promise another answer than the library gives.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use keyward::{Keyward, ListQuery};
use keyward_admin::{Actors, KeyView, Problem};
use serde_json::{Value, json};

/// The keys, and who manages them.
#[derive(Clone)]
pub(crate) struct Contract {
    keys: Keyward,
    users: Arc<dyn Actors>,
}

impl Contract {
    pub(crate) fn new(keys: Keyward, users: impl Actors) -> Self {
        let users = Arc::new(users);
        Self { keys, users }
    }

    /// All keys of the tenant at once, with what the documents say of each.
    async fn list(&self, request: Request) -> Result<Vec<Value>, Response> {
        let (mut parts, _body) = request.into_parts();
        let user = self.users.actor(&mut parts).await?;
        let (mut keys, mut query) = (Vec::new(), ListQuery::all());
        loop {
            let page = self.keys.acting_as(&user).list(&query).await;
            let page = page.map_err(|error| Problem::from(error).into_response())?;
            for key in &page.keys {
                let key = KeyView::new(key, self.keys.now());
                keys.push(json!({
                    "id": key.id, "name": key.name, "prefix": key.prefix,
                    "lastUsedAt": key.last_used_at, "expiresAt": key.expires_at,
                    "isActive": key.is_active, "createdAt": key.created_at,
                }));
            }
            query.after = page.next;
            if query.after.is_none() {
                return Ok(keys);
            }
        }
    }
}

pub(crate) async fn answer(
    State(contract): State<Contract>,
    request: Request,
    next: Next,
) -> Response {
    let path = request.uri().path();
    let lists = request.method() == Method::GET && path.ends_with("/api-keys");
    let revokes = request.method() == Method::DELETE;
    let answer = match lists && request.uri().query().is_none() {
        true => contract.list(request).await.map(Json).into_response(),
        false => next.run(request).await,
    };
    if revokes && answer.status() == StatusCode::NO_CONTENT {
        return uncached(Json(json!({ "success": true })).into_response());
    }
    uncached(answer)
}

fn uncached(mut answer: Response) -> Response {
    let no_store = header::HeaderValue::from_static("no-store");
    answer.headers_mut().insert(header::CACHE_CONTROL, no_store);
    answer
}
