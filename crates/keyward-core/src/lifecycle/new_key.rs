use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use keyward_store::{
    Formats, KeyHash, KeyId, KeyRecord, Limit, Owner, PublicId, Scope, Scopes, TenantId,
};

use super::invalid::{Invalid, holds_no_key, is_plain, is_visible};
use crate::verifier::node::whole_micros;

/// A key to be issued.
///
/// Nothing is checked before it is.
#[derive(Clone, Debug)]
pub struct NewKey {
    name: String,
    description: Option<String>,
    pub(super) tenant: Option<TenantId>,
    pub(super) owner: Option<Owner>,
    environment: Option<String>,
    tags: Vec<String>,
    pub(super) prefix: Option<String>,
    pub(super) scopes: Option<Scopes>,
    pub(super) narrowed_to: Option<Scopes>,
    pub(super) limits: Option<Vec<Limit>>,
    pub(super) networks: Option<Vec<IpNet>>,
    pub(super) role: Option<String>,
    pub(super) created_by: Option<String>,
    pub(super) expires: Option<Expires>,
    metadata: Option<serde_json::Value>,
    pub(super) token: Option<String>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Expires {
    At(SystemTime),
    In(Duration),
}

impl NewKey {
    /// A key of that name, 1 to 100 characters, which can do nothing and does not expire.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            tenant: None,
            owner: None,
            environment: None,
            tags: Vec::new(),
            prefix: None,
            scopes: None,
            narrowed_to: None,
            limits: None,
            networks: None,
            role: None,
            created_by: None,
            expires: None,
            metadata: None,
            token: None,
        }
    }

    /// What it is for, in at most 1,000 characters.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Whom it belongs to. Every key belongs to a tenant; one that an actor issues, to theirs.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Who in the tenant it belongs to; one that an actor issues is theirs unless said otherwise. Whether
    /// someone of that name is in the tenant, the host knows, and has to see to.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Which of the tenant's environments it is for.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// What it is grouped by: at most 32 tags of 1 to 64 characters.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags.extend(tags.into_iter().map(Into::into));
        self
    }

    /// It has the registered format with this prefix, and not the first one.
    #[must_use]
    pub fn format(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// What it may do; at most 64 scopes. An empty list is no right at all; to say nothing is none
    /// either, unless it is an actor who issues it and the
    /// [policy](crate::Policy::scope_rule) says otherwise.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        let before = self.scopes.take().unwrap_or_default();
        let all = before.iter().cloned().chain(scopes);
        self.scopes = Some(all.collect());
        self
    }

    /// It may do what its maker may give of these, and what was chosen of that where scopes were: for
    /// instance all that only reads. Without an actor it is what was chosen of these.
    #[must_use]
    pub fn narrowed_to(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.narrowed_to = Some(scopes.into_iter().collect());
        self
    }

    /// How often it may be used: at most 8 limits, all of which hold. A key that another key issues
    /// has that one's limits unless said otherwise.
    #[must_use]
    pub fn limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.limits.get_or_insert_default().extend(limits);
        self
    }

    /// The networks that it may be used from, at most 64: none is from anywhere. A key that another key
    /// issues has that one's networks unless said otherwise. They hold where the layer for it is mounted.
    #[must_use]
    pub fn networks(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.networks.get_or_insert_default().extend(networks);
        self
    }

    /// The role it is issued under, in the host's own terms. A key that an actor issues has their role.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Who issues it, in the host's own terms. Of an actor it is known; the
    /// [name](crate::Keyward::as_operator) of an operator is told unless another is said here.
    #[must_use]
    pub fn created_by(mut self, actor: impl Into<String>) -> Self {
        self.created_by = Some(actor.into());
        self
    }

    /// The instant from which it is refused; what lies behind the last whole microsecond is cut off. A key
    /// that another key issues ends with that one unless said otherwise.
    #[must_use]
    pub fn expires_at(mut self, at: SystemTime) -> Self {
        self.expires = Some(Expires::At(at));
        self
    }

    /// How long it is good for, from its issue.
    #[must_use]
    pub fn expires_in(mut self, after: Duration) -> Self {
        self.expires = Some(Expires::In(after));
        self
    }

    /// The host's own data, a JSON object of at most 16 KiB.
    #[must_use]
    pub fn metadata(mut self, metadata: serde_json::Value) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// Of all requests for a tenant by one maker with this token in 24 hours, one issues a key; the
    /// others are told [which](crate::IssueError::Replayed).
    #[must_use]
    pub fn idempotency_token(mut self, token: impl Into<String>) -> Self {
        self.token = Some(token.into());
        self
    }

    /// The record of this key, if it can be.
    pub(super) fn record(
        self,
        id: KeyId,
        made: Made,
        formats: &Formats,
        now: SystemTime,
    ) -> Result<KeyRecord, Invalid> {
        let mut record = KeyRecord::new(id, self.tenant.ok_or(Invalid::Tenant)?, made.hash);
        record.owner = self.owner;
        record.name = self.name;
        record.description = self.description;
        record.environment = self.environment;
        record.tags = sorted(self.tags);
        record.prefix = made.prefix;
        record.public_id = made.public_id;
        record.hint = made.hint;
        record.lookup = made.lookup;
        let scopes = self.scopes.unwrap_or_default();
        record.scopes = match &self.narrowed_to {
            Some(most) => scopes.intersection(most),
            None => scopes,
        };
        record.limits = sorted(self.limits.unwrap_or_default());
        record.networks = networks(self.networks.unwrap_or_default());
        record.role = self.role;
        record.created_at = now;
        record.created_by = self.created_by;
        let expires = self.expires.map(|expires| expires.instant(now));
        record.expires_at = expires.transpose()?;
        record.metadata = self.metadata.map(metadata_text).transpose()?;
        if self.token.is_some_and(|token| !fits(&token)) {
            return Err(Invalid::IdempotencyToken);
        }
        check(&record, formats)?;
        Ok(record)
    }
}

