use std::time::SystemTime;

use crate::{KeyHash, KeyId, Owner, PublicId, Scopes, SubjectState, TenantId};

/// What a store holds of a key: facts, without judgement.
///
/// Make one with [`KeyRecord::new`] and set what differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// The record's name.
    pub id: KeyId,
    /// Whom the key belongs to.
    pub tenant: TenantId,
    /// Who in the tenant, if anyone in particular.
    pub owner: Option<Owner>,
    /// What its owner calls it.
    pub name: String,
    /// What it is for.
    pub description: Option<String>,
    /// Which of the tenant's environments it is for, for instance `live`.
    pub environment: Option<String>,
    /// The literal prefix of the key's format.
    pub prefix: String,
    /// The public id in the key, where its format has one.
    pub public_id: Option<PublicId>,
    /// As much of the key as may be shown to tell it from others.
    pub hint: String,
    /// What the key is kept as.
    pub hash: KeyHash,
    /// What it may do.
    pub scopes: Scopes,
    /// The role it was issued under, in the host's own terms.
    pub role: Option<String>,
    /// When it was issued.
    pub created_at: SystemTime,
    /// Who issued it, in the host's own terms.
    pub created_by: Option<String>,
    /// From this instant on it is refused.
    pub expires_at: Option<SystemTime>,
    /// When it was revoked, for good. Any time means revoked, also one that a table without times
    /// has to make up.
    pub revoked_at: Option<SystemTime>,
    /// When it was suspended, until it is resumed.
    pub suspended_at: Option<SystemTime>,
    /// The key that this one replaces.
    pub rotated_from: Option<KeyId>,
    /// The host's own data, as a JSON text.
    pub metadata: Option<String>,
    /// Counts the changes of this record, from 1.
    pub revision: u64,
}

impl KeyRecord {
    /// A record of a key that is active, has no scope and never expires.
    #[must_use]
    pub fn new(id: KeyId, tenant: impl Into<TenantId>, hash: KeyHash) -> Self {
        Self {
            id,
            tenant: tenant.into(),
            owner: None,
            name: String::new(),
            description: None,
            environment: None,
            prefix: String::new(),
            public_id: None,
            hint: String::new(),
            hash,
            scopes: Scopes::none(),
            role: None,
            created_at: SystemTime::UNIX_EPOCH,
            created_by: None,
            expires_at: None,
            revoked_at: None,
            suspended_at: None,
            rotated_from: None,
            metadata: None,
            revision: 1,
        }
    }
}

/// A record and what stood around it at the same moment.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeySnapshot {
    /// The record.
    pub record: KeyRecord,
    /// The standing of its tenant.
    pub tenant: SubjectState,
    /// The standing of its owner; good standing where it has none.
    pub owner: SubjectState,
    /// The last use that has been written down, at a resolution of one second.
    pub last_used_at: Option<SystemTime>,
}

impl From<KeyRecord> for KeySnapshot {
    /// The record of a key that was never used, whose tenant and owner are in good standing.
    fn from(record: KeyRecord) -> Self {
        Self {
            record,
            tenant: SubjectState::default(),
            owner: SubjectState::default(),
            last_used_at: None,
        }
    }
}
