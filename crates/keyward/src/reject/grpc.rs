use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Response, StatusCode};
use keyward_core::Denied;

use super::Reject;

/// Answers with a gRPC status alone (a Trailers-Only response of the gRPC protocol): HTTP 200,
/// `grpc-status` and `grpc-message`.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GrpcStatus;

impl GrpcStatus {
    /// The only one there is.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

impl<B: Default> Reject<B> for GrpcStatus {
    fn reject(&self, denied: &Denied) -> Response<B> {
        let mut response = Response::new(B::default());
        *response.status_mut() = StatusCode::OK;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
        headers.insert(
            STATUS,
            HeaderValue::from(u16::from(denied.kind().grpc_status())),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // The sentences are plain ASCII without `%`, so nothing of them is to be encoded.
        headers.insert(MESSAGE, HeaderValue::from_static(denied.kind().detail()));
        response
    }
}

const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
