//! Many keys at a time.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use keyward_store::{
    AuditAction, Change, Expectation, KeyFilter, KeyRecord, ListQuery, Statuses, Write,
};

use super::acting::Acting;
use super::revise::Tries;
use super::revoke::revoke;
use super::{Invalid, LifecycleError, history};
use crate::{Action, Reach, Refusal};

/// The revocation of every key that a filter lets through, made by awaiting it; it gives their number.
///
/// Keys are revoked some hundreds at a time, each of which are one change, until none is left: also
/// those that are issued meanwhile. What is revoked when it fails stays revoked, and to do it again is
/// safe. Unlike [`Revoke`](crate::Revoke) it takes no key for another's half: what the filter does not
/// let through is left.
///
/// # Errors
/// [`LifecycleError::Invalid`] when the filter says nothing of whose keys, or which; [`LifecycleError::Refused`] where the actor may not; others when the store fails.
///
/// # Cancel safety
/// When it is dropped, the keys of one more change may still be revoked.
#[must_use = "a revocation does nothing until it is awaited"]
pub struct BulkRevoke<'a> {
    acting: Acting<'a>,
    filter: KeyFilter,
    dry_run: bool,
}

impl<'a> BulkRevoke<'a> {
    pub(super) fn new(acting: Acting<'a>, filter: KeyFilter) -> Self {
        Self {
            acting,
            filter,
            dry_run: false,
        }
    }

    /// Only counts them.
    pub const fn dry_run(mut self) -> Self {
        self.dry_run = true;
        self
    }

    async fn run(self) -> Result<u64, LifecycleError> {
        let (acting, dry_run) = (self.acting, self.dry_run);
        let outcome = self.try_run().await;
        if dry_run {
            return outcome;
        }
        let wanted = Action::Revoke.as_str();
        acting.told(wanted, None, None, outcome).await
    }

    async fn try_run(self) -> Result<u64, LifecycleError> {
        let mut said = self.filter.clone().standing(Statuses::LISTED);
        said.at = None;
        if said == KeyFilter::listed() {
            return Err(Invalid::Filter.into());
        }
        let filter = self.acting.bound(Action::Revoke, self.filter)?;
        // What is over is over.
        let open: Statuses = filter
            .statuses
            .iter()
            .filter(|status| !status.is_final())
            .collect();
        let filter = filter.standing(open);
        if self.dry_run {
            return self.acting.count(filter).await;
        }
        let acting = self.acting;
        let change = |keys: Vec<KeyRecord>| revoke(keys, acting.name(), acting.now());
        acting.each_page(filter, change).await
    }
}

impl<'a> IntoFuture for BulkRevoke<'a> {
    type Output = Result<u64, LifecycleError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Debug for BulkRevoke<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BulkRevoke")
            .field("filter", &self.filter)
            .field("dry_run", &self.dry_run)
            .finish_non_exhaustive()
    }
}

