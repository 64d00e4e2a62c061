//! Limits that nodes share, over something that counts for them.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use keyward::Clock;
use keyward_limits::{
    LimitsAway, RateLimits, Rule, SharedLimit, SharedLimits, SharedTaken, WhenAway,
};

use crate::support::{Fixture, SECOND, bearing, limit, pass, send};

/// Counts for several nodes; and can be away, or hang.
#[derive(Debug, Clone)]
struct Counter(Arc<State>);

#[derive(Debug)]
struct State {
    clock: Clock,
    schedules: Mutex<HashMap<String, u64>>,
    away: AtomicBool,
    hangs: AtomicBool,
    calls: AtomicUsize,
}

impl Counter {
    fn new(clock: Clock) -> Self {
        Self(Arc::new(State {
            clock,
            schedules: Mutex::default(),
            away: AtomicBool::new(false),
            hangs: AtomicBool::new(false),
            calls: AtomicUsize::new(0),
        }))
    }
}

#[async_trait]
impl SharedLimits for Counter {
    async fn take(&self, limits: &[SharedLimit]) -> Result<SharedTaken, LimitsAway> {
        let state = &*self.0;
        state.calls.fetch_add(1, Ordering::SeqCst);
        if state.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        if state.away.load(Ordering::SeqCst) {
            return Err(LimitsAway::new("down"));
        }
        let now = state.clock.boot().as_nanos() / 1_000;
        let mut schedules = state.schedules.lock().unwrap();
        let ahead = |name: &str, schedules: &HashMap<String, u64>| {
            schedules.get(name).map_or(0, |at| at.saturating_sub(now))
        };
        let passed = limits
            .iter()
            .all(|limit| ahead(&limit.name, &schedules) <= limit.tolerance_micros);
        let mut told = Vec::new();
        for limit in limits {
            let mut is = ahead(&limit.name, &schedules);
            if passed {
                is += limit.interval_micros;
                schedules.insert(limit.name.clone(), now + is);
            }
            told.push(is);
        }
        Ok(SharedTaken::new(passed, told))
    }
}

fn rule() -> [Rule; 1] {
    [Rule::per_key("key").limits([limit(10, SECOND), limit(100, 3600 * SECOND)])]
}

#[tokio::test]
async fn nodes_share_one_limit() {
    let fixture = Fixture::new().await;
    let counter = Counter::new(fixture.clock.clone());
    let apps: Vec<_> = (0..3)
        .map(|_| {
            fixture.app(RateLimits::new(rule()).shared("api", counter.clone(), WhenAway::Closed))
        })
        .collect();
    let key = fixture.key().await;
    let mut passed = 0;
    for n in 0..30 {
        let answer = send(&apps[n % 3], bearing(&key)).await;
        if answer.status == 200 {
            passed += 1;
            continue;
        }
        assert_eq!(answer.status, 429);
        assert_eq!(answer.header("retry-after"), "1");
        assert_eq!(
            answer.header("ratelimit"),
            r#""key/1s";r=0;t=1, "key/3600s";r=90;t=360"#
        );
    }
    assert_eq!(passed, 10);
    fixture.hand.advance(SECOND);
    assert_eq!(pass(&apps[0], &key, 30).await, 10);
    assert_eq!(pass(&apps[1], &key, 30).await, 0);
}

