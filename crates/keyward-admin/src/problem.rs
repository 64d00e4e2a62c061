use std::error::Error;

use axum::http::StatusCode;
use axum::http::header::{self, HeaderValue};
use axum::response::{IntoResponse, Response};
use keyward::{CommitError, Invalid, IssueError, KeyId, KeyStatus, LifecycleError, Refusal};
use serde::Serialize;
use utoipa::ToSchema;

/// What is told instead of what was asked for: a problem of RFC 9457.
///
/// It is made of the errors of the service, and says of each as much as a client may know; what lies
/// behind a failure is in the service's own log. As a response it is `application/problem+json`, is
/// kept by nobody, and is among the extensions for whoever answers in another form, as a page does.
///
/// | error | status | `code` |
/// |---|---|---|
/// | not there, or not to be known of | 404 | `not_found` |
/// | not permitted | 403 | that of the [`Refusal`] |
/// | something about the key cannot be | 422 | `invalid`, with the fields in `errors` |
/// | as many keys as there may be | 409 | `cap_reached` |
/// | done already, under this token | 409 | `already_issued`, with the key in `keyId` |
/// | the key is revoked, expired, … | 409 | `is_revoked`, `is_expired`, … |
/// | replaced already | 409 | `replaced`, with the new key in `keyId` |
/// | no rotation to undo | 409 | `nothing_to_undo` |
/// | someone else was first, again and again | 409 | `conflict` |
/// | the store cannot answer | 503 | `unavailable`, with `Retry-After` |
/// | the store cannot say whether it was done | 503 | `outcome_unknown`, with `Retry-After` |
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(description = "What is told instead of what was asked for (RFC 9457).")]
pub struct Problem {
    /// The name of the status.
    #[schema(value_type = String)]
    title: &'static str,
    /// The status.
    #[serde(serialize_with = "number")]
    #[schema(value_type = u16)]
    status: StatusCode,
    /// The stable word for what is wrong.
    #[schema(value_type = String)]
    code: &'static str,
    /// What is wrong, in a sentence.
    detail: String,
    /// Which fields or parameters are wrong, and how: the first of them, if they are many.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 16)]
    errors: Vec<FieldError>,
    /// The key that stands in the way.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    key_id: Option<Name>,
}

/// A field of a body, or a parameter, that cannot be as it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[non_exhaustive]
pub struct FieldError {
    /// Its name, with the place in a list where that says more: `scopes[2]`.
    pub field: String,
    /// What is wrong with it.
    pub detail: String,
}

impl Problem {
    /// A problem without particulars.
    #[must_use]
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            title: status.canonical_reason().unwrap_or_default(),
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            key_id: None,
        }
    }

    /// Fields that cannot be as they are: 422.
    #[must_use]
    pub fn invalid(errors: Vec<FieldError>) -> Self {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::with_errors(status, "invalid", errors)
    }

    /// Parameters that cannot be as they are: 400.
    pub(crate) fn bad_parameters(errors: Vec<FieldError>) -> Self {
        Self::with_errors(StatusCode::BAD_REQUEST, "bad_parameter", errors)
    }

    /// There is no such key; or none that whoever asks may know of.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not_found",
            "There is no such API key.",
        )
    }

    pub(crate) fn method_not_allowed() -> Self {
        let detail = "That is not done here.";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
    }

    pub(crate) fn unavailable() -> Self {
        let detail = "API keys cannot be managed at the moment.";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail)
    }

    /// The status.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable word for it.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.code
    }

    /// It, in a sentence.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The fields or parameters that are wrong.
    #[must_use]
    pub fn errors(&self) -> &[FieldError] {
        &self.errors
    }

    /// The key that stands in the way.
    #[must_use]
    pub fn key_id(&self) -> Option<&KeyId> {
        self.key_id.as_ref().map(|Name(id)| id)
    }

    /// The same about a field that a client knows by another name.
    pub(crate) fn about(self, field: &str, known_as: &str) -> Self {
        if !self.errors.iter().any(|error| error.field == field) {
            return self;
        }
        let mut errors = self.errors;
        for error in errors.iter_mut().filter(|error| error.field == field) {
            error.field = known_as.to_owned();
        }
        Self::with_errors(self.status, self.code, errors)
    }

    fn with_errors(status: StatusCode, code: &'static str, mut errors: Vec<FieldError>) -> Self {
        // A body has room for thousands of names that are no fields.
        errors.truncate(MAX_ERRORS);
        let all = errors
            .iter()
            .map(|error| format!("{}: {}", error.field, error.detail));
        let detail = all.collect::<Vec<_>>().join("; ");
        Self {
            errors,
            ..Self::new(status, code, detail)
        }
    }

    fn conflict(code: &'static str, error: &dyn Error, key: Option<KeyId>) -> Self {
        Self {
            key_id: key.map(Name),
            ..Self::new(StatusCode::CONFLICT, code, sentence(error))
        }
    }

    fn internal() -> Self {
        let detail = "Something is wrong with this service.";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail)
    }
}

