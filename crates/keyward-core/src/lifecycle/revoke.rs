use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::SystemTime;

use keyward_store::{
    AuditAction, AuditRecord, Change, CommitError, Expectation, KeyId, KeyRecord, Write,
};

use super::{Keyward, LifecycleError, MAX_TRIES};

/// A revocation, made by awaiting it.
///
/// It is final. Once it has returned, no verification that starts on this node accepts the key;
/// other nodes follow as [the promise](crate#the-promise) says. Revoking a revoked key changes
/// nothing and succeeds.
///
/// # Errors
/// [`LifecycleError::NotFound`] for a key that does not exist, [`LifecycleError::Store`] and
/// [`LifecycleError::Commit`] when the store fails. After [`CommitError::Unknown`] the key may or
/// may not be revoked; to revoke it again is safe.
///
/// # Cancel safety
/// Dropped before its first poll it does nothing; later, the change may still be carried out.
#[must_use = "a revocation does nothing until it is awaited"]
pub struct Revoke<'a> {
    keys: &'a Keyward,
    key: KeyId,
}

impl<'a> Revoke<'a> {
    pub(super) const fn new(keys: &'a Keyward, key: KeyId) -> Self {
        Self { keys, key }
    }

    async fn run(self) -> Result<(), LifecycleError> {
        let mut tries = 0;
        loop {
            let found = self.keys.get(&self.key).await?;
            let found = found.ok_or_else(|| LifecycleError::NotFound(self.key.clone()))?;
            let Some(change) = revoke(&found.record, self.keys.now()) else {
                // It may have been revoked elsewhere, and this node not have heard of it yet.
                self.keys.catch_up().await;
                return Ok(());
            };
            match self.keys.commit(change).await {
                // Someone else changed the record in between: look at it again.
                Err(CommitError::Expectation(_)) if tries < MAX_TRIES => tries += 1,
                outcome => return Ok(outcome?),
            }
        }
    }
}

impl<'a> IntoFuture for Revoke<'a> {
    type Output = Result<(), LifecycleError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for Revoke<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoke")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// The change that revokes a key; `None` when it is revoked already.
fn revoke(record: &KeyRecord, now: SystemTime) -> Option<Change> {
    if record.revoked_at.is_some() {
        return None;
    }
    let mut audit = AuditRecord::new(now, AuditAction::Revoked);
    audit.key = Some(record.id.clone());
    audit.tenant = Some(record.tenant.clone());
    let expected = Expectation::Revision {
        key: record.id.clone(),
        is: record.revision,
    };
    let mut record = record.clone();
    record.revoked_at = Some(now);
    record.revision += 1;
    let write = Write::Replace {
        record,
        refound: false,
    };
    Some(Change::new(now).expect(expected).write(write).audit(audit))
}
