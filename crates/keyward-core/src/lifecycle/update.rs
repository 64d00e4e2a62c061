use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use keyward_store::{AuditAction, Formats, KeyId, KeyRecord, KeyStatus, Limit, Scope, Scopes};

use super::acting::Acting;
use super::invalid::scopes_hold_no_key;
use super::new_key::{Expires, check, metadata_text, networks, sorted};
use super::revise::{Tries, replaced};
use super::{LifecycleError, history};
use crate::{Action, ScopeRule};

/// What shall become of a key; what is not said stays.
///
/// Nothing is checked before it is done.
#[derive(Clone, Debug, Default)]
pub struct KeyUpdate {
    name: Option<String>,
    description: Option<Option<String>>,
    tags: Option<Vec<String>>,
    metadata: Option<Option<serde_json::Value>>,
    expires: Option<Option<Expires>>,
    limits: Option<Vec<Limit>>,
    networks: Option<Vec<IpNet>>,
    scopes: Option<Scopes>,
}

impl KeyUpdate {
    /// Changes nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Its name.
    #[must_use]
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// What it is for; `None` for nothing in particular.
    #[must_use]
    pub fn description(mut self, description: Option<String>) -> Self {
        self.description = Some(description);
        self
    }

    /// All its tags.
    #[must_use]
    pub fn tags(mut self, tags: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.tags = Some(tags.into_iter().map(Into::into).collect());
        self
    }

    /// The host's own data; `None` for none.
    #[must_use]
    pub fn metadata(mut self, metadata: Option<serde_json::Value>) -> Self {
        self.metadata = Some(metadata);
        self
    }

    /// The instant from which it is refused; `None` for never.
    #[must_use]
    pub const fn expires_at(mut self, at: Option<SystemTime>) -> Self {
        self.expires = Some(match at {
            Some(at) => Some(Expires::At(at)),
            None => None,
        });
        self
    }

    /// How long it is good for, from now on.
    #[must_use]
    pub const fn expires_in(mut self, after: Duration) -> Self {
        self.expires = Some(Some(Expires::In(after)));
        self
    }

    /// All its limits.
    #[must_use]
    pub fn limits(mut self, limits: impl IntoIterator<Item = Limit>) -> Self {
        self.limits = Some(limits.into_iter().collect());
        self
    }

    /// All the networks that it may be used from.
    #[must_use]
    pub fn networks(mut self, networks: impl IntoIterator<Item = IpNet>) -> Self {
        self.networks = Some(networks.into_iter().collect());
        self
    }

    /// All its scopes.
    #[must_use]
    pub fn scopes(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.scopes = Some(scopes.into_iter().collect());
        self
    }
}

impl Acting<'_> {
    /// Changes what a key is called, and what it may do, and gives it as it is then. Scopes are
    /// narrowed freely, and widened only within the actor's own rights, unless a rule
    /// [fixes](ScopeRule::Fixed) them. Who is suspended or not entitled, or whose tenant is, gives
    /// nothing: neither scopes nor another expiry or other limits.
    ///
    /// # Errors
    /// [`LifecycleError::Is`] for a key that is revoked, retired or expired, [`LifecycleError::Invalid`]
    /// for what cannot be, [`LifecycleError::Refused`] where the actor may not; others when the store
    /// fails.
    ///
    /// # Cancel safety
    /// When the future is dropped, the change may still be carried out.
    pub async fn update(
        &self,
        key: &KeyId,
        update: KeyUpdate,
    ) -> Result<KeyRecord, LifecycleError> {
        let scopes = update.scopes.clone();
        scopes_hold_no_key(scopes.as_ref(), &self.node().formats)?;
        let outcome = self.try_update(key, update).await;
        let wanted = Action::Update.as_str();
        self.told(wanted, Some(key), scopes.as_ref(), outcome).await
    }

    async fn try_update(
        &self,
        key: &KeyId,
        update: KeyUpdate,
    ) -> Result<KeyRecord, LifecycleError> {
        let mut tries = Tries::new();
        loop {
            let before = self.reach(Action::Update, key).await?;
            let now = self.now();
            let mut after = updated(&before, update.clone(), &self.node().formats, now)?;
            if after == before {
                self.node().catch_up().await;
                return Ok(before);
            }
            // What all of an actor's scopes are depends on their standing, too.
            let is_fixed = self.policy().rule() == ScopeRule::Fixed;
            let mint = if widens(&before, &after) || is_fixed && before.scopes != after.scopes {
                Some(self.mint().await?)
            } else {
                None
            };
            let permitted = match &mint {
                Some(mint) => mint.permits_update(&before, &after),
                None => self.permits_update(&before, &after),
            };
            permitted.map_err(|refusal| LifecycleError::refused(refusal, key))?;
            let action = AuditAction::Updated;
            let line = history::line(now, action, self.name(), Some(&before), &after);
            let mut change = replaced(now, &before, after.clone(), line);
            change
                .expectations
                .extend(mint.into_iter().flat_map(|mint| mint.expectations));
            let outcome = self.commit(change).await;
            if !tries.again(&outcome) {
                after.revision = before.revision + 1;
                return Ok(outcome.map(|_caught_up| after)?);
            }
        }
    }

    fn permits_update(&self, before: &KeyRecord, after: &KeyRecord) -> Result<(), crate::Refusal> {
        let Some(actor) = self.actor() else {
            return Ok(());
        };
        self.policy().permits_update(actor, before, after)
    }
}

/// The record as it shall be, if it can be.
fn updated(
    before: &KeyRecord,
    update: KeyUpdate,
    formats: &Formats,
    now: SystemTime,
) -> Result<KeyRecord, LifecycleError> {
    let status = before.status(now);
    if status.is_final() || status == KeyStatus::Expired {
        return Err(LifecycleError::Is(status));
    }
    let mut after = before.clone();
    if let Some(name) = update.name {
        after.name = name;
    }
    if let Some(description) = update.description {
        after.description = description;
    }
    if let Some(tags) = update.tags {
        after.tags = sorted(tags);
    }
    if let Some(metadata) = update.metadata {
        after.metadata = metadata.map(metadata_text).transpose()?;
    }
    if let Some(expires) = update.expires {
        let instant = expires.map(|expires| expires.instant(now));
        after.expires_at = instant.transpose()?;
        if let Some(successor) = &mut after.successor
            && let Some(expiry) = after.expires_at
        {
            // An overlap never outlives the key.
            successor.until = successor.until.min(expiry);
        }
    }
    if let Some(limits) = update.limits {
        after.limits = sorted(limits);
    }
    if let Some(all) = update.networks {
        after.networks = networks(all);
    }
    if let Some(scopes) = update.scopes {
        after.scopes = scopes;
    }
    check(&after, formats)?;
    Ok(after)
}

/// Whether a key may do more than before, for which its maker's rights are looked at as they are now.
fn widens(before: &KeyRecord, after: &KeyRecord) -> bool {
    after
        .scopes
        .iter()
        .any(|scope| !before.scopes.allows(scope))
        || before.expires_at != after.expires_at
        || before.limits != after.limits
        || before.networks != after.networks
}
