use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::SystemTime;

use keyward_store::{AuditAction, Change, KeyId, KeyRecord};

use super::acting::Acting;
use super::revise::{Tries, replace};
use super::{LifecycleError, Receipt, history};
use crate::Action;
use crate::verifier::write::CaughtUp;

/// A revocation, made by awaiting it.
///
/// It is final. Once it has returned, no verification that starts on this node accepts the key;
/// other nodes follow as [the promise](crate#the-promise) says. Revoking a revoked key changes
/// nothing and succeeds. To wait for the other nodes as well, await
/// [`confirm_everywhere`](Revoke::confirm_everywhere).
///
/// While a key and the one that replaces it overlap, both are revoked, whichever is named;
/// [`only`](Revoke::only) leaves the other. When the overlap is over, a new key takes the old one with
/// it all the same, which is refused already; an old one leaves the new one as it is.
///
/// # Errors
/// [`LifecycleError::NotFound`] for a key that does not exist, [`LifecycleError::Refused`] where the
/// actor may not, [`LifecycleError::Store`] and
/// [`LifecycleError::Commit`] when the store fails. After [`CommitError::Unknown`](keyward_store::CommitError::Unknown) the key may or
/// may not be revoked; to revoke it again is safe.
///
/// # Cancel safety
/// Dropped before its first poll it does nothing; later, the change may still be carried out.
#[must_use = "a revocation does nothing until it is awaited"]
pub struct Revoke<'a> {
    acting: Acting<'a>,
    key: KeyId,
    only: bool,
}

impl<'a> Revoke<'a> {
    pub(super) const fn new(acting: Acting<'a>, key: KeyId) -> Self {
        let only = false;
        Self { acting, key, only }
    }

    /// Leaves the other half of a rotation as it is: an old key ends when it would have, and a new one
    /// lives on.
    pub const fn only(mut self) -> Self {
        self.only = true;
        self
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
        let outcome = self.try_run().await;
        let wanted = Action::Revoke.as_str();
        let key = Some(&self.key);
        self.acting.told(wanted, key, None, outcome).await
    }

    async fn try_run(&self) -> Result<CaughtUp, LifecycleError> {
        let mut tries = Tries::new();
        loop {
            let named = self.acting.reach(Action::Revoke, &self.key).await?;
            let other = if self.only {
                None
            } else {
                self.other_half(&named).await?
            };
            let both = std::iter::once(named).chain(other);
            let Some(change) = revoke(both, self.acting.name(), self.acting.now()) else {
                // It may have been revoked elsewhere, and this node not have heard of it yet.
                return Ok(self.acting.node().catch_up().await);
            };
            let outcome = self.acting.commit(change).await;
            if !tries.again(&outcome) {
                return Ok(outcome?);
            }
        }
    }

    /// The key that takes this one's place, or whose place it takes, while both may be good.
    async fn other_half(&self, named: &KeyRecord) -> Result<Option<KeyRecord>, LifecycleError> {
        if named.revoked_at.is_some() {
            // The other was left, and this is no word on it.
            return Ok(None);
        }
        let now = self.acting.now();
        if let Some(successor) = &named.successor
            && !successor.is_over(now)
        {
            let found = self.acting.find(&successor.key).await?;
            return Ok(found.map(|found| found.record));
        }
        let Some(old) = &named.rotated_from else {
            return Ok(None);
        };
        let found = self.acting.find(old).await?.map(|found| found.record);
        // Whether the overlap is over is not asked: revoking what is retired harms nobody, and clocks
        // differ.
        let is_half = |old: &KeyRecord| {
            old.successor
                .as_ref()
                .is_some_and(|successor| successor.key == named.id)
        };
        Ok(found.filter(is_half))
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
            let keys = self.0.acting.keys();
            keys.receipt(self.0.run()).await
        })
    }
}

/// The change that revokes keys; `None` when all of them are revoked already.
pub(super) fn revoke(
    keys: impl IntoIterator<Item = KeyRecord>,
    actor: Option<&str>,
    now: SystemTime,
) -> Option<Change> {
    let mut change = Change::new(now);
    for before in keys {
        if before.revoked_at.is_some() {
            continue;
        }
        let mut after = before.clone();
        after.revoked_at = Some(now);
        let line = history::line(now, AuditAction::Revoked, actor, Some(&before), &after);
        change = replace(change, &before, after).audit(line);
    }
    (!change.writes.is_empty()).then_some(change)
}
