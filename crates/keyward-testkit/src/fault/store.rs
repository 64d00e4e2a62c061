use std::convert::identity;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use keyward_store::{
    Applied, AuditEntry, AuditQuery, Beat, Change, Changes, CommitError, Cursor, KeySnapshot,
    KeyStore, ListQuery, Loaded, Lookup, Node, NodeId, Origin, Page, ReadFrom, Records, Register,
    RegisteredNode, Selector, StoreError, Subject, SubjectState, Use,
};

use super::plan::{Call, Faults};

/// Wraps a store, counts its calls, and makes it misbehave as [`Faults`] asks.
///
/// It is whatever the store within is: a [`Lookup`], [`Records`] or a [`KeyStore`].
///
/// ```
/// # use keyward_testkit::{Call, Fault, FaultStore};
/// # fn on<S>(store: S) {
/// let (store, faults) = FaultStore::new(store);
/// faults.times(3, Call::Load, Fault::Fail);      // the next three loads fail
/// faults.always(Call::Hint, Fault::Hang);        // notifications are lost
/// # }
/// ```
pub struct FaultStore<S> {
    store: S,
    faults: Faults,
    replica: Mutex<Vec<(Selector, Loaded)>>,
}

impl<S> FaultStore<S> {
    /// The store, and the handle to it.
    pub fn new(store: S) -> (Self, Faults) {
        let faults = Faults::default();
        let store = Self {
            store,
            faults: faults.clone(),
            replica: Mutex::default(),
        };
        (store, faults)
    }

    /// The store within, which has no faults and counts nothing.
    pub fn get_ref(&self) -> &S {
        &self.store
    }

    /// Loads of `by` are answered by the primary again.
    pub fn thaw(&self, by: &Selector) {
        self.replica().retain(|(frozen, _)| frozen != by);
    }

    fn frozen(&self, by: &Selector) -> Option<Loaded> {
        let replica = self.replica();
        let answer = replica.iter().find(|(frozen, _)| frozen == by);
        answer.map(|(_, loaded)| loaded.clone())
    }

    fn replica(&self) -> MutexGuard<'_, Vec<(Selector, Loaded)>> {
        self.replica.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: KeyStore> FaultStore<S> {
    /// From now on loads of `by` that need not come from the primary are answered as a replica
    /// does that lags for ever: with what the store holds at this moment.
    ///
    /// # Errors
    /// [`StoreError`] when the store within cannot answer.
    pub async fn freeze(&self, by: &Selector) -> Result<(), StoreError> {
        let loaded = self.store.load(by, ReadFrom::Primary).await?;
        self.thaw(by);
        let loaded = loaded.from_origin(Origin::Replica);
        self.replica().push((by.clone(), loaded));
        Ok(())
    }
}

impl<S: fmt::Debug> fmt::Debug for FaultStore<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FaultStore").field(&self.store).finish()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Lookup> Lookup for FaultStore<S> {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        let work = self.store.find(by);
        self.faults
            .around(Call::Find, work, identity, identity)
            .await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Records> Records for FaultStore<S> {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        let work = self.store.commit(change);
        let (before, after) = (CommitError::NotCommitted, CommitError::Unknown);
        self.faults.around(Call::Commit, work, before, after).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let work = self.store.list(query);
        self.faults
            .around(Call::List, work, identity, identity)
            .await
    }

    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError> {
        let work = self.store.standing(subject);
        self.faults
            .around(Call::Standing, work, identity, identity)
            .await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let work = self.store.audit(query);
        self.faults
            .around(Call::Audit, work, identity, identity)
            .await
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        let work = self.store.touch(uses);
        self.faults
            .around(Call::Touch, work, identity, identity)
            .await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: KeyStore> KeyStore for FaultStore<S> {
    async fn ready(&self) -> Result<(), StoreError> {
        let work = self.store.ready();
        self.faults
            .around(Call::Ready, work, identity, identity)
            .await
    }

    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError> {
        let work = async {
            match self.frozen(by).filter(|_| from != ReadFrom::Primary) {
                Some(stale) => Ok(stale),
                None => self.store.load(by, from).await,
            }
        };
        self.faults
            .around(Call::Load, work, identity, identity)
            .await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        let work = self.store.changes(since);
        self.faults
            .around(Call::Changes, work, identity, identity)
            .await
    }

    async fn hint(&self, since: &Cursor) {
        let work = async {
            self.store.hint(since).await;
            Ok(())
        };
        // A hint cannot fail: one that does wakes for nothing, which it may.
        let hinted: Result<(), StoreError> = self
            .faults
            .around(Call::Hint, work, identity, identity)
            .await;
        drop(hinted);
    }

    fn register(&self) -> &dyn Register {
        self
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: KeyStore> Register for FaultStore<S> {
    async fn beat(&self, node: &Node) -> Result<Beat, StoreError> {
        let work = self.store.register().beat(node);
        self.faults
            .around(Call::Beat, work, identity, identity)
            .await
    }

    async fn applied(&self, node: &NodeId, applied: Applied) -> Result<(), StoreError> {
        let work = self.store.register().applied(node, applied);
        self.faults
            .around(Call::Applied, work, identity, identity)
            .await
    }

    async fn nodes(&self) -> Result<Vec<RegisteredNode>, StoreError> {
        let work = self.store.register().nodes();
        self.faults
            .around(Call::Nodes, work, identity, identity)
            .await
    }

    async fn strike(&self, node: &NodeId, beat: u64) -> Result<bool, StoreError> {
        let work = self.store.register().strike(node, beat);
        self.faults
            .around(Call::Strike, work, identity, identity)
            .await
    }
}
