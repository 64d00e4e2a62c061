use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::request::Parts;
use keyward::{BootTime, Clock, Denied, Limit, Principal, Reason};

use super::buckets::{Buckets, Counted, take};
use super::gcra::{Quota, Rate};
use super::rule::{By, Rule};
use super::shared::{Shared, SharedLimit, SharedLimits, SharedTaken, WhenAway};
use super::subject::{Subject, Who};
use crate::address::AddressOf;

/// Rules, and what has been counted under them. Clones share it.
///
/// Each request is counted under all of them, or, when it may not pass under one, under none.
#[derive(Clone, Debug)]
pub struct RateLimits(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// Unlike that of every other in this process.
    id: usize,
    rules: Vec<Rule>,
    /// `None` is the machine's; for requests with a key, the moment at which it was verified.
    clock: Option<Clock>,
    address: Option<AddressOf>,
    buckets: Buckets,
    /// By address, of which anyone may have many: they take no room of the others.
    strangers: Buckets,
    room: usize,
    shared: Option<Arc<Shared>>,
    patience: Option<Duration>,
}

/// What of a key's requests is counted where, for as long as the key stays cached.
struct OfKey {
    limiter: usize,
    counted: Box<[Counted]>,
    /// That of another limiter.
    next: OnceLock<Box<OfKey>>,
}

/// A request's verdict.
pub(crate) struct Verdict {
    pub(crate) outcome: Result<(), Denied>,
    /// What is left, where it was asked for, or where nothing is.
    pub(crate) quotas: Vec<Quota>,
}

impl RateLimits {
    /// Counts under these rules, in this process.
    #[must_use]
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        Self(Arc::new(Inner {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            rules: rules.into_iter().collect(),
            clock: None,
            address: None,
            buckets: Buckets::new(ROOM),
            strangers: Buckets::new(ROOM),
            room: ROOM,
            shared: None,
            patience: None,
        }))
    }

    /// Tells the address of a client; see [`TrustedProxies`](crate::TrustedProxies).
    #[must_use]
    pub fn address(
        self,
        address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        self.with(|inner| inner.address = Some(AddressOf::new(address)))
    }

    /// How many clients with keys are counted at most, and how many without: a million of each unless said
    /// otherwise, at some 200 bytes each. Nobody's count is dropped for want of room; newcomers beyond it
    /// share one.
    ///
    /// This is the room in this process. What is [shared](RateLimits::shared) takes room where it is counted
    /// as well, and that is not bounded here.
    #[must_use]
    pub fn room(self, clients: usize) -> Self {
        self.with(|inner| {
            inner.room = clients;
            inner.buckets = Buckets::new(clients);
            inner.strangers = Buckets::new(clients);
        })
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
        self.with(|inner| inner.shared = Some(shared))
    }

    /// How long a request waits for shared limits: 250 ms unless said otherwise. While they do not answer at
    /// all, requests wait as long before it is known, and one each second after that.
    #[must_use]
    pub fn patience(self, patience: Duration) -> Self {
        self.with(|inner| inner.patience = Some(patience))
    }

    /// Takes the time from this clock, and not from the verifier's.
    #[must_use]
    pub fn clock(self, clock: Clock) -> Self {
        self.with(|inner| inner.clock = Some(clock))
    }

    /// How many clients are counted at present.
    #[must_use]
    pub fn clients(&self) -> usize {
        self.0.buckets.len() + self.0.strangers.len()
    }

    /// Settings are made before anything is counted: a clone that is changed counts anew, with all the
    /// other settings as they were.
    fn with(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = match Arc::try_unwrap(self.0) {
            Ok(inner) => inner,
            Err(shared) => Inner {
                id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
                rules: shared.rules.clone(),
                clock: shared.clock.clone(),
                address: shared.address.clone(),
                buckets: Buckets::new(shared.room),
                strangers: Buckets::new(shared.room),
                room: shared.room,
                shared: shared.shared.clone(),
                patience: shared.patience,
            },
        };
        change(&mut inner);
        Self(Arc::new(inner))
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
        let inner = &*self.0;
        let known = key.keep(|| inner.of_key(key));
        // One limiter is nearly all there is.
        if known.limiter == inner.id {
            let verdict = inner.count_here(&known.counted, inner.now(Some(key)), told);
            return use_it(&known.counted, verdict);
        }
        inner.count_beside(known, key, told, use_it)
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
        let inner = &*self.0;
        let Some(shared) = &inner.shared else {
            return inner.count_here(counted, inner.now(None), told);
        };
        let limits = counted.iter().flat_map(|counted| shared.limits_of(counted));
        let limits: Vec<SharedLimit> = limits.collect();
        match shared.take(&limits, inner.clock(), inner.patience).await {
            Some(taken) => verdict(&limits, &taken),
            None => inner.count_alone(shared.when_away, counted, told),
        }
    }
}

impl Inner {
    fn of_key(&self, key: &Principal) -> OfKey {
        let rules = self.rules.iter().filter(|rule| rule.is_of_key());
        let counted = rules.filter_map(|rule| self.of_rule(rule, rule.who(key)?, Some(key)));
        OfKey {
            limiter: self.id,
            counted: counted.collect(),
            next: OnceLock::new(),
        }
    }

