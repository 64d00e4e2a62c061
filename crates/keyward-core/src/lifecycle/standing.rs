use keyward_store::{
    AuditAction, AuditRecord, Change, Expectation, Scopes, Subject, SubjectState, Write,
};

use super::revise::Tries;
use super::{Keyward, LifecycleError, history};

/// What the host says of an owner or a tenant; all of its keys heed it, cached ones too, as soon as
/// they would heed a revocation.
///
/// When an owner or a tenant is deleted, [suspend](Standing::suspend) it first, which is one change for
/// all its keys, and then [revoke them all](Keyward::revoke_all).
#[derive(Debug)]
pub struct Standing<'a> {
    keys: &'a Keyward,
    subject: Subject,
    by: Option<String>,
}

impl<'a> Standing<'a> {
    pub(super) const fn new(keys: &'a Keyward, subject: Subject) -> Self {
        Self {
            keys,
            subject,
            by: None,
        }
    }

    /// Who says so, for the audit log.
    #[must_use]
    pub fn by(mut self, name: impl Into<String>) -> Self {
        self.by = Some(name.into());
        self
    }

    /// The present state.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn state(&self) -> Result<SubjectState, LifecycleError> {
        Ok(self.keys.records().standing(&self.subject).await?)
    }

    /// Refuses all its keys until [`resume`](Standing::resume).
    ///
    /// # Errors
    /// [`LifecycleError`] when the store fails.
    pub async fn suspend(&self) -> Result<(), LifecycleError> {
        self.change(|state| state.suspended = true).await
    }

    /// Ends a suspension.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store fails.
    pub async fn resume(&self) -> Result<(), LifecycleError> {
        self.change(|state| state.suspended = false).await
    }

    /// Says whether its plan includes the use of keys.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store fails.
    pub async fn entitle(&self, entitled: bool) -> Result<(), LifecycleError> {
        self.change(|state| state.entitled = entitled).await
    }

    /// Sets the most that its keys may do; `None` sets no bound.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store fails.
    pub async fn ceiling(&self, ceiling: Option<Scopes>) -> Result<(), LifecycleError> {
        self.change(|state| state.ceiling.clone_from(&ceiling))
            .await
    }

    /// Gives all its keys this role, whatever role they were issued under; `None` leaves them that one.
    ///
    /// With a [policy](crate::Policy) that has roles, the ceiling becomes what the role grants, or none
    /// without a role: whoever was an administrator and is a member now has keys that may do no more
    /// than a member. Of an owner who has several roles in several tenants, each membership is to be an
    /// owner of its own.
    ///
    /// # Errors
    /// [`LifecycleError::UnknownRole`] when the policy has roles, but not this one; others when the
    /// store fails.
    pub async fn set_role(&self, role: Option<&str>) -> Result<(), LifecycleError> {
        let policy = &self.keys.rules().policy;
        let ceiling = match role {
            None => None,
            Some(name) => policy.find(name).map(|role| role.scopes().clone()),
        };
        if !policy.has_roles() {
            return self
                .change(|state| state.role = role.map(str::to_owned))
                .await;
        }
        if role.is_some() && ceiling.is_none() {
            return Err(LifecycleError::UnknownRole);
        }
        self.change(|state| {
            state.role = role.map(str::to_owned);
            state.ceiling.clone_from(&ceiling);
        })
        .await
    }

    async fn change(&self, edit: impl Fn(&mut SubjectState)) -> Result<(), LifecycleError> {
        let mut tries = Tries::new();
        loop {
            let state = self.state().await?;
            let Some(change) = self.restate(&state, &edit) else {
                self.keys.catch_up().await;
                return Ok(());
            };
            let outcome = self.keys.commit(change).await;
            if !tries.again(&outcome) {
                return Ok(outcome.map(|_caught_up| ())?);
            }
        }
    }

    /// The change that edits a standing; `None` when the edit changes nothing.
    fn restate(&self, state: &SubjectState, edit: impl Fn(&mut SubjectState)) -> Option<Change> {
        let mut edited = state.clone();
        edit(&mut edited);
        if edited == *state {
            return None;
        }
        edited.revision += 1;
        let now = self.keys.now();
        let mut audit = AuditRecord::new(now, AuditAction::SubjectChanged);
        audit.actor.clone_from(&self.by);
        audit.subject = Some(self.subject.clone());
        match &self.subject {
            Subject::Tenant(tenant) => audit.tenant = Some(tenant.clone()),
            Subject::Owner(owner) => audit.owner = Some(owner.clone()),
            _ => {}
        }
        history::standing(&mut audit, state, &edited);
        let expected = Expectation::SubjectRevision {
            subject: self.subject.clone(),
            is: state.revision,
        };
        let write = Write::Standing {
            subject: self.subject.clone(),
            state: edited,
        };
        Some(Change::new(now).expect(expected).write(write).audit(audit))
    }
}
