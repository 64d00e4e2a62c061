//! Answers, and what the document says of them.

use axum::http::response::Parts;
use axum::http::{HeaderMap, Method};
use keyward_admin::Admin;
use serde_json::Value;

/// What came of a request.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `Null` where there is none, or it is none of ours.
    pub(crate) json: Value,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn new((method, path): (Method, String), parts: Parts, body: &[u8]) -> Self {
        let text = String::from_utf8(body.to_vec()).unwrap();
        Self {
            method,
            path,
            status: parts.status.as_u16(),
            headers: parts.headers,
            json: serde_json::from_str(&text).unwrap_or_default(),
            text,
        }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }

    /// The field or the parameter that is complained of.
    pub(crate) fn field(&self) -> &str {
        self.json["errors"][0]["field"].as_str().unwrap_or_default()
    }

    /// The text of a member.
    pub(crate) fn text_of(&self, member: &str) -> &str {
        let value = &self.json[member];
        value
            .as_str()
            .unwrap_or_else(|| panic!("{member}: {value} in {self:?}"))
    }

    /// Fails unless it has this status.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Fails unless it is a problem with this status and code.
    #[track_caller]
    pub(crate) fn refuses(self, status: u16, code: &str) -> Self {
        assert_eq!((self.status, self.code()), (status, code), "{self:?}");
        self
    }

    /// Fails unless it is a problem with this status about that field or parameter.
    #[track_caller]
    pub(crate) fn names(self, status: u16, field: &str) -> Self {
        assert_eq!((self.status, self.field()), (status, field), "{self:?}");
        self
    }

    /// The query that the link to the next page has.
    pub(crate) fn next(&self) -> Option<&str> {
        let link = self.headers.get("link")?.to_str().unwrap();
        let reference = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"");
        Some(reference.unwrap())
    }
}

/// The description of the routes.
pub(crate) struct Document(pub(crate) Value);

impl Document {
    pub(crate) fn of(admin: &Admin) -> Self {
        Self(serde_json::to_value(admin.openapi()).unwrap())
    }

    /// The answer is one of those that the document has, and is kept by nobody.
    #[track_caller]
    pub(crate) fn check(&self, answer: &Answer) {
        assert_eq!(answer.header("cache-control"), "no-store", "{answer:?}");
        no_digests(&answer.json);
        let Some(path) = self.path_of(&answer.path) else {
            return assert_eq!(answer.status, 404, "{answer:?}");
        };
        let item = &self.0["paths"][path];
        let method = answer.method.as_str().to_ascii_lowercase();
        let Some(operation) = item.get(&method) else {
            return assert_eq!(answer.code(), "method_not_allowed", "{answer:?}");
        };
        let documented = &operation["responses"][answer.status.to_string()];
        assert!(documented.is_object(), "not in the document: {answer:?}");
        let content_type = answer.header("content-type");
        match documented["content"].as_object() {
            // The host's own.
            None if answer.status == 401 => {}
            None => assert_eq!(answer.text, "", "{answer:?}"),
            Some(content) => {
                let content = content.get(content_type);
                let content = content.unwrap_or_else(|| panic!("{content_type}: {answer:?}"));
                self.conforms(&content["schema"], &answer.json, &answer.path);
            }
        }
        if answer.status >= 400 && content_type.starts_with("application/problem") {
            assert_eq!(answer.json["status"], answer.status, "{answer:?}");
            assert!(!answer.code().is_empty(), "{answer:?}");
            let after = answer.header("retry-after");
            assert_eq!(answer.status == 503, !after.is_empty(), "{answer:?}");
        }
    }

    /// The path of the document that an address has; those without a parameter come first.
    fn path_of(&self, address: &str) -> Option<&str> {
        let paths = self.0["paths"].as_object().unwrap();
        let fits = |path: &&String| {
            let (ours, theirs) = (path.split('/'), address.split('/'));
            ours.clone().count() == theirs.clone().count()
                && ours
                    .zip(theirs)
                    .all(|(ours, theirs)| ours == theirs || ours == "{id}")
        };
        let fitting = paths.keys().filter(fits);
        let path = fitting.min_by_key(|path| path.contains('{'));
        path.map(String::as_str)
    }

    /// Whether a value is what a schema says, as far as ours say things.
    #[track_caller]
    fn conforms(&self, schema: &Value, value: &Value, at: &str) {
        if let Some(name) = schema["$ref"].as_str() {
            let name = name.strip_prefix("#/components/schemas/").unwrap();
            let schema = &self.0["components"]["schemas"][name];
            assert!(schema.is_object(), "no schema {name}");
            return self.conforms(schema, value, name);
        }
        if let Some(either) = schema["oneOf"].as_array() {
            let null = serde_json::json!({"type": "null"});
            if value.is_null() {
                return assert!(either.contains(&null), "{at} is null");
            }
            let other = either.iter().find(|schema| **schema != null).unwrap();
            return self.conforms(other, value, at);
        }
        let is = match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(number) if number.is_f64() => "number",
            Value::Number(_) => "integer",
            Value::String(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) => "object",
        };
        let may_be = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().map(|one| one.as_str().unwrap()).collect(),
            other => panic!("{at} has the type {other}"),
        };
        let fits = may_be.contains(&is) || is == "integer" && may_be.contains(&"number");
        assert!(fits, "{at} is {value}, not {may_be:?}");
        for item in value.as_array().into_iter().flatten() {
            self.conforms(&schema["items"], item, at);
        }
        let (Some(members), Some(properties)) =
            (value.as_object(), schema["properties"].as_object())
        else {
            return;
        };
        for (name, member) in members {
            let property = properties.get(name);
            let property = property.unwrap_or_else(|| panic!("{at} has {name}"));
            self.conforms(property, member, name);
        }
        for required in schema["required"].as_array().into_iter().flatten() {
            let required = required.as_str().unwrap();
            assert!(members.contains_key(required), "{at} lacks {required}");
        }
    }
}

/// No member's name has to do with what keys are kept as.
#[track_caller]
fn no_digests(value: &Value) {
    match value {
        Value::Array(items) => items.iter().for_each(no_digests),
        Value::Object(members) => {
            for (name, member) in members {
                let small = name.to_ascii_lowercase();
                assert!(
                    !small.contains("hash") && !small.contains("digest"),
                    "{name}"
                );
                no_digests(member);
            }
        }
        _ => {}
    }
}
