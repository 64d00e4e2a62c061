use std::sync::Arc;
use std::time::SystemTime;

use keyward_store::{
    AuditAction, AuditRecord, Change, CommitError, Expectation, KeyId, KeyRecord, KeySnapshot,
    KeyStatus, Records, Scopes, Selector, StoreError, Subject,
};
use serde_json::json;

use super::keyward::Rules;
use super::{Keyward, LifecycleError, Revoke, Rotate};
use crate::verifier::node::Node;
use crate::verifier::write::CaughtUp;
use crate::{Action, Actor, Policy, Refusal};

/// Manages keys as someone in particular: within their tenant, their reach and their rights, as the
/// [`Policy`] says. [`Keyward::acting_as`] gives it. What is refused to whoever would issue, change or
/// delete keys is in the audit log, with their name; what they may not read is not. Of very many refusals,
/// a thousand at once and then ten a second on each node, the others are in the service's own log alone.
///
/// What [`Keyward`] itself does, it does as the operator, whom nothing is refused.
#[derive(Clone, Copy, Debug)]
pub struct Acting<'a> {
    keys: &'a Keyward,
    actor: Option<&'a Actor>,
    /// How the audit log knows an operator.
    name: Option<&'a str>,
}

/// What someone may give to keys at this moment, and what must hold for it to stay so.
pub(super) struct Mint<'a> {
    /// Bounded by the present standings; `None` is the operator.
    pub(super) actor: Option<(Actor, &'a Policy)>,
    pub(super) expectations: Vec<Expectation>,
}

impl<'a> Acting<'a> {
    pub(super) const fn operator(keys: &'a Keyward) -> Self {
        Self {
            keys,
            actor: None,
            name: None,
        }
    }

    pub(super) const fn named(mut self, name: &'a str) -> Self {
        self.name = Some(name);
        self
    }

    pub(super) const fn as_actor(keys: &'a Keyward, actor: &'a Actor) -> Self {
        Self {
            keys,
            actor: Some(actor),
            name: None,
        }
    }

