use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};
use keyward_core::{Denied, DeniedKind};

use super::{GrpcStatus, Reject};

/// Answers with a problem of RFC 9457 and, where a credential would help, with a challenge of
/// RFC 6750; requests of gRPC with a gRPC status.
#[derive(Clone, Debug)]
pub struct ProblemJson {
    realm: HeaderValue,
}

impl ProblemJson {
    /// Names the realm of the challenge (RFC 9110 §11.5): which part of the service the key is for.
    ///
    /// # Errors
    /// [`InvalidRealm`](http::header::InvalidHeaderValue) for text that cannot stand in a header.
    pub fn realm(realm: &str) -> Result<Self, http::header::InvalidHeaderValue> {
        let escaped = realm.replace('\\', r"\\").replace('"', r#"\""#);
        let realm = HeaderValue::from_str(&format!("Bearer realm=\"{escaped}\""))?;
        Ok(Self { realm })
    }

    /// The challenge for this refusal; `None` where no credential would help.
    fn challenge(&self, denied: &Denied) -> Option<HeaderValue> {
        let error = match denied.kind() {
            DeniedKind::NoCredential | DeniedKind::NotEntitled => return Some(self.realm.clone()),
            DeniedKind::InvalidRequest => "invalid_request",
            DeniedKind::InvalidToken => "invalid_token",
            DeniedKind::InsufficientScope => "insufficient_scope",
            _ => return None,
        };
        let mut challenge = self.realm.as_bytes().to_vec();
        challenge.extend_from_slice(format!(", error=\"{error}\"").as_bytes());
        if let Some(required) = denied.required_scopes() {
            // A scope-token has neither quotes nor backslashes.
            challenge.extend_from_slice(format!(", scope=\"{required}\"").as_bytes());
        }
        HeaderValue::from_bytes(&challenge).ok()
    }
}

impl Default for ProblemJson {
    fn default() -> Self {
        Self {
            realm: HeaderValue::from_static("Bearer realm=\"api\""),
        }
    }
}

impl<B: Default + From<Bytes>> Reject<B> for ProblemJson {
    fn reject(&self, denied: &Denied) -> Response<B> {
        if denied.is_grpc() {
            return GrpcStatus::new().reject(denied);
        }
        let kind = denied.kind();
        let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::FORBIDDEN);
        let mut response = Response::new(B::from(body(denied, status)));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge(denied) {
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        if let Some(after) = denied.retry_after() {
            headers.insert(RETRY_AFTER, HeaderValue::from(after.as_secs().max(1)));
        }
        response
    }
}

/// RFC 9457 §3, with `about:blank` as its type, which is left out, and two members of our own:
/// `code`, and `scope` where one is missing.
fn body(denied: &Denied, status: StatusCode) -> Bytes {
    let (code, detail) = (denied.kind().code(), denied.kind().detail());
    let title = status.canonical_reason().unwrap_or_default();
    let number = status.as_u16();
    // None of these texts holds a character that JSON escapes; nor does a scope-token.
    let scope = denied
        .required_scopes()
        .map(|scopes| format!(",\"scope\":\"{scopes}\""));
    let scope = scope.unwrap_or_default();
    let body = format!(
        "{{\"title\":\"{title}\",\"status\":{number},\"code\":\"{code}\",\"detail\":\"{detail}\"{scope}}}"
    );
    Bytes::from(body)
}
