//! A JSON body, read with care: of two members with one name a proxy may see the other.

use std::collections::HashSet;
use std::fmt;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

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
    let unique = serde_json::from_slice(bytes).map(|Unique| ());
    match unique.and_then(|()| serde_json::from_slice(bytes)) {
        Ok(Value::Object(members)) => Ok(Fields::new(members)),
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

/// That in a value, at any depth, no object has two members of one name.
///
/// It keeps nothing of the value, which is parsed apart: with serde_json's feature `arbitrary_precision`,
/// which any other package may switch on for all, numbers come as maps here, of one member with a name that
/// only [`Value`] knows to read.
struct Unique;

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
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while let Some(Unique) = items.next_element()? {}
        Ok(Unique)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            if !names.insert(name) {
                return Err(A::Error::custom("a name stands twice"));
            }
            let Unique = members.next_value()?;
        }
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use serde::de::value::MapDeserializer;

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

    /// What the parser hands over with `arbitrary_precision`, and what the fields are read from.
    #[test]
    fn numbers_may_come_as_maps_and_are_read_as_numbers() {
        let number = [("$serde_json::private::Number", "3600")];
        let number = MapDeserializer::<_, serde_json::Error>::new(number.into_iter());
        assert!(Unique::deserialize(number).is_ok());
        let mut fields = parse(br#"{"expiresIn": 3600}"#).ok().unwrap();
        let length = fields.seconds("expiresIn");
        assert_eq!(length, Some(std::time::Duration::from_secs(3600)));
    }

    #[test]
    fn a_body_of_many_brackets_is_refused_and_harms_nobody() {
        let problem = parse("[".repeat(60_000).as_bytes()).unwrap_err();
        assert_eq!(problem.code(), "malformed");
    }
}