impl FieldError {
    pub(crate) fn new(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            detail: detail.into(),
        }
    }
}

impl From<Invalid> for Problem {
    fn from(invalid: Invalid) -> Self {
        Self::invalid(vec![FieldError::new(invalid.field(), invalid.to_string())])
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::NotFound => Self::not_found(),
            other => Self::new(StatusCode::FORBIDDEN, other.code(), sentence(&other)),
        }
    }
}

impl From<CommitError> for Problem {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::TokenUsed(key) => IssueError::Replayed(key).into(),
            CommitError::Unknown(_) => {
                log(&error);
                let status = StatusCode::SERVICE_UNAVAILABLE;
                let detail = "It may have been done, or not: look, or do it again.";
                Self::new(status, "outcome_unknown", detail)
            }
            CommitError::NotCommitted(_) => {
                log(&error);
                Self::unavailable()
            }
            _ => {
                log(&error);
                let detail = "Others were changing the same. Do it again.";
                Self::new(StatusCode::CONFLICT, "conflict", detail)
            }
        }
    }
}

impl From<LifecycleError> for Problem {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::NotFound(_) => Self::not_found(),
            LifecycleError::Refused(refusal) => refusal.into(),
            LifecycleError::Invalid(invalid) => invalid.into(),
            LifecycleError::Is(status) => Self::conflict(is(status), &error, None),
            LifecycleError::Replaced(ref by) => {
                let by = by.clone();
                Self::conflict("replaced", &error, Some(by))
            }
            LifecycleError::NothingToUndo => Self::conflict("nothing_to_undo", &error, None),
            LifecycleError::Commit(error) => error.into(),
            LifecycleError::Store(_) => {
                log(&error);
                Self::unavailable()
            }
            _ => {
                log(&error);
                Self::internal()
            }
        }
    }
}

impl From<IssueError> for Problem {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Invalid(invalid) => invalid.into(),
            IssueError::Refused(refusal) => refusal.into(),
            IssueError::CapReached(_) => Self::conflict("cap_reached", &error, None),
            IssueError::Replayed(ref key) => {
                let key = key.clone();
                Self::conflict("already_issued", &error, Some(key))
            }
            IssueError::Commit(error) => error.into(),
            IssueError::Store(_) => {
                log(&error);
                Self::unavailable()
            }
            _ => {
                log(&error);
                Self::internal()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        // Text and numbers: it can be written.
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/problem+json");
        headers.insert(header::CONTENT_TYPE, json);
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The code of what is not done to a key which stands so.
const fn is(status: KeyStatus) -> &'static str {
    match status {
        KeyStatus::Active => "is_active",
        KeyStatus::Retiring => "is_retiring",
        KeyStatus::Suspended => "is_suspended",
        KeyStatus::Expired => "is_expired",
        KeyStatus::Retired => "is_retired",
        KeyStatus::Revoked => "is_revoked",
        _ => "is_otherwise",
    }
}

fn sentence(error: &dyn Error) -> String {
    let text = error.to_string();
    let mut chars = text.chars();
    let first = chars.next().into_iter().flat_map(char::to_uppercase);
    first.chain(chars).chain(['.']).collect()
}

/// For operators, with everything behind it: errors of stores hold neither keys nor digests.
fn log(error: &dyn Error) {
    let mut causes = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        causes = format!("{causes}: {cause}");
        next = cause.source();
    }
    tracing::warn!(target: "keyward", error = causes, "keys could not be managed");
}

/// The most fields or parameters that are told of at once.
const MAX_ERRORS: usize = 16;

/// The name of a key, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Name(KeyId);

impl Serialize for Name {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.as_str())
    }
}

fn number<S: serde::Serializer>(status: &StatusCode, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u16(status.as_u16())
}
