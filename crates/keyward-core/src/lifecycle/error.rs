use keyward_store::{CommitError, GenerateError, KeyId, KeyStatus, StoreError};
use thiserror::Error;

use super::Invalid;
use crate::Refusal;

/// Why no key was issued.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The key cannot be.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// Whoever wanted it may not have it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The tenant, or its owner, has as many keys as it may.
    #[error("there are {0} keys already, which is the most")]
    CapReached(u64),
    /// The idempotency token has been used, for this key. Its secret was told then, and is kept
    /// nowhere.
    #[error("the key has been issued already, as {0}")]
    Replayed(KeyId),
    /// The named format is not one of the service's.
    #[error("no registered format has that prefix")]
    UnknownFormat,
    /// There were no random bytes.
    #[error("no key could be made")]
    Generate(#[from] GenerateError),
    /// The store cannot answer.
    #[error("the records could not be read")]
    Store(#[from] StoreError),
    /// The store did not take it.
    #[error("the key could not be stored")]
    Commit(#[from] CommitError),
}

/// Why something could not be done to a key or to its owner.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LifecycleError {
    /// There is no such key; or none that whoever asks may know of.
    #[error("there is no key {0}")]
    NotFound(KeyId),
    /// Whoever wanted it may not.
    #[error(transparent)]
    Refused(Refusal),
    /// The key cannot be like that.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// That is not done to a key which stands so.
    #[error("the key is {0}")]
    Is(KeyStatus),
    /// The key has been replaced already, by this one.
    #[error("the key has been replaced by {0}")]
    Replaced(KeyId),
    /// There is no rotation to undo: none was made, its overlap is over, or the new key has been
    /// revoked or replaced itself.
    #[error("there is no rotation that could be undone")]
    NothingToUndo,
    /// The policy has no role of that name.
    #[error("the policy has no such role")]
    UnknownRole,
    /// No registered format can make a key like it.
    #[error("no registered format has the prefix of the key")]
    UnknownFormat,
    /// There were no random bytes.
    #[error("no key could be made")]
    Generate(#[from] GenerateError),
    /// The store cannot answer.
    #[error("the records could not be read")]
    Store(#[from] StoreError),
    /// The store did not take the change.
    #[error("the change could not be stored")]
    Commit(#[from] CommitError),
}

impl LifecycleError {
    /// The refusal of something about that key: one that must not be known of is one that is not there.
    pub(super) fn refused(refusal: Refusal, key: &KeyId) -> Self {
        match refusal {
            Refusal::NotFound => Self::NotFound(key.clone()),
            other => Self::Refused(other),
        }
    }
}