impl<'a> Acting<'a> {
    /// Revokes every key that the filter lets through.
    ///
    /// ```
    /// # use keyward_core::{Keyward, NewKey};
    /// # use keyward_memory::MemoryStore;
    /// # use keyward_store::{KeyFilter, KeyFormat};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = Keyward::builder(MemoryStore::default())
    /// #     .format(KeyFormat::new("acme_live")?)
    /// #     .start()
    /// #     .await?;
    /// # keys.issue(NewKey::named("ci").tenant("acme-inc").tags(["laptop"])).await?;
    /// let leaked = KeyFilter::listed().tenant("acme-inc").tag("laptop");
    /// assert_eq!(keys.revoke_all(leaked.clone()).dry_run().await?, 1);
    /// assert_eq!(keys.revoke_all(leaked).await?, 1);
    /// # Ok(())
    /// # }
    /// ```
    pub fn revoke_all(&self, filter: KeyFilter) -> BulkRevoke<'a> {
        BulkRevoke::new(*self, filter)
    }

    /// How many keys the filter lets through, of those that the actor may see.
    ///
    /// # Errors
    /// [`LifecycleError`] when the actor may see none, or the store cannot answer.
    pub async fn count(&self, filter: KeyFilter) -> Result<u64, LifecycleError> {
        let filter = self.bound(Action::See, filter)?;
        let mut query = ListQuery::new(filter).limit(ListQuery::MAX_LIMIT);
        let mut counted = 0;
        loop {
            let page = self.records().list(&query).await?;
            counted += u64::try_from(page.keys.len()).unwrap_or(u64::MAX);
            let Some(next) = page.next else {
                return Ok(counted);
            };
            query.after = Some(next);
        }
    }

    /// Deletes, for good, what was revoked, retired or expired longer ago than that, and gives the
    /// number. What the audit log says of it stays. It is the operator's to do.
    ///
    /// # Errors
    /// [`LifecycleError::Refused`] for an actor; others when the store fails. What is deleted then stays
    /// so, and to do it again is safe.
    ///
    /// # Cancel safety
    /// When the future is dropped, the keys of one more change may still be deleted.
    pub async fn purge(&self, retention: Duration) -> Result<u64, LifecycleError> {
        if self.actor().is_some() {
            let refused = Err(LifecycleError::Refused(Refusal::Role));
            return self.told("purge", None, None, refused).await;
        }
        let now = self.now();
        let Some(before) = now.checked_sub(retention) else {
            return Ok(0);
        };
        // One instant for all, so that none comes to be old enough while others are deleted.
        let filter = KeyFilter::all().at(now).over_before(before);
        let change = |keys: Vec<KeyRecord>| {
            let mut change = Change::new(now);
            for record in keys {
                let line = history::about(now, AuditAction::Purged, self.name(), &record);
                change = change
                    .expect(Expectation::Revision {
                        key: record.id.clone(),
                        is: record.revision,
                    })
                    .write(Write::Delete {
                        key: record.id,
                        public_id: record.public_id,
                    })
                    .audit(line);
            }
            (!change.writes.is_empty()).then_some(change)
        };
        self.each_page(filter, change).await
    }

    /// Makes a change of each page of keys that a filter lets through, until it lets none through. After
    /// the change, it must let none of the page's keys through.
    async fn each_page(
        &self,
        filter: KeyFilter,
        change: impl Fn(Vec<KeyRecord>) -> Option<Change>,
    ) -> Result<u64, LifecycleError> {
        let query = ListQuery::new(filter).limit(KEYS_AT_ONCE);
        let mut tries = Tries::new();
        let mut done = 0;
        loop {
            let page = self.records().list(&query).await?;
            let found = u64::try_from(page.keys.len()).unwrap_or(u64::MAX);
            let keys = page.keys.into_iter().map(|key| key.record).collect();
            let Some(change) = change(keys) else {
                self.node().catch_up().await;
                return Ok(done);
            };
            let outcome = self.commit(change).await;
            // Someone else has changed one of them: look at the page again.
            if !tries.again(&outcome) {
                outcome?;
                done += found;
            }
        }
    }

    /// The filter, narrowed to the keys to which the actor may do this.
    pub(super) fn bound(
        &self,
        action: Action,
        mut filter: KeyFilter,
    ) -> Result<KeyFilter, LifecycleError> {
        filter.at.get_or_insert_with(|| self.now());
        let Some(actor) = self.actor() else {
            return Ok(filter);
        };
        let reach = self.policy().reach(actor, action);
        let refused = |refusal| Err(LifecycleError::Refused(refusal));
        if filter.tenant.get_or_insert_with(|| actor.tenant().clone()) != actor.tenant() {
            return refused(Refusal::Tenant);
        }
        match (reach, actor.owner()) {
            (Reach::Tenant, _) => Ok(filter),
            (Reach::Own, Some(own)) => {
                if filter.owner.get_or_insert_with(|| own.clone()) == own {
                    Ok(filter)
                } else {
                    refused(Refusal::Owner)
                }
            }
            _ if actor.is_key() => refused(Refusal::ByKey),
            _ => refused(Refusal::Role),
        }
    }
}

/// As many as one change holds.
const KEYS_AT_ONCE: usize = 200;
