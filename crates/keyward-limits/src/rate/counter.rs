use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::request::Parts;
use keyward::{BootTime, Clock, Denied, Limit, Principal, Reason};

use super::buckets::{Buckets, Counted, take};
use super::gcra::Rate;
use super::rule::{By, Rule};
use super::shared::{Shared, SharedLimit, WhenAway};
use super::subject::{Subject, Who};
use super::verdict::{Verdict, reached};
use crate::address::AddressOf;

/// What is counted, and by which rules.
#[derive(Debug)]
pub(super) struct Counter {
    /// Unlike that of every other in this process.
    pub(super) id: usize,
    pub(super) rules: Vec<Rule>,
    /// `None` is the machine's; for requests with a key, the moment at which it was verified.
    pub(super) clock: Option<Clock>,
    pub(super) address: Option<AddressOf>,
    buckets: Buckets,
    /// By address, of which anyone may have many: they take no room of the others.
    strangers: Buckets,
    room: usize,
    pub(super) shared: Option<Arc<Shared>>,
    pub(super) patience: Option<Duration>,
}

/// What of a key's requests is counted where, for as long as the key stays cached.
struct OfKey {
    limiter: usize,
    counted: Box<[Counted]>,
    /// That of another limiter.
    next: OnceLock<Box<OfKey>>,
}

impl Counter {
    pub(super) fn new(rules: Vec<Rule>) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            rules,
            clock: None,
            address: None,
            buckets: Buckets::new(ROOM),
            strangers: Buckets::new(ROOM),
            room: ROOM,
            shared: None,
            patience: None,
        }
    }

    /// With the same settings, and nothing counted.
    pub(super) fn anew(&self) -> Self {
        Self {
            id: NEXT_ID.fetch_add(1, Ordering::Relaxed),
            rules: self.rules.clone(),
            clock: self.clock.clone(),
            address: self.address.clone(),
            buckets: Buckets::new(self.room),
            strangers: Buckets::new(self.room),
            room: self.room,
            shared: self.shared.clone(),
            patience: self.patience,
        }
    }

    pub(super) fn set_room(&mut self, clients: usize) {
        self.room = clients;
        self.buckets = Buckets::new(clients);
        self.strangers = Buckets::new(clients);
    }

    /// How many clients are counted at present.
    pub(super) fn clients(&self) -> usize {
        self.buckets.len() + self.strangers.len()
    }

    /// Counts a request of a key, where the key is all there is to look at.
    #[inline]
    pub(super) fn count_key<T>(
        &self,
        key: &Principal,
        told: bool,
        use_it: impl FnOnce(&[Counted], Verdict) -> T,
    ) -> T {
        let known = key.keep(|| self.of_key(key));
        // One limiter is nearly all there is.
        if known.limiter == self.id {
            let verdict = self.count_here(&known.counted, self.now(Some(key)), told);
            return use_it(&known.counted, verdict);
        }
        self.count_beside(known, key, told, use_it)
    }

    /// Counts together with other nodes.
    pub(super) async fn count_shared(&self, counted: &[Counted], told: bool) -> Verdict {
        let Some(shared) = &self.shared else {
            return self.count_here(counted, self.now(None), told);
        };
        let limits = counted.iter().flat_map(|counted| shared.limits_of(counted));
        let limits: Vec<SharedLimit> = limits.collect();
        match shared.take(&limits, self.clock(), self.patience).await {
            Some(taken) => Verdict::shared(&limits, &taken),
            None => self.count_alone(shared.when_away, counted, told),
        }
    }

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

    /// Whom and what a request is counted for.
    pub(super) fn counted(&self, key: Option<&Principal>, parts: Option<&Parts>) -> Vec<Counted> {
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
    pub(super) fn now(&self, key: Option<&Principal>) -> u64 {
        match (&self.clock, key) {
            // One that was made for a test has no such moment.
            (None, Some(key)) if key.verified_at() > BootTime::ZERO => key.verified_at().as_nanos(),
            _ => self.clock().boot().as_nanos(),
        }
    }

    /// Counts in this process.
    #[inline]
    pub(super) fn count_here(&self, counted: &[Counted], now: u64, told: bool) -> Verdict {
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
        Verdict::uncounted(outcome)
    }
}

static NEXT_ID: AtomicUsize = AtomicUsize::new(0);
const ROOM: usize = 1_000_000;
/// Of so many, a cached key keeps what is counted where; for others it is found anew each time.
const LIMITERS: usize = 4;
static SYSTEM: Clock = Clock::system();
