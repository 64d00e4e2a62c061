//! Limits that several nodes share.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use keyward::{BootTime, Clock};
use thiserror::Error;
use tokio::time::timeout;

use super::buckets::Counted;

/// Counts the requests of all nodes.
///
/// # Contract
/// [`take`](SharedLimits::take) is atomic: a request is taken off every limit that is asked for, or off
/// none. All nodes are answered by one clock. What has been counted may be forgotten once it equals
/// nothing counted.
///
/// # Cancel safety
/// A call that is dropped may or may not have counted.
#[async_trait]
pub trait SharedLimits: std::fmt::Debug + Send + Sync + 'static {
    /// Takes one request off every limit, if none of them is reached.
    ///
    /// # Errors
    /// [`LimitsAway`] when that cannot be done.
    async fn take(&self, limits: &[SharedLimit]) -> Result<SharedTaken, LimitsAway>;
}

/// A limit by the generic cell rate algorithm: a schedule, which is the moment when all that was counted
/// is forgotten.
///
/// A request passes unless the schedule lies more than `tolerance` ahead of time; then the schedule moves
/// to `interval` behind itself, or behind the present if that is later. Where several limits of a request
/// have one name, it moves as far as the one asks that moves it the furthest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedLimit {
    /// The name of the schedule.
    pub name: String,
    /// Microseconds, rounded up; so that nodes share at most a million requests a second.
    pub interval_micros: u64,
    /// Microseconds.
    pub tolerance_micros: u64,
}

impl SharedLimit {
    /// The limit with that schedule.
    #[must_use]
    pub fn new(name: impl Into<String>, interval_micros: u64, tolerance_micros: u64) -> Self {
        Self {
            name: name.into(),
            interval_micros,
            tolerance_micros,
        }
    }
}

/// What became of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedTaken {
    /// Whether it was taken off every limit.
    pub passed: bool,
    /// How many microseconds each schedule lies ahead of time now, in the order in which they were asked
    /// for.
    pub ahead_micros: Vec<u64>,
}

impl SharedTaken {
    /// The answer.
    #[must_use]
    pub fn new(passed: bool, ahead_micros: Vec<u64>) -> Self {
        Self {
            passed,
            ahead_micros,
        }
    }
}

/// What nodes share cannot be asked.
#[derive(Debug, Error)]
#[error("the shared limits cannot be asked")]
pub struct LimitsAway(#[source] Box<dyn std::error::Error + Send + Sync>);

impl LimitsAway {
    /// Because of this.
    #[must_use]
    pub fn new(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// What to do while shared limits cannot be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WhenAway {
    /// Each of so many nodes holds its clients to its share of every limit, and to one request at least.
    ///
    /// The nodes have not counted what was counted together, nor is what they count now counted there later.
    /// So both hold on their own: in a window in which the shared limits went away or came back, a client
    /// may pass up to twice as often as otherwise: less than 4N times for N requests, on at most N nodes.
    LocalShare(NonZeroU32),
    /// Every request passes.
    Open,
    /// No request passes: 503.
    Closed,
}

/// Shared limits, and what is known of how they fare.
#[derive(Debug)]
pub(super) struct Shared {
    /// That of the limiter, on every node.
    name: Arc<str>,
    limits: Arc<dyn SharedLimits>,
    pub(super) when_away: WhenAway,
    /// Until when nobody asks, in nanoseconds after boot; 0 while all is well.
    away_until: AtomicU64,
}

impl Shared {
    pub(super) fn new(name: Arc<str>, limits: Arc<dyn SharedLimits>, when_away: WhenAway) -> Self {
        Self {
            name,
            limits,
            when_away,
            away_until: AtomicU64::new(0),
        }
    }

    /// What is asked of the others, in the order of the limits.
    pub(super) fn limits_of(&self, counted: &Counted) -> impl Iterator<Item = SharedLimit> {
        counted.limits.iter().map(|(limit, rate)| {
            let (name, window) = (&self.name, limit.per().as_millis());
            // The length tells the limiter "a" with the rule "b" from every other limiter.
            let name = format!("{}:{name}:{}:{window}", name.len(), counted.subject);
            let interval = rate.interval().div_ceil(1_000);
            SharedLimit::new(
                name,
                interval,
                interval.saturating_mul(limit.requests() - 1),
            )
        })
    }

    /// `None` while they are away: nobody waits for what has just failed others, but one request a
    /// second, which finds out whether they are back.
    pub(super) async fn take(
        &self,
        limits: &[SharedLimit],
        clock: &Clock,
        patience: Option<Duration>,
    ) -> Option<SharedTaken> {
        let now = clock.boot();
        let until = self.away_until.load(Ordering::SeqCst);
        if now.as_nanos() < until {
            return None;
        }
        if until > 0 {
            let next = now.after(PAUSE).as_nanos();
            let place = &self.away_until;
            let mine = place.compare_exchange(until, next, Ordering::SeqCst, Ordering::SeqCst);
            if mine.is_err() {
                return None;
            }
        }
        let cause = match timeout(patience.unwrap_or(PATIENCE), self.limits.take(limits)).await {
            Ok(Ok(taken)) if taken.ahead_micros.len() == limits.len() => {
                if self.away_until.swap(0, Ordering::SeqCst) > 0 {
                    tracing::info!(target: "keyward", "the shared limits are back");
                }
                return Some(taken);
            }
            Ok(Ok(_)) => LimitsAway::new("an answer of the wrong length"),
            Ok(Err(away)) => away,
            Err(elapsed) => LimitsAway::new(elapsed),
        };
        self.is_away(&cause, clock.boot());
        None
    }

    #[cold]
    fn is_away(&self, cause: &LimitsAway, now: BootTime) {
        let until = now.after(PAUSE).as_nanos();
        if self.away_until.swap(until, Ordering::SeqCst) == 0 {
            let error: &dyn std::error::Error = cause;
            tracing::warn!(target: "keyward", error, "the shared limits are away");
        }
    }
}

/// How long a request waits for an answer.
const PATIENCE: Duration = Duration::from_millis(250);
/// How often is looked whether they are back.
const PAUSE: Duration = Duration::from_secs(1);