/// Routes have limits of their own, under rules of one name; as they do where nothing is shared.
#[tokio::test]
async fn limiters_of_different_names_do_not_meet() {
    let fixture = Fixture::new().await;
    let counter = Counter::new(fixture.clock.clone());
    let app = |name: &str, requests| {
        let rule = Rule::per_key("key").limits([limit(requests, 60 * SECOND)]);
        let limits = RateLimits::new([rule]);
        fixture.app(limits.shared(name, counter.clone(), WhenAway::Closed))
    };
    let (cheap, costly) = (app("cheap", 100), app("costly", 5));
    let key = fixture.key().await;
    assert_eq!(pass(&cheap, &key, 50).await, 50);
    assert_eq!(pass(&costly, &key, 20).await, 5);
    assert_eq!(pass(&cheap, &key, 100).await, 50);
    // On every node.
    assert_eq!(pass(&app("costly", 5), &key, 20).await, 0);

    // Nor do names that hold what stands between them.
    let app = |name: &str, rule: &str| {
        let rule = Rule::per_key(rule).limits([limit(1, 60 * SECOND)]);
        let limits = RateLimits::new([rule]);
        fixture.app(limits.shared(name, counter.clone(), WhenAway::Closed))
    };
    for (name, rule) in [
        ("a", "b"),
        ("a:1:b", ""),
        ("", "a:b"),
        ("a:", "b"),
        ("a", ":b"),
    ] {
        assert_eq!(pass(&app(name, rule), &key, 2).await, 1, "{name} {rule}");
    }
}

/// A limit that is changed goes on from where it was, and gives nobody a fresh start.
#[tokio::test]
async fn a_limit_that_is_changed_goes_on() {
    let fixture = Fixture::new().await;
    let counter = Counter::new(fixture.clock.clone());
    let app = |requests| {
        let rule = Rule::per_key("key").limits([limit(requests, 60 * SECOND)]);
        let limits = RateLimits::new([rule]);
        fixture.app(limits.shared("api", counter.clone(), WhenAway::Closed))
    };
    let key = fixture.key().await;
    assert_eq!(pass(&app(10), &key, 20).await, 10);
    assert_eq!(pass(&app(11), &key, 20).await, 0);
    // Half the window has been used, by either measure.
    fixture.hand.advance(30 * SECOND);
    assert_eq!(pass(&app(20), &key, 20).await, 10);
}

#[tokio::test]
async fn while_they_are_away_it_is_as_was_said() {
    let fixture = Fixture::new().await;
    let three = NonZeroU32::new(3).unwrap();
    for (when_away, expected) in [
        (WhenAway::LocalShare(three), vec![200; 3]),
        (WhenAway::Open, vec![200; 30]),
        (WhenAway::Closed, vec![]),
    ] {
        let counter = Counter::new(fixture.clock.clone());
        let limits = RateLimits::new(rule()).shared("api", counter.clone(), when_away);
        let app = fixture.app(limits);
        let key = fixture.key().await;
        counter.0.away.store(true, Ordering::SeqCst);
        for n in 0..30 {
            let answer = send(&app, bearing(&key)).await;
            let beyond = if when_away == WhenAway::Closed {
                503
            } else {
                429
            };
            let expected = expected.get(n).copied().unwrap_or(beyond);
            assert_eq!(answer.status, expected, "{when_away:?} {n}");
            if expected == 503 {
                assert_eq!(answer.header("retry-after"), "1");
            }
        }
        // One request found out, and the others did not wait for it.
        assert_eq!(counter.0.calls.load(Ordering::SeqCst), 1);
        // They heal by themselves, within a second.
        counter.0.away.store(false, Ordering::SeqCst);
        fixture.hand.advance(SECOND);
        assert_eq!(pass(&app, &key, 30).await, 10, "{when_away:?}");
    }
}

#[tokio::test]
async fn nobody_waits_long_for_what_hangs() {
    let fixture = Fixture::new().await;
    let counter = Counter::new(fixture.clock.clone());
    let limits = RateLimits::new(rule()).shared("api", counter.clone(), WhenAway::Open);
    let app = fixture.app(limits.patience(Duration::from_millis(100)));
    let key = fixture.key().await;
    assert_eq!(send(&app, bearing(&key)).await.status, 200);
    counter.0.hangs.store(true, Ordering::SeqCst);
    let start = tokio::time::Instant::now();
    for _ in 0..100 {
        assert_eq!(send(&app, bearing(&key)).await.status, 200);
    }
    // One waited, and told the others.
    assert!(start.elapsed() < Duration::from_secs(2));
    assert_eq!(counter.0.calls.load(Ordering::SeqCst), 2);
}
