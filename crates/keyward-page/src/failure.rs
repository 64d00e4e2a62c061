use askama::Template;
use axum::http::header::{ALLOW, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use keyward::{Invalid, IssueError, KeyId, LifecycleError};
use keyward_admin::Problem;

use crate::base::Base;
use crate::messages::{Messages, fill};
use crate::page::Page;
use crate::router::Frame;

/// Why there is no page to show. It travels in the extensions of a bare answer to the outermost layer,
/// which knows where the page is mounted and what language it speaks.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    NotFound,
    NoPage,
    Forbidden,
    OtherSite,
    Method,
    Form,
    TooLarge,
    OldForm,
    AlreadyMade(KeyId),
    AlreadyRotated(KeyId),
    WrongStatus,
    NothingToUndo,
    TooMany(u64),
    BadName,
    NameIsKey,
    BadChoice,
    BadOther,
    Unavailable,
    UnknownOutcome,
    Internal,
}

impl Failure {
    pub(crate) const fn status(&self) -> StatusCode {
        match self {
            Self::NotFound | Self::NoPage => StatusCode::NOT_FOUND,
            Self::Forbidden | Self::OtherSite => StatusCode::FORBIDDEN,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Form => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::OldForm
            | Self::AlreadyMade(_)
            | Self::AlreadyRotated(_)
            | Self::WrongStatus
            | Self::NothingToUndo
            | Self::TooMany(_) => StatusCode::CONFLICT,
            Self::BadName | Self::NameIsKey | Self::BadChoice | Self::BadOther => {
                StatusCode::UNPROCESSABLE_ENTITY
            }
            Self::Unavailable | Self::UnknownOutcome => StatusCode::SERVICE_UNAVAILABLE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn text(&self, m: &Messages) -> String {
        let text = match self {
            Self::NotFound => &m.not_found,
            Self::NoPage => &m.no_page,
            Self::Forbidden => &m.forbidden,
            Self::OtherSite => &m.other_site,
            Self::Method => &m.wrong_method,
            Self::Form => &m.bad_form,
            Self::TooLarge => &m.too_large,
            Self::OldForm => &m.old_form,
            Self::AlreadyMade(_) => &m.already_made,
            Self::AlreadyRotated(_) => &m.already_rotated,
            Self::WrongStatus => &m.wrong_status,
            Self::NothingToUndo => &m.nothing_to_undo,
            Self::TooMany(most) => return fill(&m.too_many, most),
            Self::BadName => &m.bad_name,
            Self::NameIsKey => &m.name_is_key,
            Self::BadChoice => &m.bad_choice,
            Self::BadOther => &m.bad_other,
            Self::Unavailable => &m.unavailable,
            Self::UnknownOutcome => &m.unknown_outcome,
            Self::Internal => &m.internal,
        };
        text.to_string()
    }

    /// Whether the form can be corrected.
    pub(crate) const fn is_about_the_form(&self) -> bool {
        matches!(
            self,
            Self::BadName
                | Self::NameIsKey
                | Self::BadChoice
                | Self::BadOther
                | Self::TooMany(_)
                | Self::OldForm
        )
    }

    /// The whole page that tells of it.
    pub(crate) fn page(&self, page: &Page, base: &Base, allow: Option<HeaderValue>) -> Response {
        let m = &page.messages;
        let key = match self {
            Self::AlreadyMade(key) | Self::AlreadyRotated(key) => Some(base.key(key.as_str())),
            _ => None,
        };
        let template = FailureTemplate {
            frame: Frame::new(page, base, &m.failed_title),
            m,
            text: self.text(m),
            list: base.list(),
            key,
        };
        let mut response = (self.status(), shown(&template)).into_response();
        let headers = response.headers_mut();
        if self.status() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if let Some(allow) = allow {
            headers.insert(ALLOW, allow);
        }
        response
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status().into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// A template as an answer.
pub(crate) fn shown(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => Html(html).into_response(),
        Err(error) => {
            // Writing to memory does not fail, and no template has a filter that does.
            tracing::error!(target: "keyward", %error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl From<LifecycleError> for Failure {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::Invalid(invalid) => invalid.into(),
            other => Problem::from(other).into(),
        }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Invalid(invalid) => invalid.into(),
            IssueError::CapReached(most) => Self::TooMany(most),
            other => Problem::from(other).into(),
        }
    }
}

/// What the interface for programs tells, in the page's own words. It is that which tells operators, too.
impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        let key = problem.key_id().cloned();
        match (problem.code(), problem.status(), key) {
            ("already_issued", _, Some(key)) => Self::AlreadyMade(key),
            ("replaced", _, Some(key)) => Self::AlreadyRotated(key),
            ("nothing_to_undo", ..) => Self::NothingToUndo,
            ("outcome_unknown", ..) => Self::UnknownOutcome,
            (_, StatusCode::NOT_FOUND, _) => Self::NotFound,
            (_, StatusCode::FORBIDDEN, _) => Self::Forbidden,
            (_, StatusCode::CONFLICT, _) => Self::WrongStatus,
            (_, StatusCode::SERVICE_UNAVAILABLE, _) => Self::Unavailable,
            _ => Self::Internal,
        }
    }
}

impl From<Invalid> for Failure {
    fn from(invalid: Invalid) -> Self {
        match invalid {
            Invalid::Name => Self::BadName,
            Invalid::HoldsKey(_) => Self::NameIsKey,
            Invalid::IdempotencyToken => Self::BadChoice,
            _ => Self::BadOther,
        }
    }
}

#[derive(Template)]
#[template(path = "failure.html")]
struct FailureTemplate<'a> {
    frame: Frame<'a>,
    m: &'a Messages,
    text: String,
    list: String,
    key: Option<String>,
}
