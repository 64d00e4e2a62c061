use std::fmt;

use async_trait::async_trait;
use keyward_store::{
    AuditEntry, AuditQuery, Change, Changes, Clock, CommitError, Cursor, KeySnapshot, KeyStore,
    ListQuery, Loaded, LocalLog, Lookup, Page, ReadFrom, Records, Register, Selector, StoreError,
    Subject, SubjectState, Use,
};

use crate::table::Table;

/// Keys in the memory of this process.
///
/// What costs time grows with the logarithm of the number of keys at most, but for a list or a cap
/// that has to pass over many revoked keys, and for reading the audit log of one key or tenant.
/// To share one between several users put it in an [`Arc`](std::sync::Arc), which is a store too.
///
/// ```
/// use keyward_memory::MemoryStore;
/// use keyward_store::{Change, Digest, KeyHash, KeyId, KeyRecord, Lookup, Records, Selector, Write};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let store = MemoryStore::default();
/// let hash = KeyHash::Sha256(Digest::sha256(b"acme_live_an_example"));
/// let record = KeyRecord::new(KeyId::generate(), "acme-inc", hash);
/// let by = Selector::Key(record.id.clone());
///
/// let change = Change::new(std::time::SystemTime::now()).write(Write::Insert(record));
/// store.commit(&change).await?;
/// assert_eq!(store.find(&by).await?.len(), 1);
/// # Ok(())
/// # }
/// ```
pub struct MemoryStore(LocalLog<Table>);

impl MemoryStore {
    /// An empty store whose own clock is this one.
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self(LocalLog::sole_writer(Table::new(clock.clone())).with_clock(clock))
    }
}

impl Default for MemoryStore {
    /// An empty store, at the machine's time.
    fn default() -> Self {
        Self::with_clock(Clock::system())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("MemoryStore")
            .field(self.0.get_ref())
            .finish()
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Lookup for MemoryStore {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        self.0.find(by).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl Records for MemoryStore {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        self.0.commit(change).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.0.list(query).await
    }

    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError> {
        self.0.standing(subject).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.audit(query).await
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        self.0.touch(uses).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl KeyStore for MemoryStore {
    async fn ready(&self) -> Result<(), StoreError> {
        self.0.ready().await
    }

    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError> {
        self.0.load(by, from).await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        self.0.changes(since).await
    }

    async fn hint(&self, since: &Cursor) {
        self.0.hint(since).await;
    }

    fn register(&self) -> &dyn Register {
        self.0.register()
    }
}
