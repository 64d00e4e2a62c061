use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use keyward::{Clock, Principal};

use super::buckets::Counted;
use super::counter::Counter;
use super::rule::{By, Rule};
use super::shared::{Shared, SharedLimits, WhenAway};
use super::verdict::Verdict;
use crate::address::AddressOf;

/// Rules, and what has been counted under them. Clones share it.
///
/// Each request is counted under all of them, or, when it may not pass under one, under none.
#[derive(Clone, Debug)]
pub struct RateLimits(Arc<Counter>);

impl RateLimits {
    /// Counts under these rules, in this process.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(Arc::new(Counter::new(rules.into_iter().collect())))
    }

    /// Tells the address of a client; see [`TrustedProxies`](crate::TrustedProxies).
    #[must_use]
    pub fn address(
        self,
        address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.with(|counter| counter.address = Some(AddressOf::new(address)))
    }

    /// How many clients with keys are counted at most, and how many without: a million of each unless said
    /// otherwise, at some 200 bytes each. Nobody's count is dropped for want of room; newcomers beyond it
    /// share one.
    ///
    /// This is the room in this process. What is [shared](RateLimits::shared) takes room where it is counted
    /// as well, and that is not bounded here.
    #[must_use]
    pub fn room(self, clients: usize) -> Self {
        self.with(|counter| counter.set_room(clients))
    }

    /// Counts together with all that have this name, on other nodes or here; while that cannot be done, as
    /// said.
    ///
    /// The name is the same on every node, and another one for every other `RateLimits`: under one name, rules
    /// of one name and window count together, so that a wide limit for one route would use up a narrow one
    /// for another. It stays when limits are changed, which go on from where they were; under another name,
    /// everyone starts afresh.
    ///
    /// # What it takes
    /// Others hold a count for each client, rule and window, for as long as it says anything: W/N after one
    /// request under a limit of N per W, and W at most. [`room`](RateLimits::room) does not bound them, so
    /// whoever may come under many names can fill what holds them: with
    /// [`Rule::per_address`](crate::Rule::per_address), anyone. Limits of few requests in a long window are
    /// the dear ones there. The crate that counts says what one of them takes, and what becomes of requests
    /// when it is full.
    #[must_use]
    pub fn shared(
        self,
        name: impl Into<Arc<str>>,
        limits: impl SharedLimits,
        when_away: WhenAway,
    ) -> Self {
        let shared = Arc::new(Shared::new(name.into(), Arc::new(limits), when_away));
        self.with(|counter| counter.shared = Some(shared))
    }

    /// How long a request waits for shared limits: 250 ms unless said otherwise. While they do not answer at
    /// all, requests wait as long before it is known, and one each second after that.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|counter| counter.patience = Some(patience))
    }

    /// Takes the time from this clock, and not from the verifier's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.with(|counter| counter.clock = Some(clock))
    }

    /// How many clients are counted at present.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.0.clients()
    }

    /// Settings are made before anything is counted: a clone that is changed counts anew, with all the
    /// other settings as they were.
    fn with(self, change: impl FnOnce(&mut Counter)) -> Self {
        let mut counter = Arc::try_unwrap(self.0).unwrap_or_else(|shared| shared.anew());
        change(&mut counter);
        Self(Arc::new(counter))
    }

    pub(crate) fn id(&self) -> usize {
        self.0.id
    }

    /// Whether requests without a key are counted too.
    pub(crate) fn counts_without_key(&self) -> bool {
        self.0.rules.iter().any(|rule| !rule.needs_key())
    }

    /// Whether the whole request has to be looked at, and not its key alone.
    pub(crate) fn needs_parts(&self, key: Option<&Principal>) -> bool {
        let needs = |rule: &Rule| match &rule.by {
            By::Client(_) => true,
            By::Address => key.is_none(),
            _ => false,
        };
        self.0.rules.iter().any(needs)
    }

    pub(crate) fn is_shared(&self) -> bool {
        self.0.shared.is_some()
    }

    /// Counts a request of a key, where the key is all there is to look at.
    #[inline]
    pub(crate) fn count_key<T>(
        &self,
        key: &Principal,
        told: bool,
        use_it: impl FnOnce(&[Counted], Verdict) -> T,
    ) -> T {
        self.0.count_key(key, told, use_it)
    }

    /// Whom and what a request is counted for.
    pub(crate) fn counted(&self, key: Option<&Principal>, parts: Option<&Parts>) -> Vec<Counted> {
        self.0.counted(key, parts)
    }

    /// Counts in this process.
    pub(crate) fn count_here(
        &self,
        counted: &[Counted],
        key: Option<&Principal>,
        told: bool,
    ) -> Verdict {
        self.0.count_here(counted, self.0.now(key), told)
    }

    /// Counts together with other nodes.
    pub(crate) async fn count_shared(&self, counted: &[Counted], told: bool) -> Verdict {
        self.0.count_shared(counted, told).await
    }
}
