//! A JSON body, read with care: of two members with one name a proxy may see the other.

use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::fields::Fields;
use crate::problem::{FieldError, Problem};

/// The longest body.
pub(crate) const MAX_BODY: usize = 64 * 1024;

/// The members of a body that must be there.
pub(crate) struct Body(pub(crate) Fields);

/// The members of a body that may be left out; without one there are none.
pub(crate) struct OptionalBody(pub(crate) Fields);

/// No body at all; or one that says nothing.
pub(crate) struct NoBody;

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(unsupported());
        }
        let bytes = read(request, state).await?;
        Ok(Self(parse(&bytes)?))
    }
}

impl<S: Send + Sync> FromRequest<S> for OptionalBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let json = is_json(request.headers());
        if !json {
            no_form(request.headers())?;
        }
        let bytes = read(request, state).await?;
        match (bytes.is_empty(), json) {
            (true, _) => Ok(Self(Fields::default())),
            (false, true) => Ok(Self(parse(&bytes)?)),
            (false, false) => Err(unsupported()),
        }
    }
}

impl<S: Send + Sync> FromRequest<S> for NoBody {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let OptionalBody(fields) = OptionalBody::from_request(request, state).await?;
        fields.finish()?;
        Ok(Self)
    }
}

async fn read<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    // `DefaultBodyLimit` stands around every route.
    let bytes = Bytes::from_request(request, state).await;
    bytes.map_err(|rejection| match rejection.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "too_large",
            "The body has more than 64 KiB.",
        ),
        _ => malformed("The body could not be read."),
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let text = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let essence = text.and_then(|text| text.split(';').next());
    essence.is_some_and(|essence| essence.trim().eq_ignore_ascii_case("application/json"))
}

/// Refuses what says that it is something else than JSON, with a body or without: a form, for which a
/// browser asks nobody before it sends it to another site.
fn no_form(headers: &HeaderMap) -> Result<(), Problem> {
    match headers.contains_key(header::CONTENT_TYPE) {
        true => Err(unsupported()),
        false => Ok(()),
    }
}

fn unsupported() -> Problem {
    let status = StatusCode::UNSUPPORTED_MEDIA_TYPE;
    let detail = "The body has to be application/json.";
    Problem::new(status, "unsupported_media_type", detail)
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
}

fn parse(bytes: &[u8]) -> Result<Fields, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(Unique(Value::Object(members))) => Ok(Fields::new(members)),
        Ok(_) => Err(Problem::invalid(vec![FieldError::new(
            "body",
            "is no object",
        )])),
        // The error's own text may quote the body.
        Err(error) => Err(malformed(format!(
            "The body is not JSON in which every name stands once: line {}, column {}.",
            error.line(),
            error.column()
        ))),
    }
}

/// A value in which, at any depth, no object has two members of one name.
struct Unique(Value);

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique(Value::Null))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Unique, E> {
        let number = Number::from_f64(value).ok_or_else(|| E::custom("no number"))?;
        Ok(Unique(Value::Number(number)))
    }

    fn visit_str<E>(self, value: &str) -> Result<Unique, E> {
        Ok(Unique(value.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        let mut list = Vec::new();
        while let Some(Unique(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Unique(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let Unique(value) = members.next_value()?;
            if object.insert(name, value).is_some() {
                return Err(A::Error::custom("a name stands twice"));
            }
        }
        Ok(Unique(Value::Object(object)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_stand_twice_are_refused_at_any_depth() {
        for bad in [
            r#"{"a": 1, "a": 1}"#,
            r#"{"a": [{"b": 1, "b": 2}]}"#,
            r#"{"a": 1, "\u0061": 2}"#,
            r#"{"a": 1} {"#,
            r#"{"a": 1e999}"#,
            "",
        ] {
            let problem = parse(bad.as_bytes()).unwrap_err();
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST, "{bad}");
        }
        assert!(parse(br#"{"a": {"a": null}, "b": [1, -1, 1.5, "x", true]}"#).is_ok());
    }

    #[test]
    fn a_body_of_many_brackets_is_refused_and_harms_nobody() {
        let problem = parse("[".repeat(60_000).as_bytes()).unwrap_err();
        assert_eq!(problem.code(), "malformed");
    }
}
