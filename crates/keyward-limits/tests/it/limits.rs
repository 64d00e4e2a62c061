//! Who is held to what.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::get as route;
use keyward::{ApiKeyLayer, Limit, NewKey, Owner, RequireScopes, Scope};
use keyward_limits::{RateLimitLayer, RateLimits, Rule};

use crate::support::{Fixture, SECOND, address, bearing, from, limit, new_key, pass, send, with};

#[tokio::test]
async fn a_key_is_held_to_its_limit_and_no_other_key_is() {
    let fixture = Fixture::new().await;
    let app = fixture.app(RateLimits::new([
        Rule::per_key("key").limits([limit(10, SECOND)])
    ]));
    let (one, other) = (fixture.key().await, fixture.key().await);
    assert_eq!(pass(&app, &one, 15).await, 10);
    assert_eq!(pass(&app, &other, 15).await, 10);
    fixture.hand.advance(SECOND / 10);
    assert_eq!(pass(&app, &one, 5).await, 1);
    fixture.hand.advance(SECOND);
    assert_eq!(pass(&app, &one, 15).await, 10);
}

#[tokio::test]
async fn several_limits_hold_at_once_and_a_refusal_costs_none_of_them() {
    let fixture = Fixture::new().await;
    let limits = [limit(10, SECOND), limit(25, 3600 * SECOND)];
    let app = fixture.app(RateLimits::new([Rule::per_key("key").limits(limits)]));
    let key = fixture.key().await;
    assert_eq!(pass(&app, &key, 50).await, 10);
    fixture.hand.advance(SECOND);
    assert_eq!(pass(&app, &key, 50).await, 10);
    fixture.hand.advance(SECOND);
    // Five are left of the hour's, whatever was refused.
    assert_eq!(pass(&app, &key, 50).await, 5);
    fixture.hand.advance(SECOND);
    assert_eq!(pass(&app, &key, 50).await, 0);
    fixture.hand.advance(3600 * SECOND / 25);
    assert_eq!(pass(&app, &key, 50).await, 1);
}

#[tokio::test]
async fn owners_and_tenants_share_what_their_keys_may() {
    let fixture = Fixture::new().await;
    let app = fixture.app(RateLimits::new([
        Rule::per_key("key").limits([limit(5, SECOND)]),
        Rule::per_owner("owner").limits([limit(8, SECOND)]),
        Rule::per_tenant("tenant").limits([limit(12, SECOND)]),
    ]));
    let of = |owner: &str| new_key().owner(Owner::new("user", owner));
    let (first, second, third) = (
        fixture.issue(of("1")).await,
        fixture.issue(of("1")).await,
        fixture.issue(of("2")).await,
    );
    let unowned = fixture.issue(NewKey::named("ci").tenant("acme")).await;
    let elsewhere = fixture.issue(NewKey::named("ci").tenant("other")).await;
    assert_eq!(pass(&app, &first, 20).await, 5);
    assert_eq!(pass(&app, &second, 20).await, 3);
    assert_eq!(pass(&app, &third, 20).await, 4);
    assert_eq!(pass(&app, &unowned, 20).await, 0);
    assert_eq!(pass(&app, &elsewhere, 20).await, 5);
}

#[tokio::test]
async fn the_record_of_a_key_comes_before_the_default() {
    let fixture = Fixture::new().await;
    let app = fixture.app(RateLimits::new([
        Rule::per_key("key").limits([limit(5, SECOND)])
    ]));
    let generous = fixture.issue(new_key().limits([limit(7, SECOND)])).await;
    let plain = fixture.key().await;
    assert_eq!(pass(&app, &generous, 20).await, 7);
    assert_eq!(pass(&app, &plain, 20).await, 5);
    let none = fixture.app(RateLimits::new([Rule::per_key("key")]));
    assert_eq!(pass(&none, &plain, 50).await, 50);
}

