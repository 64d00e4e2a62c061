use std::sync::Arc;

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::header::{HeaderValue, InvalidHeaderValue};
use http::{Response, StatusCode};
use keyward_core::{Denied, DeniedKind};
use keyward_store::Scopes;

use super::{GrpcStatus, Reject};

/// Answers with a problem of RFC 9457 and, where a credential would help, with a challenge of
/// RFC 6750; requests of gRPC with a gRPC status.
/// The default has the realm `api`.
#[derive(Clone, Debug, Default)]
pub struct ProblemJson(Option<Arc<Challenges>>);

/// The challenges of one realm, written once.
#[derive(Debug)]
struct Challenges {
    plain: HeaderValue,
    invalid_request: HeaderValue,
    invalid_token: HeaderValue,
    insufficient_scope: HeaderValue,
}

impl ProblemJson {
    /// Names the realm of the challenge (RFC 9110 §11.5): which part of the service the key is for.
    ///
    /// # Errors
    /// [`InvalidHeaderValue`](http::header::InvalidHeaderValue) for text that cannot stand in a
    /// header.
    pub fn realm(realm: &str) -> Result<Self, InvalidHeaderValue> {
        let escaped = realm.replace('\\', r"\\").replace('"', r#"\""#);
        let challenge =
            |rest: &str| HeaderValue::from_str(&format!("Bearer realm=\"{escaped}\"{rest}"));
        Ok(Self(Some(Arc::new(Challenges {
            plain: challenge("")?,
            invalid_request: challenge(", error=\"invalid_request\"")?,
            invalid_token: challenge(", error=\"invalid_token\"")?,
            insufficient_scope: challenge(", error=\"insufficient_scope\"")?,
        }))))
    }

    /// The challenge for this refusal; `None` where no credential would help.
    fn challenge(&self, denied: &Denied) -> Option<HeaderValue> {
        let Challenges {
            plain,
            invalid_request,
            invalid_token,
            insufficient_scope,
        } = self.0.as_deref().unwrap_or(&API);
        match denied.kind() {
            DeniedKind::NoCredential | DeniedKind::NotEntitled => Some(plain.clone()),
            DeniedKind::InvalidRequest => Some(invalid_request.clone()),
            DeniedKind::InvalidToken => Some(invalid_token.clone()),
            DeniedKind::InsufficientScope => match denied.required_scopes() {
                None => Some(insufficient_scope.clone()),
                Some(required) => with_scope(insufficient_scope, required),
            },
            _ => None,
        }
    }
}

/// A scope-token has neither quotes nor backslashes, so it needs no escaping here, nor in JSON.
fn with_scope(challenge: &HeaderValue, required: &Scopes) -> Option<HeaderValue> {
    let mut challenge = challenge.as_bytes().to_vec();
    challenge.extend_from_slice(b", scope=\"");
    push_words(&mut challenge, required);
    challenge.push(b'"');
    HeaderValue::from_maybe_shared(Bytes::from(challenge)).ok()
}

fn push_words(text: &mut Vec<u8>, scopes: &Scopes) {
    for (n, scope) in scopes.iter().enumerate() {
        if n > 0 {
            text.push(b' ');
        }
        text.extend_from_slice(scope.as_str().as_bytes());
    }
}

static API: Challenges = Challenges {
    plain: HeaderValue::from_static("Bearer realm=\"api\""),
    invalid_request: HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_request\""),
    invalid_token: HeaderValue::from_static("Bearer realm=\"api\", error=\"invalid_token\""),
    insufficient_scope: HeaderValue::from_static(
        "Bearer realm=\"api\", error=\"insufficient_scope\"",
    ),
};

impl<B: Default + From<Bytes>> Reject<B> for ProblemJson {
    fn reject(&self, denied: &Denied) -> Response<B> {
        if denied.is_grpc() {
            return GrpcStatus::new().reject(denied);
        }
        let status = StatusCode::from_u16(denied.kind().status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
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
    let mut body = Vec::with_capacity(256);
    // None of these texts holds a character that JSON escapes.
    for piece in [
        "{\"title\":\"",
        status.canonical_reason().unwrap_or_default(),
        "\",\"status\":",
        status.as_str(),
        ",\"code\":\"",
        denied.kind().code(),
        "\",\"detail\":\"",
        denied.kind().detail(),
        "\"",
    ] {
        body.extend_from_slice(piece.as_bytes());
    }
    if let Some(required) = denied.required_scopes() {
        body.extend_from_slice(b",\"scope\":\"");
        push_words(&mut body, required);
        body.push(b'"');
    }
    body.push(b'}');
    Bytes::from(body)
}
