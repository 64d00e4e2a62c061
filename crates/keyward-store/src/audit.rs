use std::time::SystemTime;

use crate::{KeyId, Owner, Subject, TenantId};

/// Defines the actions with their stable names.
macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $name:literal,)*) => {
        /// What was done, or happened.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AuditAction {
            $($(#[$doc])* $action,)*
        }

        impl AuditAction {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$action,)*];

            /// The stable name, for a store to keep.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$action => $name,)*
                }
            }
        }
    };
}

actions! {
    /// A key was issued.
    Issued = "issued",
    /// A key of another system was taken over.
    Imported = "imported",
    /// What a key is called, or may do, was changed.
    Updated = "updated",
    /// A key was replaced by a new one.
    Rotated = "rotated",
    /// A rotation was undone: the new key was revoked, and the old one stays.
    RotationUndone = "rotation_undone",
    /// A key was suspended.
    Suspended = "suspended",
    /// The suspension of a key was ended.
    Resumed = "resumed",
    /// A key was revoked.
    Revoked = "revoked",
    /// The record of a key that was long over was deleted.
    Purged = "purged",
    /// A key moved to another hash of the same secret, on use.
    Rehashed = "rehashed",
    /// The standing of an owner or a tenant was changed.
    SubjectChanged = "subject_changed",
    /// Someone wanted what they may not.
    Refused = "refused",
    /// A key that has been replaced is still used, though its overlap is about to end.
    UsedLate = "used_late",
    /// A key was used after its overlap with the new one had ended.
    UsedWhenRetired = "used_when_retired",
    /// A key expires soon.
    ExpiresSoon = "expires_soon",
}

/// A line of the audit log, committed with the change that it tells of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditRecord {
    /// When, by the clock of the node that made the change.
    pub at: SystemTime,
    /// What was done.
    pub action: AuditAction,
    /// Who did it, in the host's own terms; `None` for the operator and for Keyward itself.
    pub actor: Option<String>,
    /// The key it was done to.
    pub key: Option<KeyId>,
    /// The tenant of that key.
    pub tenant: Option<TenantId>,
    /// The owner of that key.
    pub owner: Option<Owner>,
    /// The owner or tenant it was done to.
    pub subject: Option<Subject>,
    /// What was changed, as it was before: a JSON object.
    pub before: Option<String>,
    /// The same as it was after; or what was wanted in vain. A JSON object.
    pub after: Option<String>,
    /// Why it was refused, as a stable word.
    pub refusal: Option<String>,
}

impl AuditRecord {
    /// A line about `action`, done by the operator to nothing in particular yet.
    #[must_use]
    pub fn new(at: SystemTime, action: AuditAction) -> Self {
        Self {
            at,
            action,
            actor: None,
            key: None,
            tenant: None,
            owner: None,
            subject: None,
            before: None,
            after: None,
            refusal: None,
        }
    }
}

/// Which lines of the audit log to read, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditQuery {
    /// Lines about this key alone.
    pub key: Option<KeyId>,
    /// Lines about keys of this tenant, and about its own standing, alone.
    pub tenant: Option<TenantId>,
    /// Lines about keys of this owner alone.
    pub owner: Option<Owner>,
    /// From which end.
    pub order: AuditOrder,
    /// Only lines beyond this position, in that order; `None` is from the end on.
    pub after: Option<u64>,
    /// The most lines to read.
    pub limit: usize,
}

/// The order of lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuditOrder {
    /// By rising position.
    #[default]
    OldestFirst,
    /// By falling position.
    NewestFirst,
}

impl AuditQuery {
    /// Lines about that key.
    #[must_use]
    pub fn key(key: &KeyId) -> Self {
        Self {
            key: Some(key.clone()),
            ..Self::default()
        }
    }

    /// Lines about keys of that tenant.
    #[must_use]
    pub fn tenant(tenant: impl Into<TenantId>) -> Self {
        Self {
            tenant: Some(tenant.into()),
            ..Self::default()
        }
    }

    /// The newest lines first.
    #[must_use]
    pub const fn newest_first(mut self) -> Self {
        self.order = AuditOrder::NewestFirst;
        self
    }

    /// Only lines beyond that position.
    #[must_use]
    pub const fn after(mut self, position: u64) -> Self {
        self.after = Some(position);
        self
    }

    /// At most so many.
    #[must_use]
    pub const fn limit(mut self, limit: usize) -> Self {
        self.limit = limit;
        self
    }
}

impl Default for AuditQuery {
    /// The first hundred lines.
    fn default() -> Self {
        Self {
            key: None,
            tenant: None,
            owner: None,
            order: AuditOrder::OldestFirst,
            after: None,
            limit: 100,
        }
    }
}

/// A line of the audit log in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its position: lines come in the order of theirs, and none appears before one already read.
    pub position: u64,
    /// The line.
    pub record: AuditRecord,
}