#[tokio::test]
async fn limits_may_be_a_function_of_the_principal() {
    let fixture = Fixture::new().await;
    let by_role = |key: &keyward::Principal| match key.role() {
        Some("trial") => vec![limit(2, SECOND)],
        Some("partner") => Vec::new(),
        _ => vec![limit(6, SECOND)],
    };
    let app = fixture.app(RateLimits::new([Rule::per_key("plan").limits_of(by_role)]));
    for (role, passed) in [("trial", 2), ("partner", 20), ("other", 6)] {
        let key = fixture.issue(new_key().role(role)).await;
        assert_eq!(pass(&app, &key, 20).await, passed, "{role}");
    }
}

#[tokio::test]
async fn a_rotated_key_shares_the_limit_of_the_old_one() {
    let fixture = Fixture::new().await;
    let app = fixture.app(RateLimits::new([
        Rule::per_key("key").limits([limit(10, SECOND)])
    ]));
    let old = fixture.key().await;
    let new = fixture
        .keys
        .rotate(&old.key.id)
        .overlap(3600 * SECOND)
        .await;
    let new = new.unwrap();
    assert_eq!(pass(&app, &old, 6).await, 6);
    assert_eq!(pass(&app, &new, 20).await, 4);
    assert_eq!(pass(&app, &old, 20).await, 0);
}

/// What was counted is not in the cache of keys: a change of the key loads it anew, and counts on.
#[tokio::test]
async fn counts_outlive_cache_entries() {
    let fixture = Fixture::new().await;
    let limits = RateLimits::new([Rule::per_key("key").limits([limit(10, SECOND)])]);
    let app = fixture.app(limits);
    let key = fixture.key().await;
    for n in 0..4 {
        assert_eq!(pass(&app, &key, 3).await, if n < 3 { 3 } else { 1 });
        let renamed = keyward::KeyUpdate::new().name(n.to_string());
        fixture.keys.update(&key.key.id, renamed).await.unwrap();
    }
    // Another limit in the same window goes on from where it was.
    let faster = keyward::KeyUpdate::new().limits([limit(20, SECOND)]);
    fixture.keys.update(&key.key.id, faster).await.unwrap();
    assert!(pass(&app, &key, 30).await < 20);
}

#[tokio::test]
async fn what_equals_nothing_counted_is_dropped() {
    let fixture = Fixture::new().await;
    let limits = RateLimits::new([Rule::per_address("address").limits([limit(10, SECOND)])])
        .address(address)
        .clock(fixture.clock.clone());
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(RateLimitLayer::new(limits.clone()));
    for turn in 0..5_u32 {
        for n in 0..10_000_u32 {
            let n = turn * 10_000 + n;
            let address = std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string();
            assert_eq!(send(&app, from(with(&[]), &address)).await.status, 200);
        }
        fixture.hand.advance(SECOND);
    }
    // Not all of 50,000: at every doubling, what is spent goes.
    assert!(limits.clients() <= 32_000, "{}", limits.clients());
}

/// `xff-flood-evict`: when there is no room, newcomers share one count, and nobody loses theirs.
#[tokio::test]
async fn nobodys_count_is_dropped_for_want_of_room() {
    let fixture = Fixture::new().await;
    let limits = RateLimits::new([Rule::per_address("address").limits([limit(3, 3600 * SECOND)])])
        .address(address)
        .room(640);
    let limits = limits.clock(fixture.clock.clone());
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(RateLimitLayer::new(limits.clone()));
    let mine = || from(with(&[]), "192.0.2.1");
    for _ in 0..3 {
        assert_eq!(send(&app, mine()).await.status, 200);
    }
    let mut passed = 0;
    for n in 0..10_000_u32 {
        let address = std::net::Ipv4Addr::from(0x0a00_0000 + n).to_string();
        let answer = send(&app, from(with(&[]), &address)).await;
        passed += usize::from(answer.status == 200);
    }
    assert_eq!(send(&app, mine()).await.status, 429);
    assert!(limits.clients() <= 640, "{}", limits.clients());
    assert!(passed < 640 + 3 * 64 + 1, "{passed}");
}

