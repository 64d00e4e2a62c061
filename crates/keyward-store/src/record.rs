use std::time::SystemTime;

use ipnet::IpNet;

use crate::{KeyHash, KeyId, Limit, Owner, PublicId, Scopes, SubjectState, TenantId};

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
    /// What it is grouped by, in the host's own terms.
    pub tags: Vec<String>,
    /// The literal prefix of the key's format.
    pub prefix: String,
    /// The public id in the key, where its format has one.
    pub public_id: Option<PublicId>,
    /// As much of the key as may be shown to tell it from others.
    pub hint: String,
    /// The beginning of the key, by which it is found when its hash is salted.
    pub lookup: Option<String>,
    /// What the key is kept as.
    pub hash: KeyHash,
    /// What it may do.
    pub scopes: Scopes,
    /// How often it may be used. All of them hold; none is no bound.
    pub limits: Vec<Limit>,
    /// The networks that it may be used from; none is from anywhere. Whoever knows the client's address
    /// keeps to it.
    pub networks: Vec<IpNet>,
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
    /// The key that replaces this one.
    pub successor: Option<Successor>,
    /// The first of the keys that led to this one by rotation; `None` for that one itself.
    pub lineage: Option<KeyId>,
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
            tags: Vec::new(),
            prefix: String::new(),
            public_id: None,
            hint: String::new(),
            lookup: None,
            hash,
            scopes: Scopes::none(),
            limits: Vec::new(),
            networks: Vec::new(),
            role: None,
            created_at: SystemTime::UNIX_EPOCH,
            created_by: None,
            expires_at: None,
            revoked_at: None,
            suspended_at: None,
            rotated_from: None,
            successor: None,
            lineage: None,
            metadata: None,
            revision: 1,
        }
    }
}

impl KeyRecord {
    /// Whose requests count towards one limit with those of this key: all that came of one key by
    /// rotation go by the name of the first.
    #[must_use]
    pub fn shares_limits_of(&self) -> &KeyId {
        self.lineage.as_ref().unwrap_or(&self.id)
    }
}

/// What has taken a key's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Successor {
    /// The new key.
    pub key: KeyId,
    /// When it took over.
    pub since: SystemTime,
    /// The instant from which the old key is refused; where it is not behind `since`, there is no
    /// overlap, and the old key is refused whatever a clock shows.
    pub until: SystemTime,
}

impl Successor {
    /// Whether the old key is refused at `at`.
    #[must_use]
    pub fn is_over(&self, at: SystemTime) -> bool {
        self.until <= at || self.until <= self.since
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
