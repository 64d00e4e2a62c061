use std::time::SystemTime;

use keyward_store::{Kept, KeyId, Scope};

use crate::Unreadable;

/// A key of another system, as a row of it tells. Whom it belongs to is for the host to say.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ForeignKey {
    /// What is kept of it.
    pub kept: Kept,
    /// What its owner calls it.
    pub name: Option<String>,
    /// What it may do, where the row has it.
    pub scopes: Vec<Scope>,
    /// From this instant on it is refused.
    pub expires_at: Option<SystemTime>,
}

impl ForeignKey {
    pub(crate) fn new(kept: Kept, name: Option<&str>, expires_at: Option<SystemTime>) -> Self {
        let name = name.filter(|name| !name.trim().is_empty());
        Self {
            kept,
            name: name.map(ToOwned::to_owned),
            scopes: Vec::new(),
            expires_at,
        }
    }
}

/// What a record is called that one of the other system stands for.
pub(crate) fn named(system: &str, row: &str) -> Result<KeyId, Unreadable> {
    KeyId::new(&format!("{system}:{row}")).map_err(|_| Unreadable::Id)
}

pub(crate) fn scope(text: &str) -> Result<Scope, Unreadable> {
    Scope::new(text).map_err(|_| Unreadable::Permissions)
}
