//! Where the documents of the product promise another answer than the library gives.

use axum::Json;
use axum::extract::Request;
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// A revocation is answered by `{"success": true}`.
pub(crate) async fn answer(request: Request, next: Next) -> Response {
    let is_revocation = request.method() == Method::DELETE;
    let mut answer = next.run(request).await;
    if is_revocation && answer.status() == StatusCode::NO_CONTENT {
        let headers = std::mem::take(answer.headers_mut());
        answer = Json(json!({ "success": true })).into_response();
        for (name, value) in headers {
            if let Some(name) = name {
                answer.headers_mut().entry(name).or_insert(value);
            }
        }
    }
    answer
}
