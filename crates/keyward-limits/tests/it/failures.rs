//! Failed attempts, by address.

use axum::Router;
use axum::routing::get as route;
use keyward::ApiKeyLayer;
use keyward_limits::{FailureLimitLayer, TrustedProxies};

use crate::support::{Fixture, SECOND, address, bearing, from, limit, send, with};

fn app(fixture: &Fixture) -> Router {
    let proxies = TrustedProxies::new(["10.0.0.0/8".parse().unwrap()]);
    let client = move |parts: &http::request::Parts| {
        let peer = address(parts)?;
        Some(proxies.client(peer, &parts.headers))
    };
    let failures = FailureLimitLayer::new(limit(5, 60 * SECOND), client);
    Router::new()
        .route("/", route(async || "ok"))
        .layer(ApiKeyLayer::new(fixture.keys.verifier()))
        .layer(failures.clock(fixture.clock.clone()))
}

const BAD: (&str, &str) = ("authorization", "Bearer acme_live_0000000aB1c_bad");

#[tokio::test]
async fn failures_are_limited_and_good_keys_are_not() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let key = fixture.key().await;
    let revoked = fixture.key().await;
    fixture.keys.revoke(&revoked.key.id).await.unwrap();
    for n in 0..20 {
        let bad = if n % 2 == 0 {
            with(&[BAD])
        } else {
            bearing(&revoked)
        };
        let answer = send(&app, from(bad, "192.0.2.1")).await;
        assert_eq!(answer.status, if n < 5 { 401 } else { 429 }, "{n}");
        if n >= 5 {
            assert_eq!(answer.header("retry-after"), "12");
            assert_eq!(answer.header("cache-control"), "no-store");
        }
        // The good key of a neighbour is never locked out.
        let good = send(&app, from(bearing(&key), "192.0.2.1")).await;
        assert_eq!(good.status, 200);
    }
    let elsewhere = send(&app, from(with(&[BAD]), "192.0.2.2")).await;
    assert_eq!(elsewhere.status, 401);
    fixture.hand.advance(12 * SECOND);
    assert_eq!(
        send(&app, from(with(&[BAD]), "192.0.2.1")).await.status,
        401
    );
    assert_eq!(
        send(&app, from(with(&[BAD]), "192.0.2.1")).await.status,
        429
    );
}

/// Whoever sends no key has not failed.
#[tokio::test]
async fn a_request_without_a_key_is_no_failure() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    for _ in 0..20 {
        assert_eq!(send(&app, from(with(&[]), "192.0.2.1")).await.status, 401);
    }
}

/// `xff-rotate`: what the client says of itself is not its address.
#[tokio::test]
async fn another_forwarded_for_each_time_does_not_help() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let mut refused = 0;
    for n in 0..1_000 {
        let forged = format!("198.51.{}.{}", n / 250, n % 250);
        let request = with(&[BAD, ("x-forwarded-for", &forged)]);
        let answer = send(&app, from(request, "192.0.2.1")).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 995);
    // Behind one's own proxy, the hop that it wrote counts, and what stands left of it does not.
    let mut refused = 0;
    for n in 0..1_000 {
        let hops = format!("198.51.{}.{}, 203.0.113.9", n / 250, n % 250);
        let request = with(&[BAD, ("x-forwarded-for", &hops)]);
        let answer = send(&app, from(request, "10.0.0.1")).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 995);
}

/// One subscriber of IPv6 has 2^64 addresses at least.
#[tokio::test]
async fn a_network_of_ipv6_counts_as_one() {
    let fixture = Fixture::new().await;
    let app = app(&fixture);
    let mut refused = 0;
    for n in 0..100 {
        let address = format!("2001:db8:1:2:{n:x}::1");
        let answer = send(&app, from(with(&[BAD]), &address)).await;
        refused += usize::from(answer.status == 429);
    }
    assert_eq!(refused, 95);
    let neighbour = send(&app, from(with(&[BAD]), "2001:db8:1:3::1")).await;
    assert_eq!(neighbour.status, 401);
}
