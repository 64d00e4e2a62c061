//! What answers say of limits.

use axum::Router;
use axum::routing::get as route;
use keyward::{ApiKeyLayer, Denied, GrpcStatus};
use keyward_limits::{RateLimitLayer, RateLimits, Rule};

use crate::support::{Fixture, SECOND, bearing, limit, pass, send};

fn two() -> RateLimits {
    let limits = [limit(10, SECOND), limit(1_000, 24 * 3600 * SECOND)];
    RateLimits::new([Rule::per_key("key").limits(limits)])
}

/// `429-headers` and `sf-format`.
#[tokio::test]
async fn a_refusal_says_when_to_come_back() {
    let fixture = Fixture::new().await;
    let app = fixture.app(two());
    let key = fixture.key().await;
    assert_eq!(pass(&app, &key, 10).await, 10);
    let refused = send(&app, bearing(&key)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("retry-after"), "1");
    assert_eq!(refused.header("cache-control"), "no-store");
    assert_eq!(
        refused.header("ratelimit-policy"),
        r#""key/1s";q=10;w=1, "key/86400s";q=1000;w=86400"#
    );
    assert_eq!(
        refused.header("ratelimit"),
        r#""key/1s";r=0;t=1, "key/86400s";r=990;t=864"#
    );
    assert_eq!(refused.header("www-authenticate"), "");
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(
        refused.body,
        r#"{"title":"Too Many Requests","status":429,"code":"too_many_requests","detail":"There were too many requests."}"#
    );
}

/// `Retry-After` is never earlier than the reset that `RateLimit` tells of, however long it is.
#[tokio::test]
async fn retry_after_is_not_before_the_reset() {
    let fixture = Fixture::new().await;
    for window in [SECOND / 3, SECOND, 7 * SECOND, 86_400 * SECOND] {
        let app = fixture.app(RateLimits::new([
            Rule::per_key("k").limits([limit(2, window)])
        ]));
        let key = fixture.key().await;
        assert_eq!(pass(&app, &key, 2).await, 2);
        let refused = send(&app, bearing(&key)).await;
        let after: u64 = refused.header("retry-after").parse().unwrap();
        let reset = refused.header("ratelimit").rsplit("t=").next().unwrap();
        assert!(after >= reset.parse().unwrap());
        assert_eq!(after, (window / 2).as_secs_f64().ceil() as u64);
        // Whoever comes back then passes.
        fixture.hand.advance(SECOND * u32::try_from(after).unwrap());
        assert_eq!(send(&app, bearing(&key)).await.status, 200);
        let whole = window.subsec_nanos() == 0;
        assert_eq!(refused.header("ratelimit-policy").contains(";w="), whole);
    }
}

#[tokio::test]
async fn other_answers_say_nothing_unless_asked_to() {
    let fixture = Fixture::new().await;
    let key = fixture.key().await;
    let quiet = send(&fixture.app(two()), bearing(&key)).await;
    for name in ["ratelimit", "ratelimit-policy", "x-ratelimit-limit"] {
        assert_eq!(quiet.header(name), "");
    }
    let limits = || two().clock(fixture.clock.clone());
    let telling = fixture.app_with(RateLimitLayer::new(limits()).tell_always());
    let answer = send(&telling, bearing(&key)).await;
    assert_eq!(answer.status, 200);
    assert_eq!(
        answer.header("ratelimit"),
        r#""key/1s";r=9;t=1, "key/86400s";r=999;t=87"#
    );
    assert_eq!(answer.header("x-ratelimit-limit"), "");
    let everything = RateLimitLayer::new(limits()).tell_always().x_headers();
    let answer = send(&fixture.app_with(everything), bearing(&key)).await;
    assert_eq!(answer.header("x-ratelimit-limit"), "10");
    assert_eq!(answer.header("x-ratelimit-remaining"), "9");
    assert_eq!(answer.header("x-ratelimit-reset"), "1");
}

#[tokio::test]
async fn a_name_that_no_header_can_hold_does_no_harm() {
    let fixture = Fixture::new().await;
    let rule = Rule::per_key("a\"b\\c\r\né").limits([limit(1, SECOND)]);
    let app = fixture.app(RateLimits::new([rule]));
    let key = fixture.key().await;
    assert_eq!(pass(&app, &key, 1).await, 1);
    let refused = send(&app, bearing(&key)).await;
    assert_eq!(refused.header("ratelimit"), r#""a\"b\\c???";r=0;t=1"#);
}

#[tokio::test]
async fn the_hook_of_the_key_layer_answers() {
    let fixture = Fixture::new().await;
    let limits = RateLimits::new([Rule::per_key("key").limits([limit(1, SECOND)])]);
    let own = |denied: &Denied| {
        let mut response = axum::response::Response::new(axum::body::Body::from("later"));
        *response.status_mut() = http::StatusCode::from_u16(denied.kind().status()).unwrap();
        response
    };
    let app = Router::new()
        .route("/", route(async || "ok"))
        .layer(RateLimitLayer::new(limits.clone()).on_reject(GrpcStatus::new()))
        .layer(ApiKeyLayer::new(fixture.keys.verifier()).on_reject(own));
    let key = fixture.key().await;
    assert_eq!(send(&app, bearing(&key)).await.status, 200);
    let refused = send(&app, bearing(&key)).await;
    assert_eq!(
        (refused.status.as_u16(), refused.body.as_str()),
        (429, "later")
    );
    assert_eq!(refused.header("ratelimit"), r#""key";r=0;t=1"#);
}
