use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::SystemTime;

use keyward_store::{
    AuditAction, AuditRecord, Change, CommitError, Expectation, KeyId, KeyRecord, Write,
};

use super::{Keyward, LifecycleError, MAX_TRIES, Receipt};
use crate::verifier::write::CaughtUp;

/// A revocation, made by awaiting it.
///
/// It is final. Once it has returned, no verification that starts on this node accepts the key;
/// other nodes follow as [the promise](crate#the-promise) says. Revoking a revoked key changes
/// nothing and succeeds. To wait for the other nodes as well, await
/// [`confirm_everywhere`](Revoke::confirm_everywhere).
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

    /// Also waits until no node accepts the key any more, and says of each why that is certain: at
    /// most the length of a lease and one second, some milliseconds while all nodes are well.
    ///
    /// ```
    /// # use keyward_core::{Keyward, NewKey};
    /// # use keyward_memory::MemoryStore;
    /// # use keyward_store::KeyFormat;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = Keyward::builder(MemoryStore::default())
    /// #     .format(KeyFormat::new("acme_live")?)
    /// #     .start()
    /// #     .await?;
    /// # let key = keys.issue(NewKey::named("ci").tenant("acme-inc")).await?.key;
    /// let receipt = keys.revoke(&key.id).confirm_everywhere().await?;
    /// for confirmation in &receipt.nodes {
    ///     println!("{}: {}", confirmation.node, confirmation.outcome);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn confirm_everywhere(self) -> ConfirmedRevoke<'a> {
        ConfirmedRevoke(self)
    }

    async fn run(self) -> Result<CaughtUp, LifecycleError> {
        let mut tries = 0;
        loop {
            let found = self.keys.get(&self.key).await?;
            let found = found.ok_or_else(|| LifecycleError::NotFound(self.key.clone()))?;
            let Some(change) = revoke(&found.record, self.keys.now()) else {
                // It may have been revoked elsewhere, and this node not have heard of it yet.
                return Ok(self.keys.catch_up().await);
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
        Box::pin(async { self.run().await.map(|_caught_up| ()) })
    }
}

impl fmt::Debug for Revoke<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Revoke")
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

/// A revocation that is confirmed by every node, made by awaiting it.
///
/// # Errors
/// Those of [`Revoke`]. Once the key is revoked, nothing fails any more: a node that cannot be
/// reached is waited for until it believes nothing that it knew.
///
/// # Cancel safety
/// Dropped before its first poll it does nothing; later, the key may still be revoked, and only the
/// waiting ends.
#[must_use = "a revocation does nothing until it is awaited"]
#[derive(Debug)]
pub struct ConfirmedRevoke<'a>(Revoke<'a>);

impl<'a> IntoFuture for ConfirmedRevoke<'a> {
    type Output = Result<Receipt, LifecycleError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            let keys = self.0.keys;
            keys.receipt(self.0.run()).await
        })
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
