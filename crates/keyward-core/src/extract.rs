//! The extractors of axum, which only this crate may implement for its types.

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use http::{HeaderValue, StatusCode, header};

use crate::{Anonymous, Denied, Principal};

/// The verified key of the request. Without one the handler is not called.
impl<S: Sync> FromRequestParts<S> for Principal {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Denied> {
        match parts.extensions.get::<Self>() {
            Some(principal) => Ok(principal.clone()),
            None => Err(missing(parts)),
        }
    }
}

/// The verified key of the request, or `None` when it bore no credential and the layer is
/// optional. A bad credential never comes this far.
impl<S: Sync> OptionalFromRequestParts<S> for Principal {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Option<Self>, Denied> {
        match parts.extensions.get::<Self>() {
            Some(principal) => Ok(Some(principal.clone())),
            None if parts.extensions.get::<Anonymous>().is_some() => Ok(None),
            None => Err(missing(parts)),
        }
    }
}

fn missing(parts: &Parts) -> Denied {
    if parts.extensions.get::<Anonymous>().is_some() {
        Denied::no_credential()
    } else {
        tracing::error!(target: "keyward", "a handler asks for a Principal without ApiKeyLayer");
        Denied::layer_missing()
    }
}

/// A plain answer, with the refusal in its extensions: the layer makes the real answer of it on
/// the way out.
impl IntoResponse for Denied {
    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.kind().detail()));
        let status = StatusCode::from_u16(self.kind().status());
        *response.status_mut() = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("text/plain; charset=utf-8"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response.extensions_mut().insert(self);
        response
    }
}
