use std::fmt;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;
use keyward_store::{
    AuditEntry, AuditQuery, Change, Clock, CommitError, KeySnapshot, ListQuery, Lookup, Page,
    Records, Selector, StoreError, Subject, SubjectState, Use,
};

use crate::rows::Rows;

/// The rows behind one lock, which is never held across an await.
pub(crate) struct Table {
    rows: RwLock<Rows>,
    clock: Clock,
}

impl Table {
    pub(crate) fn new(clock: Clock) -> Self {
        let rows = RwLock::default();
        Self { rows, clock }
    }

    // Nothing here panics while it holds the lock for writing, so a poisoned one holds whole rows.
    fn read(&self) -> RwLockReadGuard<'_, Rows> {
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Rows> {
        self.rows.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rows = self.read();
        f.debug_struct("Table")
            .field("keys", &rows.keys())
            .field("standings", &rows.standings())
            .field("audit", &rows.audit_lines())
            .finish()
    }
}

#[async_trait]
impl Lookup for Table {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        self.read().find(by)
    }
}

#[async_trait]
impl Records for Table {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        self.write().commit(change)
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let limit = query.limit.clamp(1, ListQuery::MAX_LIMIT);
        let now = self.clock.wall();
        let rows = self.read();
        let keys = rows.list(&query.filter, query.after.as_ref(), limit + 1, now);
        Ok(Page::new(keys, limit))
    }

    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError> {
        Ok(self.read().standing(subject))
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        Ok(self.read().audit(query))
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        // In parts, so that look-ups get in between: the uses of one second may be very many.
        for part in uses.chunks(TOUCHED_AT_ONCE) {
            self.write().touch(part);
        }
        Ok(())
    }
}

const TOUCHED_AT_ONCE: usize = 1024;
