use std::time::SystemTime;

use crate::{Beginning, KeyHash, KeyId, PublicId};

/// What another system kept of a key: enough to verify it here, and never the key itself.
///
/// Make one with [`Kept::new`] and set what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Kept {
    /// What its record shall be called. Where the other system has a name for it that is given here,
    /// an import that is done again finds it, although the key may have moved to another hash since.
    /// `None` makes a new name.
    pub id: Option<KeyId>,
    /// What the key is kept as.
    pub hash: KeyHash,
    /// What keys of its kind begin with, or what its public id counts among.
    pub prefix: String,
    /// The part of the key that names its record, if it has one.
    pub public_id: Option<PublicId>,
    /// The beginning of the key, by which it is found when its hash is salted.
    pub lookup: Option<Beginning>,
    /// As much of the key as may be shown to tell it from others.
    pub hint: String,
    /// When it was issued; `None` is the time of the import.
    pub created_at: Option<SystemTime>,
    /// When it was used last.
    pub last_used_at: Option<SystemTime>,
    /// Whether it is switched off, until it is resumed.
    pub suspended: bool,
    /// Whether it has been revoked.
    pub revoked: bool,
}

impl Kept {
    /// A key that is kept so, and of which nothing else is known.
    #[must_use]
    pub const fn new(hash: KeyHash) -> Self {
        Self {
            id: None,
            hash,
            prefix: String::new(),
            public_id: None,
            lookup: None,
            hint: String::new(),
            created_at: None,
            last_used_at: None,
            suspended: false,
            revoked: false,
        }
    }
}
