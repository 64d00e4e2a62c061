use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use ipnet::IpNet;
use keyward_store::{
    BootTime, KeyId, KeyRecord, Limit, Owner, Scope, Scopes, SubjectState, Successor,
};
use serde::de::DeserializeOwned;
use thiserror::Error;

use crate::Denied;
use crate::kept::Kept;

/// Who is calling: the key that a request bore, and what it stands for.
///
/// Only the verifier makes one, so whoever holds it holds a verified request. Clones are cheap.
#[derive(Clone)]
pub struct Principal {
    identity: Arc<Identity>,
    /// Which layers have counted the request that this clone belongs to.
    counted: u64,
    /// When the key was verified for it.
    at: BootTime,
}

struct Identity {
    key: KeyId,
    tenant: Box<str>,
    owner: Option<Owner>,
    name: Box<str>,
    environment: Option<Box<str>>,
    role: Option<Box<str>>,
    scopes: Scopes,
    limits: Box<[Limit]>,
    networks: Box<[IpNet]>,
    limited_as: KeyId,
    expires_at: Option<SystemTime>,
    successor: Option<Box<Successor>>,
    metadata: Option<Box<str>>,
    /// What was made for as long as the key stays cached.
    kept: Kept,
}

impl Principal {
    pub(crate) fn new(
        record: &KeyRecord,
        [owner, tenant]: [&SubjectState; 2],
        scopes: Scopes,
    ) -> Self {
        let boxed = |text: &Option<String>| text.as_deref().map(Box::from);
        // The nearer one first.
        let role = owner.role.as_ref().or(tenant.role.as_ref());
        let role = role
            .or(record.role.as_ref())
            .map(|role| role.as_str().into());
        let identity = Arc::new(Identity {
            key: record.id.clone(),
            tenant: record.tenant.as_str().into(),
            owner: record.owner.clone(),
            name: record.name.as_str().into(),
            environment: boxed(&record.environment),
            role,
            scopes,
            limits: record.limits.as_slice().into(),
            networks: record.networks.as_slice().into(),
            limited_as: record.shares_limits_of().clone(),
            expires_at: record.expires_at,
            successor: record.successor.clone().map(Box::new),
            metadata: boxed(&record.metadata),
            kept: Kept::default(),
        });
        Self {
            identity,
            counted: 0,
            at: BootTime::ZERO,
        }
    }

    /// The principal of a key with this record, for a test of a handler. The record's hash is not
    /// looked at.
    ///
    /// ```
    /// # use keyward_core::Principal;
    /// # use keyward_store::{Digest, KeyHash, KeyId, KeyRecord, Scope};
    /// const READ: Scope = Scope::from_static("orders:read");
    ///
    /// let no_hash = KeyHash::Sha256(Digest::sha256(b""));
    /// let mut record = KeyRecord::new(KeyId::from(1), "acme-inc", no_hash);
    /// record.scopes = [READ].into();
    /// let key = Principal::for_test(&record);
    /// assert_eq!(key.tenant(), "acme-inc");
    /// assert!(key.require(&READ).is_ok());
    /// ```
    #[cfg(feature = "test-util")]
    #[must_use]
    pub fn for_test(record: &KeyRecord) -> Self {
        let good = &SubjectState::default();
        Self::new(record, [good, good], record.scopes.clone())
    }

    /// The record's name: what audit logs show, and what revokes the key.
    #[must_use]
    pub fn key_id(&self) -> &KeyId {
        &self.identity.key
    }

    /// The tenant that the key belongs to.
    #[must_use]
    pub fn tenant(&self) -> &str {
        &self.identity.tenant
    }

    /// Who in the tenant, if anyone in particular.
    #[must_use]
    pub fn owner(&self) -> Option<&Owner> {
        self.identity.owner.as_ref()
    }

