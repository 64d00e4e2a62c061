use keyward_store::{AuditAction, KeyId};

use super::acting::Acting;
use super::revise::{Tries, replaced};
use super::{LifecycleError, history};
use crate::Action;

impl Acting<'_> {
    /// Refuses a key until it is [resumed](Acting::resume). Suspending a suspended key changes nothing
    /// and succeeds.
    ///
    /// # Errors
    /// [`LifecycleError::Is`] for a key that is revoked or retired; others when the actor may not, or
    /// the store fails.
    ///
    /// # Cancel safety
    /// When the future is dropped, the change may still be carried out.
    pub async fn suspend(&self, key: &KeyId) -> Result<(), LifecycleError> {
        self.set_suspended(key, true).await
    }

    /// Ends the suspension of a key, whoever has suspended it. Resuming a key that is not suspended changes nothing and succeeds.
    ///
    /// # Errors
    /// [`LifecycleError::Is`] for a key that is revoked or retired; others when the actor may not, or
    /// the store fails.
    ///
    /// # Cancel safety
    /// When the future is dropped, the change may still be carried out.
    pub async fn resume(&self, key: &KeyId) -> Result<(), LifecycleError> {
        self.set_suspended(key, false).await
    }

    async fn set_suspended(&self, key: &KeyId, suspended: bool) -> Result<(), LifecycleError> {
        let outcome = self.try_set_suspended(key, suspended).await;
        let wanted = Action::Suspend.as_str();
        self.told(wanted, Some(key), None, outcome).await
    }

    async fn try_set_suspended(&self, key: &KeyId, suspended: bool) -> Result<(), LifecycleError> {
        let mut tries = Tries::new();
        loop {
            let before = self.reach(Action::Suspend, key).await?;
            let now = self.now();
            let status = before.status(now);
            if status.is_final() {
                return Err(LifecycleError::Is(status));
            }
            if before.suspended_at.is_some() == suspended {
                self.node().catch_up().await;
                return Ok(());
            }
            let mut after = before.clone();
            after.suspended_at = suspended.then_some(now);
            let action = if suspended {
                AuditAction::Suspended
            } else {
                AuditAction::Resumed
            };
            let line = history::line(now, action, self.name(), Some(&before), &after);
            let outcome = self.commit(replaced(now, &before, after, line)).await;
            if !tries.again(&outcome) {
                return Ok(outcome.map(|_caught_up| ())?);
            }
        }
    }
}
