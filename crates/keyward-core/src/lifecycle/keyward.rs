use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditEntry, AuditQuery, Change, CommitError, Formats, KeyFilter, KeyId, KeyRecord, KeySnapshot,
    KeyStore, ListQuery, Owner, Page, Records, Subject, TenantId,
};

use super::confirm::confirm;
use super::refusals::Refusals;
use super::{
    Acting, BulkRevoke, Events, IssueError, Issued, KeyUpdate, LifecycleError, NewKey, Receipt,
    Revoke, Rotate, Standing,
};
use crate::verifier::node::Node;
use crate::verifier::write::CaughtUp;
use crate::{Actor, Builder, Health, Policy, Verifier};

/// API keys, from their issue to their end: the verifier, and what manages its keys.
///
/// Clones are cheap and share everything. Every call here acts as the operator, who may do anything to
/// any tenant's keys; [`acting_as`](Keyward::acting_as) is for everyone else.
#[derive(Clone, Debug)]
pub struct Keyward {
    verifier: Verifier,
    records: Arc<dyn Records>,
    rules: Arc<Rules>,
}

/// What bounds the issue and the management of keys.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    pub(crate) keys_per_tenant: Option<u64>,
    pub(crate) keys_per_owner: Option<u64>,
    pub(crate) refusals: Refusals,
}