    /// What the key is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.identity.name
    }

    /// The environment that the key is for.
    #[must_use]
    pub fn environment(&self) -> Option<&str> {
        self.identity.environment.as_deref()
    }

    /// The role that the key has: the one that its owner was last given, or else its tenant, or else the
    /// one that it was issued under.
    #[must_use]
    pub fn role(&self) -> Option<&str> {
        self.identity.role.as_deref()
    }

    /// What the key may do now: its own scopes, less what its owner or tenant may not.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.identity.scopes
    }

    /// When the key expires.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        self.identity.expires_at
    }

    /// The key that takes this one's place, and until when both are good.
    #[must_use]
    pub fn successor(&self) -> Option<&Successor> {
        self.identity.successor.as_deref()
    }

    /// How often the key may be used. All of them hold; none is no bound.
    #[must_use]
    pub fn limits(&self) -> &[Limit] {
        &self.identity.limits
    }

    /// The networks that the key may be used from; none is from anywhere.
    #[must_use]
    pub fn networks(&self) -> &[IpNet] {
        &self.identity.networks
    }

    /// Whose requests count towards one limit with those of this key: a key and those that take its
    /// place go by one name.
    #[must_use]
    pub fn limited_as(&self) -> &KeyId {
        &self.identity.limited_as
    }

    /// Goes on only with a key that may do this.
    ///
    /// # Errors
    /// A [`Denied`] that names the scope.
    pub fn require(&self, scope: &Scope) -> Result<(), Denied> {
        if self.identity.scopes.allows(scope) {
            Ok(())
        } else {
            let required = std::iter::once(scope.clone()).collect();
            Err(Denied::insufficient_scope(required))
        }
    }

    /// Goes on only with a key of this tenant.
    ///
    /// # Errors
    /// A [`Denied`] that does not name the tenant.
    pub fn require_tenant(&self, tenant: &str) -> Result<(), Denied> {
        if self.tenant() == tenant {
            Ok(())
        } else {
            Err(Denied::other_tenant())
        }
    }

    /// The host's own data of this key, read as a `T`. It is parsed once for as long as the key
    /// stays cached.
    ///
    /// # Errors
    /// [`MetadataError`] when the key has none, or when it is no `T`.
    pub fn metadata<T>(&self) -> Result<Arc<T>, MetadataError>
    where
        T: DeserializeOwned + Send + Sync + 'static,
    {
        if let Some(known) = self.identity.kept.find::<Arc<T>>() {
            return Ok(known.clone());
        }
        let text = self.identity.metadata.as_deref();
        let text = text.ok_or(MetadataError::None)?;
        let value: Arc<T> = Arc::new(serde_json::from_str(text)?);
        Ok(self.identity.kept.keep(|| value).clone())
    }

    /// When the key was verified for this request, by the verifier's clock.
    #[must_use]
    pub const fn verified_at(&self) -> BootTime {
        self.at
    }

    /// The same for a request at that moment.
    #[inline]
    pub(crate) fn at(&self, now: BootTime) -> Self {
        Self {
            identity: self.identity.clone(),
            counted: 0,
            at: now,
        }
    }

    /// What a middleware keeps of the key, made once for as long as the key stays cached: one value
    /// of each type. It costs no more than a comparison afterwards.
    pub fn keep<T>(&self, make: impl FnOnce() -> T) -> &T
    where
        T: Send + Sync + 'static,
    {
        self.identity.kept.keep(make)
    }

    /// Notes that a layer, by a number below 64 of its own, has counted the request that this principal
    /// belongs to; false when it had done so before.
    pub const fn count_once(&mut self, layer: u8) -> bool {
        let bit = 1 << (layer & 63);
        let first = self.counted & bit == 0;
        self.counted |= bit;
        first
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Principal")
            .field("key_id", &self.identity.key)
            .field("tenant", &self.identity.tenant)
            .field("owner", &self.identity.owner)
            .field("name", &self.identity.name)
            .field("scopes", &self.identity.scopes)
            .finish_non_exhaustive()
    }
}

/// A request came without a credential, where that is allowed.
///
/// It tells a request that passed the layer from one that no layer saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Anonymous;

impl Anonymous {
    /// The mark that a layer leaves in a request.
    #[must_use]
    pub const fn mark() -> Self {
        Self
    }
}

/// Why metadata could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MetadataError {
    /// The key has none.
    #[error("the key has no metadata")]
    None,
    /// It is not of this type.
    #[error("the key's metadata is of another shape")]
    Shape(#[from] serde_json::Error),
}
