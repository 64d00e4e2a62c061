use std::fmt;
use std::time::SystemTime;

use crate::KeyId;

/// A mark that one of many equal requests leaves, so that the others are refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Token {
    /// Among whose tokens it counts.
    pub scope: String,
    /// The token.
    pub text: String,
    /// The key that the request was about.
    pub key: KeyId,
    /// Until when others are refused.
    pub until: SystemTime,
}

impl Token {
    /// The token `text` among those of `scope`.
    #[must_use]
    pub fn new(
        scope: impl fmt::Display,
        text: impl Into<String>,
        key: KeyId,
        until: SystemTime,
    ) -> Self {
        Self {
            scope: scope.to_string(),
            text: text.into(),
            key,
            until,
        }
    }
}
