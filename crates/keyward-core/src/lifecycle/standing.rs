use std::time::SystemTime;

use keyward_store::{
    AuditAction, AuditRecord, Change, CommitError, Expectation, Scopes, Subject, SubjectState,
    Write,
};

use super::{Keyward, LifecycleError, MAX_TRIES};

/// What the host says of an owner or a tenant; all of its keys heed it, cached ones too, as soon as
/// they would heed a revocation.
#[derive(Debug)]
pub struct Standing<'a> {
    keys: &'a Keyward,
    subject: Subject,
}

impl<'a> Standing<'a> {
    pub(super) const fn new(keys: &'a Keyward, subject: Subject) -> Self {
        Self { keys, subject }
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

    async fn change(&self, edit: impl Fn(&mut SubjectState)) -> Result<(), LifecycleError> {
        let mut tries = 0;
        loop {
            let state = self.state().await?;
            let Some(change) = restate(&self.subject, &state, &edit, self.keys.now()) else {
                self.keys.catch_up().await;
                return Ok(());
            };
            match self.keys.commit(change).await {
                Err(CommitError::Expectation(_)) if tries < MAX_TRIES => tries += 1,
                outcome => return Ok(outcome.map(|_caught_up| ())?),
            }
        }
    }
}

/// The change that edits a standing; `None` when the edit changes nothing.
fn restate(
    subject: &Subject,
    state: &SubjectState,
    edit: impl Fn(&mut SubjectState),
    now: SystemTime,
) -> Option<Change> {
    let mut edited = state.clone();
    edit(&mut edited);
    if edited == *state {
        return None;
    }
    edited.revision += 1;
    let mut audit = AuditRecord::new(now, AuditAction::SubjectChanged);
    audit.subject = Some(subject.clone());
    if let Subject::Tenant(tenant) = subject {
        audit.tenant = Some(tenant.clone());
    }
    let expected = Expectation::SubjectRevision {
        subject: subject.clone(),
        is: state.revision,
    };
    let write = Write::Standing {
        subject: subject.clone(),
        state: edited,
    };
    Some(Change::new(now).expect(expected).write(write).audit(audit))
}