/// In either order.
#[tokio::test]
async fn of_two_limits_of_one_window_the_narrower_holds() {
    let fixture = Fixture::new().await;
    let (wide, narrow) = (limit(100, 3600 * SECOND), limit(5, 3600 * SECOND));
    for limits in [[wide, narrow], [narrow, wide]] {
        let app = fixture.app(RateLimits::new([Rule::per_key("key").limits(limits)]));
        let key = fixture.key().await;
        assert_eq!(pass(&app, &key, 20).await, 5);
        fixture.hand.advance(720 * SECOND);
        assert_eq!(pass(&app, &key, 20).await, 1);
    }
}

/// And when what was counted is spent, there is room again.
#[tokio::test]
async fn a_crowd_ends_when_its_window_does() {
    let fixture = Fixture::new().await;
    for room in [64, 640, 6_400] {
        let rule = Rule::per_address("address").limits([limit(1, SECOND)]);
        let limits = RateLimits::new([rule]).address(address).room(room);
        let app = Router::new()
            .route("/", route(async || "ok"))
            .layer(RateLimitLayer::new(limits.clock(fixture.clock.clone())));
        let sent = u32::try_from(room).unwrap() * 3;
        for turn in 0..3 {
            for n in 0..sent {
                let address = std::net::Ipv4Addr::from(0x0a00_0000 + turn * sent + n).to_string();
                send(&app, from(with(&[]), &address)).await;
            }
            fixture.hand.advance(2 * SECOND);
            // Two who have never come share nothing.
            for n in 1..3 {
                let address = format!("192.0.2.{}", u32::from(turn as u8) * 10 + n);
                let answer = send(&app, from(with(&[]), &address)).await;
                assert_eq!(answer.status, 200, "{room}, turn {turn}");
            }
            fixture.hand.advance(2 * SECOND);
        }
    }
}

/// `concurrent-check-then-act`.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_two_hundred_at_once_ten_pass() {
    let fixture = Fixture::new().await;
    for limits in [
        vec![limit(10, SECOND)],
        vec![limit(10, SECOND), limit(500, 3600 * SECOND)],
    ] {
        let app = fixture.app(RateLimits::new([Rule::per_key("key").limits(limits)]));
        let key = Arc::new(fixture.key().await);
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (app, key) = (app.clone(), key.clone());
                tokio::spawn(async move { send(&app, bearing(&key)).await.status })
            })
            .collect();
        let mut passed = 0;
        for task in tasks {
            passed += usize::from(task.await.unwrap() == 200);
        }
        assert_eq!(passed, 10);
    }
}

/// `401-does-not-burn-quota`, and a 403 does not either where the scopes stand around the limits.
#[tokio::test]
async fn only_what_passes_the_layers_around_is_counted() {
    let fixture = Fixture::new().await;
    const WRITE: Scope = Scope::from_static("write");
    let limits = RateLimits::new([Rule::per_key("key").limits([limit(10, SECOND)])]);
    let limits = limits.clock(fixture.clock.clone());
    let layer = RateLimitLayer::new(limits.clone());
    let app = Router::new()
        .route("/", route(async || "ok").route_layer(layer.clone()))
        .route(
            "/write",
            route(async || "ok")
                .route_layer(layer)
                .route_layer(RequireScopes::all([WRITE])),
        )
        .layer(ApiKeyLayer::new(fixture.keys.verifier()));
    let key = fixture.key().await;
    let mut wrong = key.secret.expose().to_owned();
    let other = fixture.key().await;
    // The same public id, and the secret of another key: its checksum is wrong, or the secret is.
    wrong.replace_range(22.., &other.secret.expose()[22..]);
    for _ in 0..50 {
        let bearer = format!("Bearer {wrong}");
        let answer = send(&app, with(&[("authorization", &bearer)])).await;
        assert_eq!(answer.status, 401);
        let mut request = bearing(&key);
        *request.uri_mut() = "/write".parse().unwrap();
        assert_eq!(send(&app, request).await.status, 403);
    }
    assert_eq!(pass(&app, &key, 50).await, 10);
}

