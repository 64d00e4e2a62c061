use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, FromRequestParts, RawPathParams, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use keyward::KeyId;

use crate::failure::Failure;
use crate::page::Page;

/// The fields of a form that was posted, or of the query. One that repeats has several values; those
/// that nobody asks for are passed over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fields(Vec<(String, String)>);

impl Fields {
    fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The first value; `None` where there is none, or an empty one.
    pub(crate) fn one(&self, name: &str) -> Option<&str> {
        self.first(name).filter(|value| !value.is_empty())
    }

    /// Every value.
    pub(crate) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = self.0.iter().filter(move |(field, _)| field == name);
        named.map(|(_, value)| value.as_str())
    }

    /// Whether it is there at all.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    fn first(&self, name: &str) -> Option<&str> {
        let named = self.0.iter().find(|(field, _)| field == name);
        named.map(|(_, value)| value.as_str())
    }
}

/// Those of the query.
#[derive(Clone, Debug)]
pub(crate) struct Query(pub(crate) Fields);

impl FromRequestParts<Arc<Page>> for Query {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Page>) -> Result<Self, Failure> {
        let query = parts.uri.query().unwrap_or_default();
        Ok(Self(Fields::parse(query.as_bytes())))
    }
}

/// Those of a form. What comes as anything else is refused, since a browser asks nobody before it sends
/// that to another site.
#[derive(Clone, Debug)]
pub(crate) struct Form(pub(crate) Fields);

impl FromRequest<Arc<Page>> for Form {
    type Rejection = Failure;

    async fn from_request(request: Request<Body>, _: &Arc<Page>) -> Result<Self, Failure> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(Failure::Form);
        }
        let body = to_bytes(request.into_body(), MAX_FORM).await;
        let body = body.map_err(|_| Failure::TooLarge)?;
        Ok(Self(Fields::parse(&body)))
    }
}

/// What stands in the path for one of our own captures, which is the last: those of the host's come first.
#[derive(Clone, Debug)]
pub(crate) struct Named(pub(crate) String);

impl FromRequestParts<Arc<Page>> for Named {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<Page>) -> Result<Self, Failure> {
        let all = RawPathParams::from_request_parts(parts, page).await;
        let all = all.map_err(|_| Failure::NoPage)?;
        let last = all.iter().last().ok_or(Failure::NoPage)?;
        Ok(Self(last.1.to_owned()))
    }
}

/// The key that the path names, if it is the name of one.
#[derive(Clone, Debug)]
pub(crate) struct Key(pub(crate) KeyId);

impl FromRequestParts<Arc<Page>> for Key {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<Page>) -> Result<Self, Failure> {
        let Named(id) = Named::from_request_parts(parts, page).await?;
        let id = KeyId::new(&id).map_err(|_| Failure::NotFound)?;
        Ok(Self(id))
    }
}

/// Many times what a form with every scope has.
const MAX_FORM: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_may_repeat_and_be_empty() {
        let fields = Fields::parse(b"scope=a%3Ab&scope=c&name=&note=x+y");
        assert_eq!(fields.all("scope").collect::<Vec<_>>(), ["a:b", "c"]);
        assert_eq!(fields.one("name"), None);
        assert!(fields.has("name") && !fields.has("other"));
        assert_eq!(fields.one("note"), Some("x y"));
    }
}
