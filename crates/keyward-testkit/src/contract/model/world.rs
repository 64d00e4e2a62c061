//! What the model holds: every key, every standing, every token and every line of the audit log.

use std::collections::{BTreeMap, HashMap};
use std::time::{Duration, SystemTime};

use keyward_core::{Invalid, Reason, Refusal};
use keyward_store::{
    AuditAction, AuditEntry, AuditRecord, KeyFilter, KeyId, KeyRecord, KeySnapshot, KeyStatus,
    Owner, Scope, Scopes, Subject, SubjectState, TenantId,
};

use super::cast::Setting;

/// The world as it should be.
pub(super) struct World {
    pub(super) setting: Setting,
    pub(super) keys: BTreeMap<KeyId, KeyRecord>,
    /// The names of all keys that ever were, in the order of their making, which their ids do not tell
    /// to the millisecond.
    pub(super) order: Vec<KeyId>,
    /// Who came earlier by keys, as they were then.
    pub(super) past: Vec<Past>,
    pub(super) standings: HashMap<Subject, SubjectState>,
    /// Which key was issued by which token, for which tenant by which maker.
    pub(super) tokens: HashMap<(TenantId, Option<String>, String), KeyId>,
    /// The lines that the present operation should leave.
    pub(super) lines: Vec<Line>,
    /// All lines so far, those included that uses leave.
    pub(super) log: Vec<AuditEntry>,
}

/// What a key was when it came.
#[derive(Clone, Debug)]
pub(super) struct Past {
    pub(super) key: KeyRecord,
    pub(super) role: Option<String>,
    pub(super) fences: Vec<Scopes>,
}

/// Why something cannot be, whoever says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum No {
    NotFound,
    Refused(Refusal),
    Invalid(Invalid),
    Is(KeyStatus),
    Replaced(KeyId),
    NothingToUndo,
    UnknownRole,
    Cap(u64),
    Replayed(KeyId),
    /// What no operation should ever be answered.
    Other(String),
}

impl No {
    /// A word for it; of a refusal the one that the log tells.
    pub(super) fn code(&self) -> String {
        match self {
            Self::NotFound => "not_found".to_owned(),
            Self::Refused(refusal) => refusal.code().to_owned(),
            other => format!("{other:?}")
                .to_lowercase()
                .split('(')
                .next()
                .unwrap_or_default()
                .to_owned(),
        }
    }
}

/// A line of the audit log, but for its times and its prose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) action: AuditAction,
    pub(super) actor: Option<String>,
    pub(super) key: Option<KeyId>,
    pub(super) tenant: Option<TenantId>,
    pub(super) owner: Option<Owner>,
    pub(super) subject: Option<Subject>,
    pub(super) refusal: Option<String>,
}

impl Line {
    pub(super) fn of(record: &AuditRecord) -> Self {
        Self {
            action: record.action,
            actor: record.actor.clone(),
            key: record.key.clone(),
            tenant: record.tenant.clone(),
            owner: record.owner.clone(),
            subject: record.subject.clone(),
            refusal: record.refusal.clone(),
        }
    }

    pub(super) fn about(action: AuditAction, actor: Option<&str>, key: &KeyRecord) -> Self {
        Self {
            action,
            actor: actor.map(str::to_owned),
            key: Some(key.id.clone()),
            tenant: Some(key.tenant.clone()),
            owner: key.owner.clone(),
            subject: None,
            refusal: None,
        }
    }

    /// Whether uses leave it, and no operation: nobody knows beforehand when it comes.
    pub(super) const fn is_of_a_use(action: AuditAction) -> bool {
        matches!(
            action,
            AuditAction::UsedLate | AuditAction::UsedWhenRetired | AuditAction::ExpiresSoon
        )
    }
}

impl World {
    pub(super) fn new(setting: Setting) -> Self {
        Self {
            setting,
            keys: BTreeMap::new(),
            order: Vec::new(),
            past: Vec::new(),
            standings: HashMap::new(),
            tokens: HashMap::new(),
            lines: Vec::new(),
            log: Vec::new(),
        }
    }

    /// The keys, oldest first: the same way for the same seed.
    pub(super) fn in_order(&self) -> impl Iterator<Item = &KeyRecord> {
        self.order.iter().filter_map(|id| self.keys.get(id))
    }

    /// A key that was not there before.
    pub(super) fn put(&mut self, key: KeyRecord) {
        self.order.push(key.id.clone());
        self.keys.insert(key.id.clone(), key);
    }

    pub(super) fn standing(&self, subject: &Subject) -> SubjectState {
        self.standings.get(subject).cloned().unwrap_or_default()
    }

    pub(super) fn tenant_of(&self, key: &KeyRecord) -> SubjectState {
        self.standing(&Subject::Tenant(key.tenant.clone()))
    }

    pub(super) fn owner_of(&self, key: &KeyRecord) -> SubjectState {
        let owner = key.owner.clone().map(Subject::Owner);
        owner.map_or_else(SubjectState::default, |owner| self.standing(&owner))
    }

    /// What bounds whatever a request with this key may do, all of which must allow it.
    pub(super) fn fences(&self, key: &KeyRecord) -> Vec<Scopes> {
        let ceilings = [self.tenant_of(key).ceiling, self.owner_of(key).ceiling];
        let ceilings = ceilings.into_iter().flatten();
        std::iter::once(key.scopes.clone())
            .chain(ceilings)
            .collect()
    }

