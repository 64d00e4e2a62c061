//! The fields of a line. What is wrong with one is told without what stands in it, which may be a hash.

use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};
use thiserror::Error;

use crate::time::instant;

/// Why a line cannot be read.
#[derive(Debug, Error, PartialEq, Eq)]
pub(super) enum FieldError {
    #[error("it is not a JSON object")]
    NotAnObject,
    #[error("there is a zero character in it, which databases do not keep")]
    Zero,
    #[error("the field `{0}` is missing")]
    Missing(&'static str),
    #[error("the field `{0}` is not {1}")]
    Wrong(&'static str, &'static str),
    #[error("there is no field `{0}`; `keyward import --help` has them all")]
    Unknown(String),
    #[error("there is a field that is none of an import's; `keyward import --help` has them all")]
    Strange,
}

/// The fields of an object that have not been taken yet.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

type Taken<T> = Result<Option<T>, FieldError>;

impl Fields {
    pub(super) fn of_line(line: &[u8]) -> Result<Self, FieldError> {
        let value = serde_json::from_slice(line).map_err(|_| FieldError::NotAnObject)?;
        if holds_zero(&value) {
            return Err(FieldError::Zero);
        }
        Self::of(value).ok_or(FieldError::NotAnObject)
    }

    fn of(value: Value) -> Option<Self> {
        match value {
            Value::Object(fields) => Some(Self(fields)),
            _ => None,
        }
    }

    /// What stands there; null is nothing.
    pub(super) fn value(&mut self, name: &str) -> Option<Value> {
        self.0.remove(name).filter(|value| !value.is_null())
    }

    pub(super) fn text(&mut self, name: &'static str) -> Taken<String> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            // The ids of many tables.
            Some(Value::Number(number)) => Ok(Some(number.to_string())),
            Some(_) => Err(FieldError::Wrong(name, "text")),
        }
    }

    pub(super) fn needed(&mut self, name: &'static str) -> Result<String, FieldError> {
        self.text(name)?.ok_or(FieldError::Missing(name))
    }

    /// A JSON text, which a database may give as text or as what it says.
    pub(super) fn json(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::String(text) => Some(text),
            value => Some(value.to_string()),
        }
    }

    /// Databases without truth values have 0 and 1.
    pub(super) fn flag(&mut self, name: &'static str) -> Taken<bool> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(flag)),
            Some(Value::Number(number)) => match number.as_u64() {
                Some(0) => Ok(Some(false)),
                Some(1) => Ok(Some(true)),
                _ => Err(FieldError::Wrong(name, "true or false")),
            },
            Some(_) => Err(FieldError::Wrong(name, "true or false")),
        }
    }

    /// A moment: as databases print it, or in milliseconds from 1970.
    pub(super) fn time(&mut self, name: &'static str) -> Taken<SystemTime> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let time = match value {
            Value::String(text) => instant(&text),
            Value::Number(number) => number.as_u64().and_then(|millis| {
                SystemTime::UNIX_EPOCH.checked_add(Duration::from_millis(millis))
            }),
            _ => None,
        };
        let wrong = FieldError::Wrong(name, "a moment");
        time.map(Some).ok_or(wrong)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &'static str) -> Taken<Vec<String>> {
        let wrong = || FieldError::Wrong(name, "a list of texts");
        let texts = match self.value(name) {
            None => return Ok(None),
            Some(Value::Array(values)) => values.into_iter().map(|value| match value {
                Value::String(text) => Ok(text),
                _ => Err(wrong()),
            }),
            Some(_) => return Err(wrong()),
        };
        texts.collect::<Result<_, _>>().map(Some)
    }

    /// An object within.
    pub(super) fn object(&mut self, name: &'static str) -> Taken<Self> {
        let Some(value) = self.value(name) else {
            return Ok(None);
        };
        let wrong = FieldError::Wrong(name, "an object");
        Self::of(value).map(Some).ok_or(wrong)
    }

    /// What is left is none of ours: most likely a misspelt field, which must not be lost in silence.
    pub(super) fn end(self) -> Result<(), FieldError> {
        let Some(name) = self.0.into_iter().next().map(|(name, _)| name) else {
            return Ok(());
        };
        let word = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
        if name.len() <= 24 && name.bytes().all(word) {
            return Err(FieldError::Unknown(name));
        }
        Err(FieldError::Strange)
    }
}

/// Postgres refuses such a text, and with it the statement: to whoever sends it that looks like a
/// database that fails, at which an import would stop each time.
fn holds_zero(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_zero),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_zero(value)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(line: &str) -> Fields {
        Fields::of_line(line.as_bytes()).unwrap()
    }

    #[test]
    fn what_is_wrong_is_told_without_what_stands_there() {
        let mut line = fields(r#"{"name":["s3cret"],"suspended":"s3cret","expiresAt":"s3cret"}"#);
        for error in [
            line.text("name").unwrap_err(),
            line.flag("suspended").unwrap_err(),
            line.time("expiresAt").unwrap_err(),
        ] {
            assert!(!format!("{error} {error:?}").contains("s3cret"));
        }
        for line in ["s3cret", "[\"s3cret\"]", "{\"s3cret\"", ""] {
            let error = Fields::of_line(line.as_bytes()).unwrap_err();
            assert_eq!(error, FieldError::NotAnObject);
        }
    }

    #[test]
    fn zero_characters_are_found_wherever_they_are() {
        for line in [
            r#"{"role":"a\u0000"}"#,
            r#"{"metadata":{"a":["\u0000"]}}"#,
            r#"{"metadata":{"\u0000":1}}"#,
        ] {
            let error = Fields::of_line(line.as_bytes()).unwrap_err();
            assert_eq!(error, FieldError::Zero);
        }
    }

    #[test]
    fn what_is_left_over_is_told_where_it_is_a_word() {
        assert_eq!(fields("{}").end(), Ok(()));
        assert_eq!(
            fields(r#"{"teanant":1}"#).end(),
            Err(FieldError::Unknown("teanant".to_owned()))
        );
        assert_eq!(fields(r#"{"a1b2c3":1}"#).end(), Err(FieldError::Strange));
    }

    #[test]
    fn values_are_read_as_databases_give_them() {
        let mut line = fields(r#"{"id":7,"a":1,"b":false,"c":null,"t":1767268800000,"p":{"x":1}}"#);
        assert_eq!(line.text("id"), Ok(Some("7".to_owned())));
        assert_eq!(line.flag("a"), Ok(Some(true)));
        assert_eq!(line.flag("b"), Ok(Some(false)));
        assert_eq!(line.flag("c"), Ok(None));
        assert_eq!(line.time("t"), Ok(instant("2026-01-01T12:00:00Z")));
        assert_eq!(line.json("p"), Some(r#"{"x":1}"#.to_owned()));
        assert_eq!(line.needed("d"), Err(FieldError::Missing("d")));
    }
}
