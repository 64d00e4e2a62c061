use std::time::SystemTime;

use crate::{KeyHash, KeyRecord, Owner, PepperId, Statuses, TenantId};

/// Which keys are meant, when no single one is. What is `None` is not asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeyFilter {
    /// Keys of this tenant alone.
    pub tenant: Option<TenantId>,
    /// Keys of this owner alone.
    pub owner: Option<Owner>,
    /// Keys for this environment alone.
    pub environment: Option<String>,
    /// Keys whose format has this prefix.
    pub prefix: Option<String>,
    /// Keys that are found by this [beginning](crate::KeyRecord::lookup).
    pub lookup: Option<String>,
    /// Keys that bear this tag.
    pub tag: Option<String>,
    /// Keys that stand so, at the moment [`at`](KeyFilter::at).
    pub statuses: Statuses,
    /// The moment by which it is told how a key stands; `None` is the present, by the store's clock.
    /// In an [expectation](crate::Expectation::Fewer) it is the time of the change.
    pub at: Option<SystemTime>,
    /// Keys that were issued before this.
    pub created_before: Option<SystemTime>,
    /// Keys that [end](KeyRecord::ends_at), and do so before this.
    pub ends_before: Option<SystemTime>,
    /// Keys that were revoked, retired or expired before this.
    pub over_before: Option<SystemTime>,
    /// Keys that have been used at this time or later.
    pub used_since: Option<SystemTime>,
    /// Keys that were neither used nor issued at this time or later.
    pub idle_since: Option<SystemTime>,
    /// Keys that are kept so.
    pub kept: Option<KeptAs>,
}

/// How a key is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeptAs {
    /// As its SHA-256.
    Sha256,
    /// Under this pepper.
    Pepper(PepperId),
    /// As another system kept it.
    Foreign,
}

impl KeyFilter {
    /// Every key that a list shows: all but those that are revoked or retired.
    #[must_use]
    pub const fn listed() -> Self {
        Self {
            tenant: None,
            owner: None,
            environment: None,
            prefix: None,
            lookup: None,
            tag: None,
            statuses: Statuses::LISTED,
            at: None,
            created_before: None,
            ends_before: None,
            over_before: None,
            used_since: None,
            idle_since: None,
            kept: None,
        }
    }

    /// Every key.
    #[must_use]
    pub const fn all() -> Self {
        Self::listed().standing(Statuses::ALL)
    }

    /// Every key that counts towards a cap.
    #[must_use]
    pub const fn usable() -> Self {
        Self::listed().standing(Statuses::USABLE)
    }

    /// Keys that stand so.
    #[must_use]
    pub const fn standing(mut self, statuses: Statuses) -> Self {
        self.statuses = statuses;
        self
    }

    /// As they stand at that moment.
    #[must_use]
    pub const fn at(mut self, time: SystemTime) -> Self {
        self.at = Some(time);
        self
    }

    /// Keys of this tenant alone.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<TenantId>) -> Self {
        self.tenant = Some(tenant.into());
        self
    }

    /// Keys of this owner alone.
    #[must_use]
    pub fn owner(mut self, owner: Owner) -> Self {
        self.owner = Some(owner);
        self
    }

    /// Keys for this environment alone.
    #[must_use]
    pub fn environment(mut self, environment: impl Into<String>) -> Self {
        self.environment = Some(environment.into());
        self
    }

    /// Keys whose format has this prefix.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Keys that are found by this beginning.
    #[must_use]
    pub fn lookup(mut self, beginning: impl Into<String>) -> Self {
        self.lookup = Some(beginning.into());
        self
    }

    /// Keys that bear this tag.
    #[must_use]
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.tag = Some(tag.into());
        self
    }

    /// Keys that were issued before this.
    #[must_use]
    pub const fn created_before(mut self, time: SystemTime) -> Self {
        self.created_before = Some(time);
        self
    }

    /// Keys that end, and do so before this.
    #[must_use]
    pub const fn ends_before(mut self, time: SystemTime) -> Self {
        self.ends_before = Some(time);
        self
    }

    /// Keys that were revoked, retired or expired before this.
    #[must_use]
    pub const fn over_before(mut self, time: SystemTime) -> Self {
        self.over_before = Some(time);
        self
    }

    /// Keys that have been used at this time or later.
    #[must_use]
    pub const fn used_since(mut self, time: SystemTime) -> Self {
        self.used_since = Some(time);
        self
    }

    /// Keys that were neither used nor issued at this time or later.
    #[must_use]
    pub const fn idle_since(mut self, time: SystemTime) -> Self {
        self.idle_since = Some(time);
        self
    }

    /// Keys that are kept so.
    #[must_use]
    pub fn kept(mut self, kept: KeptAs) -> Self {
        self.kept = Some(kept);
        self
    }

    /// Whether it lets a key through, `now` being the store's time. A store that filters by itself
    /// comes to the same.
    #[must_use]
    pub fn admits(&self, key: &KeyRecord, used: Option<SystemTime>, now: SystemTime) -> bool {
        self.admits_record(key, now)
            && self
                .used_since
                .is_none_or(|since| used.is_some_and(|used| used >= since))
            && self
                .idle_since
                .is_none_or(|since| used.is_none_or(|used| used < since) && key.created_at < since)
    }

    fn admits_record(&self, record: &KeyRecord, now: SystemTime) -> bool {
        let is_before = |time: Option<SystemTime>, bound: Option<SystemTime>| {
            bound.is_none_or(|bound| time.is_some_and(|time| time < bound))
        };
        is(&self.tenant, Some(&record.tenant))
            && is(&self.owner, record.owner.as_ref())
            && is(&self.environment, record.environment.as_ref())
            && is(&self.prefix, Some(&record.prefix))
            && is(&self.lookup, record.lookup.as_ref())
            && self
                .tag
                .as_ref()
                .is_none_or(|tag| record.tags.contains(tag))
            && self
                .statuses
                .contains(record.status(self.at.unwrap_or(now)))
            && is_before(Some(record.created_at), self.created_before)
            && is_before(record.ends_at(), self.ends_before)
            && is_before(over_at(record), self.over_before)
            && self
                .kept
                .as_ref()
                .is_none_or(|kept| kept.holds(&record.hash))
    }
}

impl Default for KeyFilter {
    /// Every key that a list shows.
    fn default() -> Self {
        Self::listed()
    }
}

impl KeptAs {
    fn holds(&self, hash: &KeyHash) -> bool {
        match (self, hash) {
            (Self::Sha256, KeyHash::Sha256(_)) | (Self::Foreign, KeyHash::Foreign(_)) => true,
            (Self::Pepper(wanted), KeyHash::HmacSha256 { pepper, .. }) => wanted == pepper,
            _ => false,
        }
    }
}

/// When the key was revoked, or came to its end by itself, whichever was first.
fn over_at(record: &KeyRecord) -> Option<SystemTime> {
    match (record.revoked_at, record.ends_at()) {
        (Some(revoked), Some(ends)) => Some(revoked.min(ends)),
        (revoked, ends) => revoked.or(ends),
    }
}

fn is<T: PartialEq>(wanted: &Option<T>, is: Option<&T>) -> bool {
    wanted.is_none() || wanted.as_ref() == is
}