    /// What whoever comes by a key is told to be.
    pub(super) fn present(&self, id: &KeyId) -> Past {
        let key = &self.keys[id];
        Past {
            key: key.clone(),
            role: self.role(key),
            fences: self.fences(key),
        }
    }

    /// The role that a key has now.
    pub(super) fn role(&self, key: &KeyRecord) -> Option<String> {
        let near = self.owner_of(key).role.or(self.tenant_of(key).role);
        near.or_else(|| key.role.clone())
    }

    /// Every reason for which a key is refused at a moment; none when it is accepted.
    pub(super) fn bars(&self, key: &KeyRecord, at: SystemTime) -> Vec<Reason> {
        let (tenant, owner) = (self.tenant_of(key), self.owner_of(key));
        let bars = [
            (key.revoked_at.is_some(), Reason::Revoked),
            (is_retired(key, at), Reason::Retired),
            (has_expired(key, at), Reason::Expired),
            (key.suspended_at.is_some(), Reason::Suspended),
            (tenant.suspended, Reason::TenantSuspended),
            (owner.suspended, Reason::OwnerSuspended),
        ];
        let bad = bars.into_iter().filter(|(holds, _)| *holds);
        let bad: Vec<_> = bad.map(|(_, reason)| reason).collect();
        // Only of a key that is good is told that the plan does not include it.
        if bad.is_empty() && !(tenant.entitled && owner.entitled) {
            return vec![Reason::NotEntitled];
        }
        bad
    }

    /// A key and what stands around it, as lists show it; its use is not looked at.
    pub(super) fn snapshot(&self, key: &KeyRecord) -> KeySnapshot {
        let mut snapshot = KeySnapshot::from(key.clone());
        snapshot.tenant = self.tenant_of(key);
        snapshot.owner = self.owner_of(key);
        snapshot
    }

    /// The keys that a filter lets through, newest first.
    pub(super) fn admitted(&self, filter: &KeyFilter, at: SystemTime) -> Vec<KeyRecord> {
        let keys = self.keys.values();
        let mut keys: Vec<_> = keys
            .filter(|key| admits(filter, key, at))
            .cloned()
            .collect();
        keys.sort_by(|a, b| (b.created_at, &b.id).cmp(&(a.created_at, &a.id)));
        keys
    }
}

/// Whether every fence allows it.
pub(super) fn allow(fences: &[Scopes], scope: &Scope) -> bool {
    let allows = |fence: &Scopes| fence.iter().any(|granted| granted.grants(scope));
    fences.iter().all(allows)
}

/// What all fences allow, as it is spelled in one of them.
pub(super) fn within(fences: &[Scopes]) -> Scopes {
    let all = fences.iter().flat_map(Scopes::iter);
    all.filter(|scope| allow(fences, scope)).cloned().collect()
}

pub(super) fn is_retired(key: &KeyRecord, at: SystemTime) -> bool {
    let by = key.successor.as_ref();
    by.is_some_and(|by| by.until <= by.since || at >= by.until)
}

pub(super) fn has_expired(key: &KeyRecord, at: SystemTime) -> bool {
    key.expires_at.is_some_and(|end| at >= end)
}

/// How a key stands: of what holds the first, in the order of the documentation.
pub(super) fn stands(key: &KeyRecord, at: SystemTime) -> KeyStatus {
    if key.revoked_at.is_some() {
        return KeyStatus::Revoked;
    }
    if is_retired(key, at) {
        return KeyStatus::Retired;
    }
    if has_expired(key, at) {
        return KeyStatus::Expired;
    }
    if key.suspended_at.is_some() {
        return KeyStatus::Suspended;
    }
    match key.successor {
        Some(_) => KeyStatus::Retiring,
        None => KeyStatus::Active,
    }
}

/// When a key ends by itself.
pub(super) fn ends(key: &KeyRecord) -> Option<SystemTime> {
    let retires = key.successor.as_ref().map(|by| by.until);
    [key.expires_at, retires].into_iter().flatten().min()
}

/// Whether a key was over before that.
pub(super) fn was_over(key: &KeyRecord, before: SystemTime) -> bool {
    let over = [key.revoked_at, ends(key)].into_iter().flatten().min();
    over.is_some_and(|over| over < before)
}

/// The end of a time from now on, to the microsecond below.
pub(super) fn after(at: SystemTime, time: Duration) -> SystemTime {
    micros(at + time)
}

/// A time to the microsecond below, which is what is kept.
pub(super) fn micros(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let part = Duration::from_micros(since.subsec_micros().into());
    SystemTime::UNIX_EPOCH + Duration::from_secs(since.as_secs()) + part
}

fn admits(filter: &KeyFilter, key: &KeyRecord, at: SystemTime) -> bool {
    let stands = stands(key, filter.at.unwrap_or(at));
    let tenant = filter.tenant.as_ref().is_none_or(|id| *id == key.tenant);
    let owner = &filter.owner;
    let owner = owner.is_none() || *owner == key.owner;
    let environment = &filter.environment;
    let environment = environment.is_none() || *environment == key.environment;
    let prefix = filter.prefix.as_ref().is_none_or(|is| *is == key.prefix);
    let tag = filter.tag.as_ref().is_none_or(|tag| key.tags.contains(tag));
    let age = filter.created_before.is_none_or(|age| key.created_at < age);
    let end = filter.ends_before;
    let end = end.is_none_or(|bound| ends(key).is_some_and(|end| end < bound));
    let stands = filter.statuses.contains(stands);
    tenant && owner && environment && prefix && tag && age && end && stands
}
