use std::time::SystemTime;

use ipnet::IpNet;
use keyward_store::{KeyId, KeyRecord, Limit, Owner, Scope, Scopes, SubjectState, TenantId};

use crate::Principal;

/// Who wants to manage keys: someone whom the host has signed in, or the bearer of a key.
///
/// It says who they are, not what they may: that is the [`Policy`](crate::Policy)'s to say.
///
/// ```
/// # use keyward_core::Actor;
/// # use keyward_store::Owner;
/// let admin = Actor::user(Owner::new("user", "7"), "acme-inc").role("admin");
/// assert_eq!(admin.name(), "user:7");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    name: String,
    tenant: TenantId,
    owner: Option<Owner>,
    role: Option<String>,
    /// What bounds them beside their role.
    bound: Option<Scopes>,
    key: Option<ByKey>,
}

/// What of a key bounds those that it makes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ByKey {
    pub(crate) id: KeyId,
    pub(crate) ends_at: Option<SystemTime>,
    pub(crate) limits: Vec<Limit>,
    /// `None` is from anywhere; without any it is from nowhere.
    pub(crate) networks: Option<Vec<IpNet>>,
}

impl Actor {
    /// Someone of that tenant. Keys that they make for themselves belong to this owner.
    #[must_use]
    pub fn user(owner: Owner, tenant: impl Into<TenantId>) -> Self {
        Self {
            name: owner.to_string(),
            tenant: tenant.into(),
            owner: Some(owner),
            role: None,
            bound: None,
            key: None,
        }
    }

    /// The bearer of a key, who may give to others no more than that key may do itself: when it came,
    /// and when it gives. A request may take long, and its key be narrowed or revoked meanwhile.
    #[must_use]
    pub fn key(key: &Principal) -> Self {
        let retires = key.successor().map(|successor| successor.until);
        let ends = [key.expires_at(), retires];
        Self {
            name: format!("key:{}", key.key_id()),
            tenant: key.tenant().into(),
            owner: key.owner().cloned(),
            role: key.role().map(str::to_owned),
            bound: Some(key.scopes().clone()),
            key: Some(ByKey {
                id: key.key_id().clone(),
                ends_at: ends.into_iter().flatten().min(),
                limits: key.limits().to_vec(),
                networks: bounded(key.networks()),
            }),
        }
    }

    /// Their role in the tenant.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// They may give no more than this, whatever their role grants.
    #[must_use]
    pub fn scopes(self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.within(&scopes.into_iter().collect())
    }

    /// The name by which the audit log knows them.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tenant in which they act.
    #[must_use]
    pub const fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// Whom keys belong to that they make for themselves.
    #[must_use]
    pub const fn owner(&self) -> Option<&Owner> {
        self.owner.as_ref()
    }

    /// Their role.
    #[must_use]
    pub fn role_name(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// Whether a key is what they act by.
    #[must_use]
    pub const fn is_key(&self) -> bool {
        self.key.is_some()
    }

    pub(super) const fn bound(&self) -> Option<&Scopes> {
        self.bound.as_ref()
    }

    pub(crate) const fn by_key(&self) -> Option<&ByKey> {
        self.key.as_ref()
    }

    /// The same, whose key has become this meanwhile: they give no more than either of the two may.
    pub(crate) fn by(mut self, record: &KeyRecord) -> Self {
        if let Some(key) = &mut self.key {
            let ends = [key.ends_at, record.ends_at()];
            key.ends_at = ends.into_iter().flatten().min();
            // All of them hold.
            key.limits.extend_from_slice(&record.limits);
            key.limits.sort();
            key.limits.dedup();
            key.networks = both(key.networks.take(), bounded(&record.networks));
        }
        self.within(&record.scopes)
    }

    /// The same, bounded by a standing as all their keys are.
    pub(crate) fn under(self, state: &SubjectState) -> Self {
        match &state.ceiling {
            Some(ceiling) => self.within(ceiling),
            None => self,
        }
    }

    fn within(mut self, scopes: &Scopes) -> Self {
        self.bound = Some(match self.bound {
            None => scopes.clone(),
            Some(bound) => bound.intersection(scopes),
        });
        self
    }
}

fn bounded(networks: &[IpNet]) -> Option<Vec<IpNet>> {
    (!networks.is_empty()).then(|| networks.to_vec())
}

/// What lies in both.
fn both(one: Option<Vec<IpNet>>, other: Option<Vec<IpNet>>) -> Option<Vec<IpNet>> {
    let (one, other) = match (one, other) {
        (Some(one), Some(other)) => (one, other),
        (one, other) => return one.or(other),
    };
    let within = |nets: &[IpNet], of: &[IpNet]| {
        let is_within = |net: &&IpNet| of.iter().any(|wide| wide.contains(*net));
        nets.iter().filter(is_within).copied().collect::<Vec<_>>()
    };
    let mut both = within(&one, &other);
    both.extend(within(&other, &one));
    both.sort();
    both.dedup();
    Some(both)
}
