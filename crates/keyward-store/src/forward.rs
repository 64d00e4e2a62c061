//! A shared store is a store.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    AuditEntry, AuditQuery, Change, Changes, CommitError, Cursor, KeySnapshot, KeyStore, ListQuery,
    Loaded, Lookup, Page, ReadFrom, Records, Register, Selector, StoreError, Subject, SubjectState,
    Use,
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
