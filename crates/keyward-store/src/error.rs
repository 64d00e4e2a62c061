use std::error::Error;
use std::fmt;

use thiserror::Error;

use crate::KeyId;

/// The store could not do as it was asked: it is away, it is too slow, or what it holds makes no
/// sense.
///
/// This never means that a key is bad. The cause is for operators; it is reached through
/// [`source`](Error::source), and must hold no credential and no digest.
#[derive(Debug)]
pub struct StoreError(Box<dyn Error + Send + Sync>);

impl StoreError {
    /// The failure behind it.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store cannot answer")
    }
}

impl Error for StoreError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// Why a change was not, or may not have been, committed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CommitError {
    /// The expectation at this place in the change does not hold. Nothing was written.
    #[error("expectation {0} of the change does not hold")]
    Expectation(usize),
    /// A new record shares its name, public id or hash with another. Nothing was written.
    #[error("a record of that name, public id or hash exists")]
    Duplicate,
    /// The token has been used, for this key. Nothing was written.
    #[error("the token has been used before")]
    TokenUsed(KeyId),
    /// The store failed before anything could be written.
    #[error("the change was not committed")]
    NotCommitted(#[source] StoreError),
    /// The store failed and cannot say whether the change was written.
    #[error("the outcome of the change is unknown")]
    Unknown(#[source] StoreError),
}

impl CommitError {
    /// Whether it is certain that nothing was written.
    #[must_use]
    pub const fn is_certain(&self) -> bool {
        !matches!(self, Self::Unknown(_))
    }
}