/// However many there are: what a cached key keeps of them is bounded.
#[tokio::test]
async fn each_limiter_counts_for_itself() {
    let fixture = Fixture::new().await;
    let key = fixture.key().await;
    let minute = |requests| limit(requests, 60 * SECOND);
    let apps: Vec<_> = (1..=7)
        .map(|n| fixture.app(RateLimits::new([Rule::per_key("key").limits([minute(n)])])))
        .collect();
    let mut passed = [0; 7];
    for _ in 0..10 {
        for (app, passed) in apps.iter().zip(&mut passed) {
            *passed += pass(app, &key, 1).await;
        }
    }
    assert_eq!(passed, [1, 2, 3, 4, 5, 6, 7]);
}

/// `limit-vs-401-oracle` and `revoked-key-limit`: 429 is for good keys alone; of the others, nothing is
/// counted or kept.
#[tokio::test]
async fn only_good_keys_are_told_of_limits() {
    let fixture = Fixture::new().await;
    let limits = RateLimits::new([Rule::per_key("key").limits([limit(1, SECOND)])]);
    let limits = limits.clock(fixture.clock.clone());
    let app = fixture.app_with(RateLimitLayer::new(limits.clone()));
    let revoked = fixture.key().await;
    fixture.keys.revoke(&revoked.key.id).await.unwrap();
    for _ in 0..20 {
        assert_eq!(send(&app, bearing(&revoked)).await.status, 401);
        let unknown = with(&[("authorization", "Bearer acme_live_nobody")]);
        assert_eq!(send(&app, unknown).await.status, 401);
    }
    assert_eq!(limits.clients(), 0);
    let good = fixture.key().await;
    assert_eq!(send(&app, bearing(&good)).await.status, 200);
    assert_eq!(send(&app, bearing(&good)).await.status, 429);
    fixture.keys.revoke(&good.key.id).await.unwrap();
    assert_eq!(send(&app, bearing(&good)).await.status, 401);
}

/// However many limiters there are in the process.
#[tokio::test]
async fn the_hundredth_limiter_counts_once() {
    let fixture = Fixture::new().await;
    let limiters: Vec<_> = (0..100)
        .map(|_| RateLimits::new([Rule::per_key("key").limits([limit(10, SECOND)])]))
        .collect();
    let last = limiters.last().unwrap().clone();
    let layer = RateLimitLayer::new(last.clock(fixture.clock.clone()));
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(layer.clone())
        .layer(layer)
        .layer(ApiKeyLayer::new(fixture.keys.verifier()));
    assert_eq!(pass(&app, &fixture.key().await, 30).await, 10);
}

#[tokio::test]
async fn a_request_is_counted_once_however_many_layers_see_it() {
    let fixture = Fixture::new().await;
    let minute = limit(10, 60 * SECOND);
    let rules = || {
        [
            Rule::per_key("key").limits([minute]),
            Rule::per_address("address").limits([minute]),
        ]
    };
    let limits = RateLimits::new(rules()).address(address);
    let other = RateLimits::new(rules()).clock(fixture.clock.clone());
    let limits = limits.clock(fixture.clock.clone());
    let twice = RateLimitLayer::new(limits);
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(twice.clone())
        .layer(RateLimitLayer::new(other))
        .layer(twice.clone())
        .layer(twice)
        .layer(ApiKeyLayer::new(fixture.keys.verifier()).optional());
    let key = fixture.key().await;
    assert_eq!(pass(&app, &key, 30).await, 10);
    let mut passed = 0;
    for _ in 0..30 {
        let answer = send(&app, from(with(&[]), "192.0.2.1")).await;
        passed += usize::from(answer.status == 200);
    }
    assert_eq!(passed, 10);
}

