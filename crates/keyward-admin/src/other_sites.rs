use std::convert::Infallible;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tower_http::csrf::CsrfLayer;
use tower_layer::Layer;
use tower_service::Service;

use crate::problem::Problem;

/// Refuses what a page of another site makes a browser send with the cookies of this one, unless it
/// changes nothing.
pub(crate) async fn from_here(
    State(csrf): State<CsrfLayer>,
    request: Request,
    next: Next,
) -> Response {
    if has_bearer(request.headers()) {
        return next.run(request).await;
    }
    // The layer's own way around it knows no headers. `Next` is ready at any time.
    let refused = |_| {
        let detail = "Requests from pages of another site are not accepted here.";
        Problem::new(StatusCode::FORBIDDEN, "cross_site", detail).into_response()
    };
    let mut checked = csrf.with_rejection_response(refused).layer(next);
    let Ok::<_, Infallible>(response) = checked.call(request).await;
    response
}

/// Whether the client itself has put a token in. `Basic` and `Negotiate` say nothing of the kind: browsers
/// add them by themselves, as they do cookies.
fn has_bearer(headers: &HeaderMap) -> bool {
    let value = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok());
    let scheme = value.and_then(|value| value.split_once(' '));
    scheme.is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
}
