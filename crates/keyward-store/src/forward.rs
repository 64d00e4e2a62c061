//! A shared store is a store, and what recognizes foreign keys does so when it is shared.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    AuditEntry, AuditQuery, Change, Changes, CommitError, Cursor, ForeignKeys, KeySnapshot,
    KeyStore, ListQuery, Loaded, Locator, Lookup, Page, ReadFrom, Records, Register, Selector,
    StoreError, Subject, SubjectState, Use,
};

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Lookup + ?Sized> Lookup for Arc<T> {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        (**self).find(by).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: Records + ?Sized> Records for Arc<T> {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        (**self).commit(change).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        (**self).list(query).await
    }

    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError> {
        (**self).standing(subject).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        (**self).audit(query).await
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        (**self).touch(uses).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<T: KeyStore + ?Sized> KeyStore for Arc<T> {
    async fn ready(&self) -> Result<(), StoreError> {
        (**self).ready().await
    }

    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError> {
        (**self).load(by, from).await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        (**self).changes(since).await
    }

    async fn hint(&self, since: &Cursor) {
        (**self).hint(since).await;
    }

    fn register(&self) -> &dyn Register {
        (**self).register()
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: ForeignKeys + ?Sized> ForeignKeys for Arc<T> {
    fn scheme(&self) -> &str {
        (**self).scheme()
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        (**self).locate(credential)
    }

    fn reads(&self, hash: &str) -> bool {
        (**self).reads(hash)
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        (**self).proves(credential, hash)
    }

    fn is_slow(&self, hash: &str) -> bool {
        (**self).is_slow(hash)
    }
}
