use std::time::{Duration, SystemTime};

use keyward_store::{KeyHash, KeyId, KeyRecord, Owner, PublicId, Scope, Scopes, TenantId};

use super::IssueError;
use crate::verifier::node::whole_micros;

/// A key to be issued.
///
/// Nothing is checked before it is.
#[derive(Clone, Debug)]
pub struct NewKey {
    name: String,
    description: Option<String>,
    tenant: Option<TenantId>,
    owner: Option<Owner>,
    environment: Option<String>,
    pub(super) prefix: Option<String>,
    scopes: Vec<Scope>,
    role: Option<String>,
    created_by: Option<String>,
    expires: Option<Expires>,
    metadata: Option<serde_json::Value>,
}

#[derive(Clone, Copy, Debug)]
enum Expires {
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
            prefix: None,
            scopes: Vec::new(),
            role: None,
            created_by: None,
            expires: None,
            metadata: None,
        }
    }

    /// What it is for.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Whom it belongs to. Every key belongs to a tenant.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Who in the tenant it belongs to.
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

    /// It has the registered format with this prefix, and not the first one.
    #[must_use]
    pub fn format(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// What it may do; at most 64 scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.scopes.extend(scopes);
        self
    }

    /// The role it is issued under, in the host's own terms.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// Who issues it, in the host's own terms.
    #[must_use]
    pub fn created_by(mut self, actor: impl Into<String>) -> Self {
        self.created_by = Some(actor.into());
        self
    }

    /// The instant from which it is refused; what lies behind the last whole microsecond is cut off.
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

    /// The record of this key, if it can be.
    pub(super) fn record(
        self,
        id: KeyId,
        made: Made,
        now: SystemTime,
    ) -> Result<KeyRecord, IssueError> {
        let tenant = self.tenant.ok_or(IssueError::Tenant)?;
        if !(1..=TenantId::MAX).contains(&tenant.as_str().len()) {
            return Err(IssueError::Tenant);
        }
        if !(1..=100).contains(&self.name.chars().count()) || self.name.trim().is_empty() {
            return Err(IssueError::Name);
        }
        let scopes: Scopes = self.scopes.into_iter().collect();
        if scopes.len() > Scopes::MAX {
            return Err(IssueError::TooManyScopes);
        }
        let mut record = KeyRecord::new(id, tenant, made.hash);
        record.owner = self.owner;
        record.name = self.name;
        record.description = self.description;
        record.environment = self.environment;
        record.prefix = made.prefix;
        record.public_id = made.public_id;
        record.hint = made.hint;
        record.lookup = made.lookup;
        record.scopes = scopes;
        record.role = self.role;
        record.created_at = now;
        record.created_by = self.created_by;
        record.expires_at = self
            .expires
            .map(|expires| expires.instant(now))
            .transpose()?;
        record.metadata = self.metadata.map(metadata_text).transpose()?;
        Ok(record)
    }
}

/// What of the key itself its record keeps.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) prefix: String,
    pub(super) public_id: Option<PublicId>,
    pub(super) hint: String,
    pub(super) lookup: Option<String>,
    pub(super) hash: KeyHash,
}

impl Expires {
    fn instant(self, now: SystemTime) -> Result<SystemTime, IssueError> {
        let at = match self {
            Self::At(at) => at,
            Self::In(after) => now.checked_add(after).ok_or(IssueError::ExpiryTooFar)?,
        };
        // Down, so that it is never later than was asked for.
        let at = whole_micros(at);
        if at <= now {
            return Err(IssueError::ExpiryInPast);
        }
        let end = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(YEAR_10000));
        if end.is_none_or(|end| at >= end) {
            return Err(IssueError::ExpiryTooFar);
        }
        Ok(at)
    }
}

fn metadata_text(metadata: serde_json::Value) -> Result<String, IssueError> {
    let text = metadata.to_string();
    if metadata.is_object() && text.len() <= 16 * 1024 {
        Ok(text)
    } else {
        Err(IssueError::Metadata)
    }
}

/// 10000-01-01T00:00:00Z, the first instant that RFC 3339 §1 cannot write, in seconds from 1970.
const YEAR_10000: u64 = 253_402_300_800;
