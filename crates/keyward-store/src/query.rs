use std::time::SystemTime;

use crate::{KeyFilter, KeyId, KeySnapshot, Owner, Statuses, TenantId};

/// Which keys to list, and how many at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListQuery {
    /// Which keys.
    pub filter: KeyFilter,
    /// Go on after this place.
    pub after: Option<ListCursor>,
    /// The most keys on the page, from 1 to [`ListQuery::MAX_LIMIT`].
    pub limit: usize,
}

impl ListQuery {
    /// The most keys on one page.
    pub const MAX_LIMIT: usize = 1000;

    /// Every key that the filter lets through, a hundred at a time.
    #[must_use]
    pub const fn new(filter: KeyFilter) -> Self {
        Self {
            filter,
            after: None,
            limit: 100,
        }
    }

    /// Every key that is neither revoked nor retired, a hundred at a time.
    #[must_use]
    pub const fn all() -> Self {
        Self::new(KeyFilter::listed())
    }

    /// Those of one tenant.
    #[must_use]
    pub fn tenant(tenant: impl Into<TenantId>) -> Self {
        Self::new(KeyFilter::listed().tenant(tenant))
    }

    /// Only those of one owner.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.filter.owner = Some(owner);
        self
    }

    /// Only those that stand so.
    #[must_use]
    pub const fn standing(mut self, statuses: Statuses) -> Self {
        self.filter.statuses = statuses;
        self
    }

    /// At most so many on the page; held between 1 and [`ListQuery::MAX_LIMIT`].
    #[must_use]
    pub fn limit(mut self, limit: usize) -> Self {
        self.limit = limit.clamp(1, Self::MAX_LIMIT);
        self
    }

    /// The page after the one that gave this cursor.
    #[must_use]
    pub fn after(mut self, cursor: ListCursor) -> Self {
        self.after = Some(cursor);
        self
    }
}

/// A place in a list: behind the key of this age and name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListCursor {
    /// When that key was issued.
    pub created_at: SystemTime,
    /// Its name.
    pub key: KeyId,
}

/// A part of a list: newest keys first, those of one instant by falling id.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Page {
    /// The keys.
    pub keys: Vec<KeySnapshot>,
    /// Where the next page starts; `None` behind the last.
    pub next: Option<ListCursor>,
}

impl Page {
    /// The page that a store answers with: it reads one key more than was asked for, and this puts
    /// the cursor behind the last that is kept.
    #[must_use]
    pub fn new(mut keys: Vec<KeySnapshot>, limit: usize) -> Self {
        let more = keys.len() > limit;
        keys.truncate(limit);
        let last = keys.last().filter(|_| more);
        let next = last.map(|key| ListCursor {
            created_at: key.record.created_at,
            key: key.record.id.clone(),
        });
        Self { keys, next }
    }
}

/// A use of a key, on its way to the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// Which key.
    pub key: KeyId,
    /// When, at a resolution of one second, by the store's clock.
    pub at: SystemTime,
}