    /// Who acts; `None` is the operator.
    #[must_use]
    pub const fn actor(&self) -> Option<&'a Actor> {
        self.actor
    }

    /// The most that they may give to keys, before what the standing of their tenant and their own takes
    /// from it; `None` is the operator, who may give everything.
    #[must_use]
    pub fn rights(&self) -> Option<Scopes> {
        self.actor.map(|actor| self.policy().rights(actor))
    }

    /// The most that the actor may give to a key at this moment: what their role grants, within the
    /// standings of their tenant and of themselves, and within the key that they act by. `None` is the
    /// operator, whom nothing bounds.
    ///
    /// # Errors
    /// [`LifecycleError::Refused`] when they may give nothing, being suspended or without a plan that
    /// includes keys; others when the store cannot answer.
    pub async fn rights_now(&self) -> Result<Option<Scopes>, LifecycleError> {
        let mint = self.mint().await?;
        Ok(mint.actor.map(|(bounded, policy)| policy.rights(&bounded)))
    }

    /// The key of that name, revoked ones too; `None` also for one that they may not know of.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer, or a key may not manage keys.
    pub async fn get(&self, key: &KeyId) -> Result<Option<KeySnapshot>, LifecycleError> {
        self.may_any()?;
        let found = self.find(key).await?;
        let Some(found) = found else { return Ok(None) };
        match self.may(Action::See, &found.record) {
            Ok(()) => Ok(Some(found)),
            Err(LifecycleError::NotFound(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Replaces a key by a new one.
    pub fn rotate(&self, key: &KeyId) -> Rotate<'a> {
        Rotate::new(*self, key.clone())
    }

    /// Revokes a key, for good.
    pub fn revoke(&self, key: &KeyId) -> Revoke<'a> {
        Revoke::new(*self, key.clone())
    }

    pub(super) const fn keys(&self) -> &'a Keyward {
        self.keys
    }

    pub(super) fn node(&self) -> &'a Arc<Node> {
        self.keys.node()
    }

    pub(super) fn rules(&self) -> &'a Rules {
        self.keys.rules()
    }

    pub(super) fn policy(&self) -> &'a Policy {
        &self.keys.rules().policy
    }

    pub(super) fn records(&self) -> &'a dyn Records {
        self.keys.records()
    }

    pub(super) fn now(&self) -> SystemTime {
        self.node().now()
    }

    /// How the audit log knows who acts.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.actor.map(Actor::name).or(self.name)
    }

    pub(super) async fn commit(&self, change: Change) -> Result<CaughtUp, CommitError> {
        self.node().commit(change).await
    }

    /// The record of that name, whoever asks.
    pub(super) async fn find(&self, key: &KeyId) -> Result<Option<KeySnapshot>, StoreError> {
        let found = self.records().find(&Selector::Key(key.clone())).await?;
        Ok(found.into_iter().next())
    }

    /// The record of that name, if it is theirs to do this to.
    pub(super) async fn reach(
        &self,
        action: Action,
        key: &KeyId,
    ) -> Result<KeyRecord, LifecycleError> {
        self.may_any()?;
        let found = self.find(key).await?;
        let found = found.ok_or_else(|| LifecycleError::NotFound(key.clone()))?;
        let Some(actor) = self.actor else {
            return Ok(found.record);
        };
        let reached = self.policy().may_reach(actor, action, &found.record);
        reached.map_err(|refusal| LifecycleError::refused(refusal, key))?;
        Ok(found.record)
    }

    /// Refuses a key that manages none, before it learns whether another exists.
    fn may_any(&self) -> Result<(), LifecycleError> {
        let permitted = self.actor.map(|actor| self.policy().permits_any(actor));
        permitted.unwrap_or(Ok(())).map_err(LifecycleError::Refused)
    }

    pub(super) fn may(&self, action: Action, record: &KeyRecord) -> Result<(), LifecycleError> {
        let Some(actor) = self.actor else {
            return Ok(());
        };
        let permitted = self.policy().permits(actor, action, record);
        permitted.map_err(|refusal| LifecycleError::refused(refusal, &record.id))
    }

    /// What they may give to keys now.
    pub(super) async fn mint(&self) -> Result<Mint<'a>, MintError> {
        let mut mint = Mint {
            actor: None,
            expectations: Vec::new(),
        };
        let Some(actor) = self.actor else {
            return Ok(mint);
        };
        let tenant = Subject::Tenant(actor.tenant().clone());
        let owner = actor.owner().cloned().map(Subject::Owner);
        let mut bounded = actor.clone();
        if let Some(by) = actor.by_key() {
            let found = self.find(&by.id).await?.map(|found| found.record);
            let good = |record: &KeyRecord| {
                let status = record.status(self.now());
                matches!(status, KeyStatus::Active | KeyStatus::Retiring)
            };
            let record = found.filter(good).ok_or(Refusal::KeyOver)?;
            bounded = bounded.by(&record);
            mint.expectations.push(Expectation::Revision {
                key: record.id,
                is: record.revision,
            });
        }
        for subject in std::iter::once(tenant).chain(owner) {
            let state = self.records().standing(&subject).await?;
            if state.suspended {
                return Err(Refusal::Suspended.into());
            }
            if !state.entitled {
                return Err(Refusal::NotEntitled.into());
            }
            bounded = bounded.under(&state);
            let is = state.revision;
            mint.expectations
                .push(Expectation::SubjectRevision { subject, is });
        }
        mint.actor = Some((bounded, self.policy()));
        Ok(mint)
    }

    /// Leaves a refusal of what would have changed keys in the audit log.
    pub(super) async fn told<T>(
        &self,
        action: &str,
        key: Option<&KeyId>,
        scopes: Option<&Scopes>,
        outcome: Result<T, LifecycleError>,
    ) -> Result<T, LifecycleError> {
        match &outcome {
            Err(LifecycleError::Refused(refusal)) => {
                self.tell_refused(action, key, scopes, refusal).await;
            }
            Err(LifecycleError::NotFound(_)) => {
                let refusal = Refusal::NotFound;
                self.tell_refused(action, key, scopes, &refusal).await;
            }
            _ => {}
        }
        outcome
    }

    /// Leaves a line in the audit log about what someone wanted in vain. What they are told does not
    /// depend on whether that succeeds.
    pub(super) async fn tell_refused(
        &self,
        action: &str,
        key: Option<&KeyId>,
        scopes: Option<&Scopes>,
        refusal: &Refusal,
    ) {
        let Some(actor) = self.actor else { return };
        if !self.rules().refusals.may_tell(self.node().clock.boot()) {
            let (actor, refusal) = (actor.name(), refusal.code());
            tracing::warn!(target: "keyward", actor, refusal, "too many refusals for the audit log");
            return;
        }
        let now = self.now();
        let mut line = AuditRecord::new(now, AuditAction::Refused);
        line.actor = Some(actor.name().to_owned());
        line.tenant = Some(actor.tenant().clone());
        line.owner = actor.owner().cloned();
        line.key = key.cloned();
        line.refusal = Some(refusal.code().to_owned());
        let scopes = scopes.map(|scopes| {
            let scopes = scopes.iter().take(Scopes::MAX);
            scopes.map(ToString::to_string).collect::<Vec<_>>()
        });
        let wanted = json!({ "action": action, "scopes": scopes });
        line.after = Some(wanted.to_string());
        if let Err(error) = self.commit(Change::new(now).audit(line)).await {
            tracing::warn!(target: "keyward", %error, "a refusal is not in the audit log");
        }
    }
}

impl Mint<'_> {
    /// Whether a key like this may be issued.
    pub(super) fn permits(&self, record: &KeyRecord) -> Result<(), Refusal> {
        match &self.actor {
            None => Ok(()),
            Some((actor, policy)) => policy.permits(actor, Action::Issue, record),
        }
    }

    /// Whether one key may be replaced by another like it.
    pub(super) fn permits_rotation(&self, record: &KeyRecord) -> Result<(), Refusal> {
        match &self.actor {
            None => Ok(()),
            Some((actor, policy)) => policy.permits(actor, Action::Rotate, record),
        }
    }

    /// Whether a key may become this.
    pub(super) fn permits_update(
        &self,
        before: &KeyRecord,
        after: &KeyRecord,
    ) -> Result<(), Refusal> {
        match &self.actor {
            None => Ok(()),
            Some((actor, policy)) => policy.permits_update(actor, before, after),
        }
    }
}

/// Why it cannot be said what someone may give.
pub(super) enum MintError {
    Refused(Refusal),
    Store(StoreError),
}

impl From<Refusal> for MintError {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<StoreError> for MintError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<MintError> for super::IssueError {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Refused(refusal) => Self::Refused(refusal),
            MintError::Store(error) => Self::Store(error),
        }
    }
}

impl From<MintError> for LifecycleError {
    fn from(error: MintError) -> Self {
        match error {
            MintError::Refused(refusal) => Self::Refused(refusal),
            MintError::Store(error) => Self::Store(error),
        }
    }
}
