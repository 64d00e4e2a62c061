use http::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};

use crate::credential::authorization;

/// Where in a request a key may stand.
///
/// Never in the query: addresses end up in logs, in histories and in the `Referer` of other
/// requests (RFC 6750 §2.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sources {
    pub(crate) bearer: bool,
    pub(crate) basic: bool,
    pub(crate) headers: Vec<HeaderName>,
}

impl Sources {
    /// `Authorization: Bearer <key>`, and nothing else.
    #[must_use]
    pub const fn bearer() -> Self {
        Self {
            bearer: true,
            basic: false,
            headers: Vec::new(),
        }
    }

    /// Nowhere yet.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            bearer: false,
            basic: false,
            headers: Vec::new(),
        }
    }

    /// `Authorization: Bearer <key>` too.
    #[must_use]
    pub fn and_bearer(mut self) -> Self {
        self.bearer = true;
        self
    }

    /// `Authorization: Basic <…>` too (RFC 7617): the key is the password, or the user name where
    /// the password is empty.
    #[must_use]
    pub fn and_basic(mut self) -> Self {
        self.basic = true;
        self
    }

    /// This header too, whose whole value is the key; for instance `x-api-key`.
    #[must_use]
    pub fn and_header(mut self, name: HeaderName) -> Self {
        if !self.headers.contains(&name) {
            self.headers.push(name);
        }
        self
    }
}

impl Sources {
    /// Whether a request with these headers bears something in one of the places, a key or not.
    #[must_use]
    pub fn bear_any(&self, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(AUTHORIZATION).iter();
        let is_ours = |line: &HeaderValue| authorization(line.as_bytes(), self).is_some();
        lines.any(is_ours) || self.headers.iter().any(|name| headers.contains_key(name))
    }
}

impl Default for Sources {
    fn default() -> Self {
        Self::bearer()
    }
}
