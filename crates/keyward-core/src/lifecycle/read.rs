use std::time::Duration;

use keyward_store::{AuditEntry, AuditQuery, KeyFilter, KeyStatus, ListQuery, Page, Statuses};

use super::LifecycleError;
use super::acting::Acting;
use crate::{Action, Reach, Refusal};

impl Acting<'_> {
    /// A page of keys, newest first, of those that the actor may see.
    ///
    /// # Errors
    /// [`LifecycleError::Refused`] when the query names another tenant, or an owner whose keys the actor
    /// may not see, or they may see none at all; others when the store cannot answer.
    pub async fn list(&self, query: &ListQuery) -> Result<Page, LifecycleError> {
        let mut query = query.clone();
        query.filter = self.bound(Action::See, query.filter)?;
        Ok(self.records().list(&query).await?)
    }

    /// Of the keys that a query asks for, those that were neither used nor issued for so long.
    ///
    /// # Errors
    /// Those of [`list`](Acting::list).
    pub async fn unused_for(
        &self,
        idle: Duration,
        mut query: ListQuery,
    ) -> Result<Page, LifecycleError> {
        let Some(since) = self.now().checked_sub(idle) else {
            return Ok(Page::default());
        };
        query.filter = query.filter.idle_since(since);
        self.list(&query).await
    }

    /// Of the keys that a query asks for, those that are good now and end within so long: because they
    /// expire, or because another key takes their place.
    ///
    /// # Errors
    /// Those of [`list`](Acting::list).
    pub async fn ending_within(
        &self,
        within: Duration,
        mut query: ListQuery,
    ) -> Result<Page, LifecycleError> {
        if let Some(end) = self.now().checked_add(within) {
            query.filter = ending_before(query.filter, end);
        }
        self.list(&query).await
    }

    /// Lines of the audit log, of those that the actor may see: about keys that they may see, about the
    /// tenant if they may see all its keys, and about what they wanted in vain. At most a thousand come
    /// at a time.
    ///
    /// # Errors
    /// [`LifecycleError::Refused`] when the query names another tenant, or an owner whose keys the actor
    /// may not see, or they may see none at all; others when the store cannot answer.
    pub async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, LifecycleError> {
        let mut query = query.clone();
        query.limit = query.limit.min(ListQuery::MAX_LIMIT);
        if let Some(actor) = self.actor() {
            let refused = |refusal| Err(LifecycleError::Refused(refusal));
            if query.tenant.get_or_insert_with(|| actor.tenant().clone()) != actor.tenant() {
                return refused(Refusal::Tenant);
            }
            match (self.policy().reach(actor, Action::See), actor.owner()) {
                (Reach::Tenant, _) => {}
                (Reach::Own, Some(own)) => {
                    if query.owner.get_or_insert_with(|| own.clone()) != own {
                        return refused(Refusal::Owner);
                    }
                }
                _ if actor.is_key() => return refused(Refusal::ByKey),
                _ => return refused(Refusal::Role),
            }
        }
        Ok(self.records().audit(&query).await?)
    }
}

/// Keys that are good now, or would be but for a suspension, and end before that.
pub(super) fn ending_before(filter: KeyFilter, end: std::time::SystemTime) -> KeyFilter {
    let good = Statuses::USABLE.with(KeyStatus::Retiring);
    let good = filter
        .statuses
        .iter()
        .filter(|status| good.contains(*status));
    let good = good.collect();
    filter.standing(good).ends_before(end)
}
