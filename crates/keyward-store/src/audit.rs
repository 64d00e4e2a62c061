use std::time::SystemTime;

use crate::{KeyId, Subject, TenantId};

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AuditAction {
    /// A key was issued.
    Issued,
    /// A key was revoked.
    Revoked,
    /// A key moved to another hash of the same secret, on use.
    Rehashed,
    /// The standing of an owner or a tenant was changed.
    SubjectChanged,
}

impl AuditAction {
    /// The stable name, for a store to keep.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Revoked => "revoked",
            Self::Rehashed => "rehashed",
            Self::SubjectChanged => "subject_changed",
        }
    }
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
    /// The owner or tenant it was done to.
    pub subject: Option<Subject>,
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
            subject: None,
        }
    }
}

/// Which lines of the audit log to read, and from where.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditQuery {
    /// Lines about this key alone.
    pub key: Option<KeyId>,
    /// Lines about keys of this tenant alone.
    pub tenant: Option<TenantId>,
    /// Only lines behind this position.
    pub after: u64,
    /// The most lines to read.
    pub limit: usize,
}

impl Default for AuditQuery {
    /// The first hundred lines.
    fn default() -> Self {
        Self {
            key: None,
            tenant: None,
            after: 0,
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
