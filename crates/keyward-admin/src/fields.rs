//! The members of a JSON body, taken one by one; what is left over is nobody's, and refused.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use keyward::{Limit, Owner, Scope, Scopes};
use serde_json::{Map, Value};

use crate::problem::{FieldError, Problem};
use crate::time;

/// What a body says, and what is wrong with it so far.
#[derive(Debug, Default)]
pub(crate) struct Fields {
    members: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    pub(crate) fn new(members: Map<String, Value>) -> Self {
        let errors = Vec::new();
        Self { members, errors }
    }

    pub(crate) fn text(&mut self, field: &str) -> Option<String> {
        self.read(field, "is no text", |value| {
            value.as_str().map(str::to_owned)
        })
    }

    pub(crate) fn required_text(&mut self, field: &str) -> Option<String> {
        if !self.members.contains_key(field) {
            self.refuse(field, "is missing");
        }
        self.text(field)
    }

    /// A text by which keys are sought: none that a database cannot hold.
    pub(crate) fn word(&mut self, field: &str) -> Option<String> {
        let why = "is no text of 1 to 255 visible characters";
        self.read(field, why, |value| {
            value
                .as_str()
                .filter(|text| is_word(text))
                .map(str::to_owned)
        })
    }

    pub(crate) fn owner(&mut self, field: &str) -> Option<Owner> {
        self.read(field, NO_OWNER, |value| value.as_str().and_then(owner))
    }

    pub(crate) fn flag(&mut self, field: &str) -> Option<bool> {
        self.read(field, "is neither true nor false", Value::as_bool)
    }

    pub(crate) fn seconds(&mut self, field: &str) -> Option<Duration> {
        self.read(field, "is no whole number of seconds", |value| {
            value.as_u64().map(Duration::from_secs)
        })
    }

    pub(crate) fn time(&mut self, field: &str) -> Option<SystemTime> {
        self.read(field, NO_TIME, |value| value.as_str().and_then(time::parse))
    }

    pub(crate) fn object(&mut self, field: &str) -> Option<Value> {
        self.read(field, "is no object", |value| {
            value.is_object().then(|| value.clone())
        })
    }

    pub(crate) fn texts(&mut self, field: &str) -> Option<Vec<String>> {
        self.list(field, |value| {
            let text = value.as_str().map(str::to_owned);
            text.ok_or("is no text".to_owned())
        })
    }

    pub(crate) fn scopes(&mut self, field: &str) -> Option<Scopes> {
        let scopes = self.list(field, |value| {
            let text = value.as_str().ok_or("is no text")?;
            Scope::new(text).map_err(|error| error.to_string())
        });
        scopes.map(Scopes::from_iter)
    }

    pub(crate) fn networks(&mut self, field: &str) -> Option<Vec<IpNet>> {
        self.list(field, |value| {
            let network = value.as_str().and_then(|text| {
                let whole = || text.parse::<IpAddr>().ok().map(IpNet::from);
                text.parse().ok().or_else(whole)
            });
            network.ok_or("is neither a network nor an address".to_owned())
        })
    }

    /// Each as `{"requests": 100, "perSeconds": 60}`.
    pub(crate) fn limits(&mut self, field: &str) -> Option<Vec<Limit>> {
        self.list(field, |value| {
            let members = value.as_object().filter(|members| members.len() == 2);
            let limit = members.and_then(|members| {
                let requests = members.get("requests")?.as_u64()?;
                let seconds = members.get("perSeconds")?.as_f64()?;
                Limit::new(requests, Duration::try_from_secs_f64(seconds).ok()?)
            });
            limit.ok_or("is not {requests, perSeconds} with numbers within bounds".to_owned())
        })
    }

    /// A member that may also be null, which says that there shall be none.
    pub(crate) fn or_null<T>(
        &mut self,
        field: &str,
        read: impl FnOnce(&mut Self, &str) -> Option<T>,
    ) -> Option<Option<T>> {
        if self.members.get(field) == Some(&Value::Null) {
            self.members.remove(field);
            return Some(None);
        }
        read(self, field).map(Some)
    }

    /// Says what is wrong with a field that has been read, or is not there.
    pub(crate) fn refuse(&mut self, field: &str, why: &str) {
        self.errors.push(FieldError::new(field, why));
    }

    /// Whether all was well, and nothing is left over.
    pub(crate) fn finish(mut self) -> Result<(), Problem> {
        for name in self.members.keys() {
            self.errors
                .push(FieldError::new(nameable(name), "is no field of this"));
        }
        if self.errors.is_empty() {
            return Ok(());
        }
        Err(Problem::invalid(self.errors))
    }

    fn read<T>(
        &mut self,
        field: &str,
        why: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.remove(field)?;
        let read = read(&value);
        if read.is_none() {
            self.refuse(field, why);
        }
        read
    }

    fn list<T>(
        &mut self,
        field: &str,
        read: impl Fn(&Value) -> Result<T, String>,
    ) -> Option<Vec<T>> {
        let Some(Value::Array(values)) = self.members.get(field) else {
            return self.read(field, "is no list", |_| None);
        };
        let values = values.clone();
        self.members.remove(field);
        let mut list = Vec::new();
        for (place, value) in values.iter().enumerate() {
            match read(value) {
                Ok(read) => list.push(read),
                Err(why) => {
                    self.refuse(&format!("{field}[{place}]"), &why);
                    return None;
                }
            }
        }
        Some(list)
    }
}

/// An owner spelled `kind:id`.
pub(crate) fn owner(text: &str) -> Option<Owner> {
    let (kind, id) = text.split_once(':')?;
    (is_word(kind) && is_word(id)).then(|| Owner::new(kind, id))
}

/// Whether a text can be looked for in a store.
pub(crate) fn is_word(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.chars().any(char::is_control)
}

/// A name that is not ours, as far as it may be told again: someone may have pasted a key there.
pub(crate) fn nameable(name: &str) -> &str {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.[]".contains(&byte);
    if (1..=20).contains(&name.len()) && name.bytes().all(is_plain) {
        name
    } else {
        "(another name)"
    }
}

pub(crate) const NO_OWNER: &str = "is no owner, as in user:7";
pub(crate) const NO_TIME: &str = "is no time of RFC 3339, as in 2030-01-31T12:00:00Z";
