//! The parameters of a query, taken one by one; what is left over is nobody's, and refused.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use keyward::{KeyStatus, Owner, Statuses};

use crate::fields::{self, NO_OWNER};
use crate::problem::{FieldError, Problem};

/// What a query says, and what is wrong with it so far.
#[derive(Debug, Default)]
pub(crate) struct Params {
    left: BTreeMap<String, String>,
    errors: Vec<FieldError>,
    /// All that has been read but for the place in the list, in one spelling.
    read: Vec<(&'static str, String)>,
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts.uri.query().unwrap_or_default()))
    }
}

/// A query that says nothing.
pub(crate) struct NoParams;

impl<S: Sync> FromRequestParts<S> for NoParams {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let params = Params::of(parts.uri.query().unwrap_or_default());
        params.finish().map(|_said| Self)
    }
}

impl Params {
    fn of(query: &str) -> Self {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let (name, value) = (name.into_owned(), value.into_owned());
            if params.left.contains_key(&name) {
                params.refuse(fields::nameable(&name), "stands twice");
            }
            params.left.insert(name, value);
        }
        params
    }

    pub(crate) fn word(&mut self, name: &'static str) -> Option<String> {
        let why = "is no text of 1 to 255 visible characters";
        self.read(name, why, |text| {
            fields::is_word(text).then(|| text.to_owned())
        })
    }

    pub(crate) fn owner(&mut self, name: &'static str) -> Option<Owner> {
        self.read(name, NO_OWNER, fields::owner)
    }

    /// Words for statuses with commas between them, or `all`.
    pub(crate) fn statuses(&mut self, name: &'static str) -> Option<Statuses> {
        let why = "is no status: active, retiring, suspended, expired, retired, revoked or all";
        self.read(name, why, |text| {
            let one = |word| {
                let mut all = KeyStatus::ALL.into_iter();
                all.find(|status| status.as_str() == word)
            };
            match text {
                "all" => Some(Statuses::ALL),
                _ => text.split(',').map(one).collect(),
            }
        })
    }

    pub(crate) fn seconds(&mut self, name: &'static str) -> Option<Duration> {
        let why = "is no whole number of seconds within a hundred years";
        let seconds = |text: &str| number(text).filter(|seconds| *seconds <= CENTURY);
        self.read(name, why, seconds).map(Duration::from_secs)
    }

    /// So many days, from 1 to a hundred years.
    pub(crate) fn days(&mut self, name: &'static str) -> Option<Duration> {
        let days = |text: &str| number(text).filter(|days| (1..=36_500).contains(days));
        let days = self.read(name, "is no number of days from 1 to 36500", days);
        days.map(|days| Duration::from_secs(days * 24 * 3600))
    }

    /// The most entries on a page.
    pub(crate) fn limit(&mut self) -> usize {
        let limit = self.left.remove("limit");
        let Some(limit) = limit else {
            return DEFAULT_LIMIT;
        };
        let read = number(&limit).and_then(|limit| usize::try_from(limit).ok());
        match read.filter(|limit| (1..=MAX_LIMIT).contains(limit)) {
            Some(limit) => limit,
            None => {
                self.refuse("limit", "is no number from 1 to 100");
                DEFAULT_LIMIT
            }
        }
    }

    pub(crate) fn cursor(&mut self) -> Option<String> {
        self.left.remove("cursor")
    }

    /// Whether all was well, and nothing is left over; what was said, but for the place in the list.
    pub(crate) fn finish(mut self) -> Result<String, Problem> {
        for name in self.left.keys() {
            self.errors.push(FieldError::new(
                fields::nameable(name),
                "is no parameter of this",
            ));
        }
        if !self.errors.is_empty() {
            return Err(Problem::bad_parameters(self.errors));
        }
        self.read.sort();
        let mut said = form_urlencoded::Serializer::new(String::new());
        said.extend_pairs(&self.read);
        Ok(said.finish())
    }

    fn refuse(&mut self, name: &str, why: &str) {
        self.errors.push(FieldError::new(name, why));
    }

    fn read<T>(
        &mut self,
        name: &'static str,
        why: &str,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let text = self.left.remove(name)?;
        let value = read(&text);
        match &value {
            Some(_) => self.read.push((name, text)),
            None => self.refuse(name, why),
        }
        value
    }
}

/// A number as people write one: digits alone, no sign.
fn number(text: &str) -> Option<u64> {
    let is_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    is_digits.then(|| text.parse().ok()).flatten()
}

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;
/// In seconds, leap days included.
const CENTURY: u64 = 3_155_760_000;
