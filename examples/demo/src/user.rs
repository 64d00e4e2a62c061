use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};

/// Someone who has signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct User {
    /// Who they are.
    pub name: String,
    /// What they are in their tenant.
    pub role: String,
    /// The workspace, organization or account that they work in.
    pub tenant: String,
}

/// The name of the cookie.
const COOKIE: &str = "demo";

impl User {
    /// Who has sent a request with these headers, if they have signed in.
    #[must_use]
    pub fn signed_in(headers: &HeaderMap) -> Option<Self> {
        if let Some(user) = headers.get("demo-user") {
            return user.to_str().ok()?.parse().ok();
        }
        let cookies = headers.get_all(header::COOKIE).iter();
        let mut cookies = cookies.filter_map(|cookies| cookies.to_str().ok());
        cookies.find_map(|cookies| {
            let mut pairs = cookies.split("; ").filter_map(|pair| pair.split_once('='));
            let (_, user) = pairs.find(|(name, _)| *name == COOKIE)?;
            user.parse().ok()
        })
    }

    /// Not to be read by scripts, and not sent along with what other sites make a browser ask.
    pub(crate) fn cookie(&self) -> String {
        let Self { name, role, tenant } = self;
        format!("{COOKIE}={name}:{role}@{tenant}; Path=/; HttpOnly; SameSite=Lax")
    }
}

impl FromStr for User {
    type Err = Unreadable;

    fn from_str(text: &str) -> Result<Self, Unreadable> {
        // What a cookie may hold: RFC 6265, section 4.1.1, without its percent signs.
        let is_plain = |char: char| char.is_ascii_graphic() && !"\",;\\%".contains(char);
        let (user, tenant) = text.split_once('@').ok_or(Unreadable)?;
        let (name, role) = user.split_once(':').ok_or(Unreadable)?;
        let parts = [name, role, tenant];
        if parts.iter().any(|part| part.is_empty()) || !text.chars().all(is_plain) {
            return Err(Unreadable);
        }
        let [name, role, tenant] = parts.map(str::to_owned);
        Ok(Self { name, role, tenant })
    }
}

/// No `<user>:<role>@<tenant>`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a user is written <user>:<role>@<tenant>, without spaces\n")
    }
}

impl std::error::Error for Unreadable {}

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        Self::signed_in(&parts.headers).ok_or(StatusCode::UNAUTHORIZED)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for User {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        Ok(Self::signed_in(&parts.headers))
    }
}