/// Sessions and keys are held to one limit, by a name that the host gives.
#[tokio::test]
async fn a_client_is_who_the_host_says() {
    let fixture = Fixture::new().await;
    let client = |parts: &http::request::Parts| {
        let key = parts.extensions.get::<keyward::Principal>();
        let owner = key.and_then(|key| key.owner().map(ToString::to_string));
        let session = parts.headers.get("session");
        owner.or_else(|| Some(session?.to_str().ok()?.to_owned()))
    };
    let limits = RateLimits::new([Rule::per_client("client", client).limits([limit(6, SECOND)])]);
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(RateLimitLayer::new(limits.clock(fixture.clock.clone())))
        .layer(ApiKeyLayer::new(fixture.keys.verifier()).optional());
    let key = fixture.key().await;
    assert_eq!(pass(&app, &key, 4).await, 4);
    for expected in [200, 200, 429] {
        let answer = send(&app, with(&[("session", "user:7")])).await;
        assert_eq!(answer.status, expected);
    }
    assert_eq!(pass(&app, &key, 4).await, 0);
    assert_eq!(send(&app, with(&[("session", "user:8")])).await.status, 200);
    // Nobody in particular is not counted.
    for _ in 0..20 {
        assert_eq!(send(&app, with(&[])).await.status, 200);
    }
}

#[tokio::test]
async fn without_a_key_layer_nothing_passes_uncounted() {
    let fixture = Fixture::new().await;
    let limits = RateLimits::new([Rule::per_key("key").limits([limit(6, SECOND)])]);
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(RateLimitLayer::new(limits));
    let key = fixture.key().await;
    assert_eq!(send(&app, bearing(&key)).await.status, 500);
}

/// `huge-window` and `u64-wrap`: nothing overflows at the ends of what a limit can be.
#[tokio::test]
async fn the_largest_limits_hold() {
    let fixture = Fixture::new().await;
    assert_eq!(Limit::new(u64::MAX, Duration::MAX), None);
    assert_eq!(Limit::new(1, Duration::MAX), None);
    let widest = limit(1 << 32, Limit::MAX_WINDOW);
    let app = fixture.app(RateLimits::new([Rule::per_key("key").limits([widest])]));
    assert_eq!(pass(&app, &fixture.key().await, 5).await, 5);
    let one = limit(1, Limit::MAX_WINDOW);
    let app = fixture.app(RateLimits::new([Rule::per_key("key").limits([one])]));
    let key = fixture.key().await;
    assert_eq!(pass(&app, &key, 5).await, 1);
    fixture
        .hand
        .advance(Limit::MAX_WINDOW - Duration::from_nanos(1));
    assert_eq!(pass(&app, &key, 5).await, 0);
    fixture.hand.advance(Duration::from_nanos(1));
    assert_eq!(pass(&app, &key, 5).await, 1);
}

/// A generated grid: whatever the load, the accepted count stays between what the limit promises and
/// what it allows.
#[tokio::test]
async fn the_accepted_count_is_within_its_bounds() {
    let fixture = Fixture::new().await;
    for requests in [1_u64, 3, 10] {
        for window in [SECOND / 10, SECOND, 60 * SECOND] {
            for load in [1_u32, 2, 7] {
                let rule = Rule::per_key("key").limits([limit(requests, window)]);
                let app = fixture.app(RateLimits::new([rule]));
                let key = fixture.key().await;
                // `load` times as many as the limit lets through, over four windows.
                let sent = u32::try_from(requests).unwrap() * load * 4;
                let gap = window * 4 / sent;
                let mut passed: Vec<u32> = Vec::new();
                for n in 0..sent {
                    if send(&app, bearing(&key)).await.status == 200 {
                        passed.push(n);
                    }
                    fixture.hand.advance(gap);
                }
                let most = usize::try_from(2 * requests - 1).unwrap();
                for (n, start) in passed.iter().enumerate() {
                    let within = passed[n..].iter();
                    let within = within.take_while(|at| gap * (**at - start) < window);
                    assert!(
                        within.count() <= most,
                        "{requests} per {window:?} at {load}"
                    );
                }
                // N at once, and N more in each further window, but for what rounding costs.
                let least = if load == 1 {
                    sent
                } else {
                    u32::try_from(requests).unwrap() * 4
                };
                assert!(
                    passed.len() >= usize::try_from(least).unwrap() - 1,
                    "{} of {sent} for {requests} per {window:?} at {load}",
                    passed.len()
                );
            }
        }
    }
}
