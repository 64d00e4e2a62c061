use keyward_store::{FormatError, StoreError};
use thiserror::Error;

/// Why a service could not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The formats cannot be.
    #[error(transparent)]
    Format(#[from] FormatError),
    /// Two sorts of foreign keys bear the same scheme.
    #[error("two sorts of foreign keys bear the scheme `{0}`")]
    DuplicateScheme(String),
    /// The settings make no sense.
    #[error("the settings make no sense: {0}")]
    Settings(&'static str),
    /// It was started outside a tokio runtime.
    #[error("a tokio runtime is needed to start on")]
    NoRuntime,
    /// The store says that it cannot be used; the source has what must be put right first.
    #[error("the store cannot be used as it is")]
    NotReady(#[source] StoreError),
    /// The store did not answer.
    #[error("the store does not answer")]
    Store(#[source] StoreError),
}
