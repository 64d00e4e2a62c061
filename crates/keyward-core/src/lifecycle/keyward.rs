use std::convert::Infallible;
use std::sync::Arc;
use std::time::SystemTime;

use keyward_store::{
    AuditEntry, AuditQuery, Change, CommitError, KeyId, KeySnapshot, KeyStore, ListQuery, Owner,
    Page, Records, Selector, Subject, TenantId,
};

use super::confirm::confirm;
use super::issue::{Issued, issue};
use super::{IssueError, LifecycleError, NewKey, Receipt, Revoke, Standing};
use crate::verifier::write::CaughtUp;
use crate::{Builder, Health, Verifier};

/// API keys, from their issue to their end: the verifier, and what manages its keys.
///
/// Clones are cheap and share everything. Every call here acts as the operator: it may do anything
/// to any tenant's keys.
#[derive(Clone, Debug)]
pub struct Keyward {
    verifier: Verifier,
    records: Arc<dyn Records>,
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

    pub(crate) fn new(verifier: Verifier, records: Arc<dyn Records>) -> Self {
        Self { verifier, records }
    }

    /// What tells good keys from bad ones; it goes into the layer.
    #[must_use]
    pub fn verifier(&self) -> Verifier {
        self.verifier.clone()
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
        let node = self.verifier.node();
        let format = match &new.prefix {
            None => node.formats.first(),
            Some(prefix) => node.formats.with_prefix(prefix),
        };
        let format = format.ok_or(IssueError::UnknownFormat)?;
        let mut tries = 0;
        loop {
            let (issued, change) = issue(new.clone(), format, &node.peppers, self.now())?;
            match self.commit(change).await {
                // Two random ids met.
                Err(CommitError::Duplicate) if tries < 3 => tries += 1,
                outcome => return Ok(outcome.map(|_caught_up| issued)?),
            }
        }
    }

    /// The key of that name, revoked ones too.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn get(&self, key: &KeyId) -> Result<Option<KeySnapshot>, LifecycleError> {
        let found = self.records.find(&Selector::Key(key.clone())).await?;
        Ok(found.into_iter().next())
    }

    /// A page of keys, newest first.
    ///
    /// # Errors
    /// [`LifecycleError`] when the store cannot answer.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, LifecycleError> {
        Ok(self.records.list(query).await?)
    }

    /// Revokes a key, for good.
    pub fn revoke(&self, key: &KeyId) -> Revoke<'_> {
        Revoke::new(self, key.clone())
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
        Ok(self.records.audit(query).await?)
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

    pub(super) fn records(&self) -> &dyn Records {
        &*self.records
    }

    pub(super) fn now(&self) -> SystemTime {
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
