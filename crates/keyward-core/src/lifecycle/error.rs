use keyward_store::{CommitError, GenerateError, KeyId, StoreError};
use thiserror::Error;

/// Why no key was issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The name is empty or too long.
    #[error("a key's name has 1 to 100 characters")]
    Name,
    /// No tenant was named, or its name is too long.
    #[error("a key belongs to a tenant, named in 1 to 255 bytes")]
    Tenant,
    /// Too many scopes.
    #[error("a key has at most 64 scopes")]
    TooManyScopes,
    /// The key would never be good.
    #[error("the expiry lies in the past")]
    ExpiryInPast,
    /// Later than RFC 3339 can write.
    #[error("the expiry lies beyond the year 9999")]
    ExpiryTooFar,
    /// The metadata is not an object, or too long.
    #[error("metadata is a JSON object of at most 16 KiB")]
    Metadata,
    /// The named format is not one of the service's.
    #[error("no registered format has that prefix")]
    UnknownFormat,
    /// There were no random bytes.
    #[error("no key could be made")]
    Generate(#[from] GenerateError),
    /// The store did not take it.
    #[error("the key could not be stored")]
    Commit(#[from] CommitError),
}

/// Why something could not be done to a key or to its owner.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// There is no such key.
    #[error("there is no key {0}")]
    NotFound(KeyId),
    /// The store cannot answer.
    #[error("the records could not be read")]
    Store(#[from] StoreError),
    /// The store did not take the change.
    #[error("the change could not be stored")]
    Commit(#[from] CommitError),
}