    /// Counts a request of a key that other limiters count too.
    #[inline(never)]
    fn count_beside<T>(
        &self,
        mut known: &OfKey,
        key: &Principal,
        told: bool,
        use_it: impl FnOnce(&[Counted], Verdict) -> T,
    ) -> T {
        for _ in 1..LIMITERS {
            known = known.next.get_or_init(|| Box::new(self.of_key(key)));
            if known.limiter == self.id {
                let verdict = self.count_here(&known.counted, self.now(Some(key)), told);
                return use_it(&known.counted, verdict);
            }
        }
        let counted = self.of_key(key).counted;
        let verdict = self.count_here(&counted, self.now(Some(key)), told);
        use_it(&counted, verdict)
    }

    fn counted(&self, key: Option<&Principal>, parts: Option<&Parts>) -> Vec<Counted> {
        let counted = self.rules.iter().filter_map(|rule| {
            let who = match (&rule.by, key) {
                (By::Client(client), _) => Who::Named(client(parts?)?.into()),
                (By::Address, None) => self.client_address(parts),
                (By::Address, Some(_)) => return None,
                (_, Some(key)) => rule.who(key)?,
                (_, None) => return None,
            };
            self.of_rule(rule, who, key)
        });
        counted.collect()
    }

    fn of_rule(&self, rule: &Rule, who: Who, key: Option<&Principal>) -> Option<Counted> {
        let limits = rule.limits_for(key);
        if limits.is_empty() {
            return None;
        }
        let subject = Subject {
            rule: rule.name.clone(),
            who,
        };
        let now = self.now(key);
        let buckets = match rule.by {
            By::Address => &self.strangers,
            _ => &self.buckets,
        };
        let bucket = buckets.bucket(&subject, now);
        Some(Counted {
            subject,
            bucket,
            limits: limits
                .into_iter()
                .map(|limit| (limit, Rate::of(&limit)))
                .collect(),
        })
    }

    /// Those whose address is not known are one client.
    fn client_address(&self, parts: Option<&Parts>) -> Who {
        let address = self.address.as_ref().zip(parts);
        let address = address.and_then(|(address, parts)| address.of(parts));
        address.map_or_else(|| Who::Named("unknown".into()), Who::address)
    }

    const fn clock(&self) -> &Clock {
        match &self.clock {
            Some(clock) => clock,
            None => &SYSTEM,
        }
    }

    /// The present, in nanoseconds after boot. The verifier has just looked at the clock for a request
    /// with a key, which takes half as long as everything else here.
    #[inline]
    fn now(&self, key: Option<&Principal>) -> u64 {
        match (&self.clock, key) {
            // One that was made for a test has no such moment.
            (None, Some(key)) if key.verified_at() > BootTime::ZERO => key.verified_at().as_nanos(),
            _ => self.clock().boot().as_nanos(),
        }
    }

    #[inline]
    fn count_here(&self, counted: &[Counted], now: u64, told: bool) -> Verdict {
        let mut quotas = Vec::new();
        let wait = take(counted, now, told.then_some(&mut quotas));
        let Some(wait) = wait else {
            let outcome = Ok(());
            return Verdict { outcome, quotas };
        };
        self.refuse(counted, now, wait)
    }

    #[cold]
    fn refuse(&self, counted: &[Counted], now: u64, wait: u64) -> Verdict {
        let quotas = super::buckets::left(counted, now);
        Verdict {
            outcome: Err(reached(wait)),
            quotas,
        }
    }

    /// What nodes share cannot be asked.
    #[cold]
    fn count_alone(&self, when_away: WhenAway, counted: &[Counted], told: bool) -> Verdict {
        let outcome = match when_away {
            WhenAway::Open => Ok(()),
            WhenAway::Closed => Err(Denied::unavailable(Reason::LimitsAway)),
            WhenAway::LocalShare(nodes) => {
                let share = |limit: &Limit| {
                    let requests = limit.requests() / u64::from(nodes.get());
                    Limit::new(requests.max(1), limit.per()).unwrap_or(*limit)
                };
                let counted: Vec<Counted> = counted
                    .iter()
                    .map(|counted| Counted {
                        subject: counted.subject.clone(),
                        bucket: counted.bucket.clone(),
                        limits: counted
                            .limits
                            .iter()
                            .map(|(limit, _)| (*limit, Rate::of(&share(limit))))
                            .collect(),
                    })
                    .collect();
                return self.count_here(&counted, self.now(None), told);
            }
        };
        Verdict {
            outcome,
            quotas: Vec::new(),
        }
    }
}

fn reached(wait_nanos: u64) -> Denied {
    Denied::too_many_requests(Reason::LimitReached, Duration::from_nanos(wait_nanos))
}

fn verdict(limits: &[SharedLimit], taken: &SharedTaken) -> Verdict {
    let rates = limits.iter().map(Rate::of_shared);
    let ahead = taken.ahead_micros.iter();
    let ahead = ahead.map(|micros| micros.saturating_mul(1_000));
    let quotas: Vec<Quota> = rates
        .zip(ahead)
        .map(|(rate, ahead)| rate.quota(ahead, 0))
        .collect();
    let waits = quotas.iter().filter(|quota| quota.remaining == 0);
    let wait = waits.map(|quota| quota.reset_nanos).max();
    let outcome = if taken.passed {
        Ok(())
    } else {
        Err(reached(wait.unwrap_or_default()))
    };
    Verdict { outcome, quotas }
}

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);
const ROOM: usize = 1_000_000;
/// Of so many, a cached key keeps what is counted where; for others it is found anew each time.
const LIMITERS: usize = 4;
static SYSTEM: Clock = Clock::system();
