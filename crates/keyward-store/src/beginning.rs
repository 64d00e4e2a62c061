use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// The beginning of a key, long enough to find its record by when its hash is salted.
///
/// Every record of one beginning costs a slow hash, so it holds at least
/// [`MIN_SECRET`](Beginning::MIN_SECRET) characters of the secret.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Beginning(Arc<str>);

impl Beginning {
    /// The fewest characters of the secret in it.
    pub const MIN_SECRET: usize = 4;
    /// The longest, in bytes.
    pub const MAX: usize = 64;

    /// The beginning `text` of a key. All keys of its kind begin with `common`; what follows is of the
    /// secret.
    ///
    /// ```
    /// # use keyward_store::Beginning;
    /// assert!(Beginning::new("ctza_", "ctza_a1b2").is_ok());
    /// assert!(Beginning::new("ctza_", "ctza_a1b").is_err());
    /// ```
    ///
    /// # Errors
    /// [`BeginningError`] when `text` does not begin with `common`, holds too little of the secret, is
    /// too long, or is not made of visible ASCII characters.
    pub fn new(common: &str, text: &str) -> Result<Self, BeginningError> {
        if text.len() > Self::MAX || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(BeginningError::Spelling);
        }
        let secret = text.strip_prefix(common).ok_or(BeginningError::Prefix)?;
        if secret.len() < Self::MIN_SECRET {
            return Err(BeginningError::TooShort);
        }
        Ok(Self(text.into()))
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, shared.
    #[must_use]
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Beginning([redacted])")
    }
}

/// Why a text cannot be what keys are found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BeginningError {
    /// Fewer than four characters of the secret.
    #[error("a beginning that keys are found by holds at least 4 characters of the secret")]
    TooShort,
    /// It holds so much of a key that fewer than eight characters are left.
    #[error("a beginning is kept in the clear, and leaves at least 8 characters of the key")]
    TooLong,
    /// It does not begin as all keys of its kind do.
    #[error("the beginning is not that of a key of this kind")]
    Prefix,
    /// Too long, or something that is no visible ASCII character.
    #[error("a beginning has at most 64 visible ASCII characters")]
    Spelling,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_characters_of_the_secret_are_asked_for() {
        assert_eq!(Beginning::new("a_", "a_1234").unwrap().as_str(), "a_1234");
        for (text, error) in [
            ("a_123", BeginningError::TooShort),
            ("a_", BeginningError::TooShort),
            ("b_1234", BeginningError::Prefix),
            ("", BeginningError::Prefix),
            ("a_12 34", BeginningError::Spelling),
            ("a_é1234", BeginningError::Spelling),
            (&format!("a_{}", "1".repeat(63)), BeginningError::Spelling),
        ] {
            assert_eq!(Beginning::new("a_", text), Err(error), "{text}");
        }
    }
}
