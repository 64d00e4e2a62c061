use keyward_store::BeginningError;
use thiserror::Error;

/// Why what another system kept cannot be taken over. It holds nothing of what was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Unreadable {
    /// Not a hash of this kind, spelled as the other system spells it.
    #[error("it is not a hash of this kind")]
    Hash,
    /// A slow hash whose cost lies above the bound.
    #[error("to compare the hash costs more than is allowed")]
    TooCostly,
    /// A beginning that no key of this kind has, or that is too short to find it by.
    #[error(transparent)]
    Beginning(#[from] BeginningError),
    /// The part of the key that names its record is not spelled as it must be.
    #[error("it is not 1 to 24 letters and digits")]
    PublicId,
    /// The row's own name cannot name a record.
    #[error("it cannot be a part of a key id")]
    Id,
    /// What the key may do is not written as the other system writes it, or cannot be scopes.
    #[error("it is not a list of permissions that can be scopes")]
    Permissions,
}

/// Why a row of another system cannot be taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the column `{column}` cannot be read")]
#[non_exhaustive]
pub struct RowError {
    /// The column, as the other system calls it.
    pub column: &'static str,
    /// What is wrong with it.
    #[source]
    pub why: Unreadable,
}

impl RowError {
    pub(crate) fn of<E: Into<Unreadable>>(column: &'static str) -> impl FnOnce(E) -> Self {
        move |why| Self {
            column,
            why: why.into(),
        }
    }
}