/// Whether what its owner says of a key can be.
pub(super) fn check(record: &KeyRecord, formats: &Formats) -> Result<(), Invalid> {
    if !fits(record.tenant.as_str()) {
        return Err(Invalid::Tenant);
    }
    if let Some(owner) = &record.owner
        && !(fits(owner.kind()) && fits(owner.id()))
    {
        return Err(Invalid::Owner);
    }
    if !is_plain(&record.name, 100) {
        return Err(Invalid::Name);
    }
    holds_no_key("name", &record.name, formats)?;
    if let Some(description) = &record.description {
        if description.chars().count() > 1_000 || !is_visible(description) {
            return Err(Invalid::Description);
        }
        holds_no_key("description", description, formats)?;
    }
    if let Some(environment) = &record.environment {
        if !is_plain(environment, 64) {
            return Err(Invalid::Environment);
        }
        holds_no_key("environment", environment, formats)?;
    }
    if record.tags.len() > 32 || !record.tags.iter().all(|tag| is_plain(tag, 64)) {
        return Err(Invalid::Tags);
    }
    for tag in &record.tags {
        holds_no_key("tags", tag, formats)?;
    }
    if record.role.as_deref().is_some_and(|role| !fits(role)) {
        return Err(Invalid::Role);
    }
    if let Some(metadata) = &record.metadata {
        holds_no_key("metadata", metadata, formats)?;
    }
    if record.scopes.len() > Scopes::MAX {
        return Err(Invalid::Scopes);
    }
    if record.limits.len() > Limit::MAX_PER_KEY {
        return Err(Invalid::Limits);
    }
    if record.networks.len() > 64 {
        return Err(Invalid::Networks);
    }
    Ok(())
}

/// Whether it can be a name of the host's: databases index no longer ones, and keep no zero byte.
fn fits(name: &str) -> bool {
    (1..=TenantId::MAX).contains(&name.len()) && !name.contains('\0')
}

/// Each network by its own address, and once.
pub(super) fn networks(networks: Vec<IpNet>) -> Vec<IpNet> {
    sorted(networks.iter().map(IpNet::trunc).collect())
}

pub(super) fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}

/// What of a key its record keeps.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) prefix: String,
    pub(super) public_id: Option<PublicId>,
    pub(super) hint: String,
    pub(super) lookup: Option<String>,
    pub(super) hash: KeyHash,
}

impl Expires {
    pub(super) fn instant(self, now: SystemTime) -> Result<SystemTime, Invalid> {
        let at = match self {
            Self::At(at) => at,
            Self::In(after) => now.checked_add(after).ok_or(Invalid::ExpiryTooFar)?,
        };
        // Down, so that it is never later than was asked for.
        let at = whole_micros(at);
        if at <= now {
            return Err(Invalid::ExpiryInPast);
        }
        if !can_be_spelled(at) {
            return Err(Invalid::ExpiryTooFar);
        }
        Ok(at)
    }
}

/// Whether RFC 3339 can write it, and so every store keep it.
pub(super) fn can_be_spelled(time: SystemTime) -> bool {
    let end = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(YEAR_10000));
    end.is_some_and(|end| time < end)
}

pub(super) fn metadata_text(metadata: serde_json::Value) -> Result<String, Invalid> {
    let text = metadata.to_string();
    if metadata.is_object() && text.len() <= 16 * 1024 && !holds_zero(&metadata) {
        Ok(text)
    } else {
        Err(Invalid::Metadata)
    }
}

/// Whether a text in it has a zero byte, which not every database keeps. serde_json reads no deeper than
/// 128 levels, and the length bounds what a host builds itself.
fn holds_zero(value: &serde_json::Value) -> bool {
    use serde_json::Value;
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(holds_zero),
        Value::Object(members) => members
            .iter()
            .any(|(name, value)| name.contains('\0') || holds_zero(value)),
        _ => false,
    }
}

/// 10000-01-01T00:00:00Z, the first instant that RFC 3339 §1 cannot write, in seconds from 1970.
const YEAR_10000: u64 = 253_402_300_800;