impl Keyward {
    /// Keeps keys in `store`.
    ///
    /// ```
    /// # use keyward_core::{Keyward, NewKey};
    /// # use keyward_memory::MemoryStore;
    /// # use keyward_store::KeyFormat;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let keys = Keyward::builder(MemoryStore::default())
    ///     .format(KeyFormat::new("acme_live")?)
    ///     .start()
    ///     .await?;
    /// let issued = keys.issue(NewKey::named("ci").tenant("acme-inc")).await?;
    /// let credential = issued.secret.expose().as_bytes();
    /// assert_eq!(keys.verifier().verify(credential).await?.tenant(), "acme-inc");
    /// keys.revoke(&issued.key.id).await?;
    /// assert!(keys.verifier().verify(credential).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn builder<S: KeyStore + Records>(store: S) -> Builder<S> {
        Builder::new(store)
    }

    pub(crate) fn new(verifier: Verifier, records: Arc<dyn Records>, rules: Rules) -> Self {
        let rules = Arc::new(rules);
        Self {
            verifier,
            records,
            rules,
        }
    }

    /// What tells good keys from bad ones; it goes into the layer.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
    }

    /// How keys are spelled here; the first is the format of new ones unless another is named.
    #[must_use]
    pub fn formats(&self) -> &Formats {
        &self.node().formats
    }

    /// Who may do what to which keys, as the builder was told.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.rules.policy
    }

    /// Manages keys as someone in particular, whom the [policy](Builder::policy) allows some of it.
    #[must_use]
    pub const fn acting_as<'a>(&'a self, actor: &'a Actor) -> Acting<'a> {
        Acting::as_actor(self, actor)
    }

    /// Manages keys as the operator, under a name that the audit log will tell.
    #[must_use]
    pub const fn as_operator<'a>(&'a self, name: &'a str) -> Acting<'a> {
        Acting::operator(self).named(name)
    }

    /// Issues a key. It is accepted from the return of this call on, here and, within the bounds of
    /// [the promise](crate#the-promise), on every node.
    ///
    /// # Errors
    /// [`IssueError`] says what about the key cannot be, or that it could not be stored.
    ///
    /// # Cancel safety
    /// When the future is dropped, the key may have been stored; nobody knows its secret then.
    pub async fn issue(&self, new: NewKey) -> Result<Issued, IssueError> {
        self.operator().issue(new).await
    }

    /// The key of that name, revoked ones too.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn get(&self, key: &KeyId) -> Result<Option<KeySnapshot>, LifecycleError> {
        self.operator().get(key).await
    }

    /// A page of keys, newest first.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, LifecycleError> {
        self.operator().list(query).await
    }

    /// How many keys the filter lets through.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn count(&self, filter: KeyFilter) -> Result<u64, LifecycleError> {
        self.operator().count(filter).await
    }

    /// Of the keys that a query asks for, those that were neither used nor issued for so long.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn unused_for(
        &self,
        idle: Duration,
        query: ListQuery,
    ) -> Result<Page, LifecycleError> {
        self.operator().unused_for(idle, query).await
    }

    /// Of the keys that a query asks for, those that are good now and end within so long.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn ending_within(
        &self,
        within: Duration,
        query: ListQuery,
    ) -> Result<Page, LifecycleError> {
        self.operator().ending_within(within, query).await
    }

    /// Changes what a key is called, and what it may do; see [`Acting::update`].
    ///
    /// # Errors
    /// [`LifecycleError`] says why it cannot be, or that the store failed.
    pub async fn update(
        &self,
        key: &KeyId,
        update: KeyUpdate,
    ) -> Result<KeyRecord, LifecycleError> {
        self.operator().update(key, update).await
    }

    /// Replaces a key by a new one.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use keyward_core::{Keyward, NewKey};
    /// # use keyward_memory::MemoryStore;
    /// # use keyward_store::KeyFormat;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keys = Keyward::builder(MemoryStore::default())
    /// #     .format(KeyFormat::new("acme_live")?)
    /// #     .start()
    /// #     .await?;
    /// # let old = keys.issue(NewKey::named("ci").tenant("acme-inc")).await?.key;
    /// let day = Duration::from_secs(24 * 3600);
    /// let new = keys.rotate(&old.id).overlap(day).await?;
    /// assert_eq!(new.key.rotated_from, Some(old.id));
    /// # Ok(())
    /// # }
    /// ```
    pub fn rotate(&self, key: &KeyId) -> Rotate<'_> {
        self.operator().rotate(key)
    }

    /// Undoes a rotation while its overlap lasts; see [`Acting::undo_rotation`].
    ///
    /// # Errors
    /// [`LifecycleError`] says why it cannot be, or that the store failed.
    pub async fn undo_rotation(&self, key: &KeyId) -> Result<KeyRecord, LifecycleError> {
        self.operator().undo_rotation(key).await
    }

    /// Refuses a key until it is resumed; see [`Acting::suspend`].
    ///
    /// # Errors
    /// [`LifecycleError`] says why it cannot be, or that the store failed.
    pub async fn suspend(&self, key: &KeyId) -> Result<(), LifecycleError> {
        self.operator().suspend(key).await
    }

    /// Ends the suspension of a key; see [`Acting::resume`].
    ///
    /// # Errors
    /// [`LifecycleError`] says why it cannot be, or that the store failed.
    pub async fn resume(&self, key: &KeyId) -> Result<(), LifecycleError> {
        self.operator().resume(key).await
    }

    /// Revokes a key, for good.
    pub fn revoke(&self, key: &KeyId) -> Revoke<'_> {
        self.operator().revoke(key)
    }

    /// Revokes every key that the filter lets through; see [`Acting::revoke_all`].
    pub fn revoke_all(&self, filter: KeyFilter) -> BulkRevoke<'_> {
        self.operator().revoke_all(filter)
    }

    /// Deletes what was revoked, retired or expired longer ago than that; see [`Acting::purge`].
    ///
    /// # Errors
    /// [`LifecycleError`] when the store fails.
    pub async fn purge(&self, retention: Duration) -> Result<u64, LifecycleError> {
        self.operator().purge(retention).await
    }

    /// The standing of a tenant.
    pub fn tenant(&self, tenant: impl Into<TenantId>) -> Standing<'_> {
        Standing::new(self, Subject::Tenant(tenant.into()))
    }

    /// The standing of an owner.
    pub fn owner(&self, owner: Owner) -> Standing<'_> {
        Standing::new(self, Subject::Owner(owner))
    }

    /// Lines of the audit log.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, LifecycleError> {
        self.operator().audit(query).await
    }

    /// What happens to keys from behind that position of the audit log on; 0 is its beginning.
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
    /// # keys.issue(NewKey::named("ci").tenant("acme-inc")).await?;
    /// # let mut kept = 0;
    /// let mut events = keys.events_after(kept);
    /// let event = events.next().await?;
    /// println!("{}: {:?}", event.record.action.as_str(), event.record.key);
    /// kept = events.position();
    /// # assert!(kept > 0);
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn events_after(&self, position: u64) -> Events {
        Events::after(self.clone(), position)
    }

    /// The position of the last line of the audit log, from which [`events_after`](Keyward::events_after)
    /// gives what happens from now on.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn last_event(&self) -> Result<u64, LifecycleError> {
        let query = AuditQuery::default().newest_first().limit(1);
        let last = self.records.audit(&query).await?.pop();
        Ok(last.map_or(0, |entry| entry.position))
    }

    /// Waits until everything that was committed before this call is heeded by every node, and says of
    /// each why that is certain.
    ///
    /// It does not fail: a node that cannot be reached is waited for until it believes nothing any
    /// more that it knew at the call, at most the length of a lease and one second. Over a table that
    /// others write unseen, [`LocalLog::max_age`](keyward_store::LocalLog::max_age), it always takes
    /// as long as facts are believed: the nodes of other processes are not on the register there.
    ///
    /// # Cancel safety
    /// Dropping the future ends the waiting, and nothing else.
    pub async fn confirm_everywhere(&self) -> Receipt {
        let caught_up = async { Ok::<_, Infallible>(self.catch_up().await) };
        match self.receipt(caught_up).await {
            Ok(receipt) => receipt,
            Err(never) => match never {},
        }
    }

    /// How this node fares, for a readiness endpoint. The store is not asked.
    #[must_use]
    pub fn health(&self) -> Health {
        self.verifier.health()
    }

    /// Ends the service, as [`Verifier::shutdown`] says; call it when the server has stopped accepting
    /// requests.
    pub async fn shutdown(&self) {
        self.verifier.shutdown().await;
    }

    const fn operator(&self) -> Acting<'_> {
        Acting::operator(self)
    }

    pub(super) fn node(&self) -> &Arc<Node> {
        self.verifier.node()
    }

    pub(super) fn rules(&self) -> &Rules {
        &self.rules
    }

    pub(super) fn records(&self) -> &dyn Records {
        &*self.records
    }

    /// The time of day by the clock of this node, by which keys are issued and expire.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.verifier.node().now()
    }

    pub(super) async fn commit(&self, change: Change) -> Result<CaughtUp, CommitError> {
        self.verifier.node().commit(change).await
    }

    /// Waits until this node knows of everything that has been committed so far.
    pub(super) async fn catch_up(&self) -> CaughtUp {
        self.verifier.node().catch_up().await
    }

    /// Carries something out, and waits until it is heeded everywhere.
    pub(super) async fn receipt<E>(
        &self,
        work: impl Future<Output = Result<CaughtUp, E>>,
    ) -> Result<Receipt, E> {
        let node = self.verifier.node();
        let start = node.clock.boot();
        let caught_up = work.await?;
        let nodes = confirm(node, caught_up).await;
        let took = node.clock.boot().since(start);
        Ok(Receipt { nodes, took })
    }
}
