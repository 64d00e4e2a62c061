//! Requests that must not bear a key.

use axum::Router;
use axum::body::Body;
use axum::routing::get as route;
use http::{Method, Request};
use keyward::{ApiKeyLayer, Sources};
use keyward_limits::GuardLayer;

use crate::support::{Fixture, bearing, send, with};

fn app(fixture: &Fixture, guard: GuardLayer) -> Router {
    Router::new()
        .route("/", route(async || "ok"))
        .layer(ApiKeyLayer::new(fixture.keys.verifier()).optional())
        .layer(guard)
}

#[tokio::test]
async fn a_browser_may_not_bear_a_key() {
    let fixture = Fixture::new().await;
    let app = app(&fixture, GuardLayer::new().no_browsers());
    let key = fixture.key().await;
    assert_eq!(send(&app, bearing(&key)).await.status, 200);
    let by_browser = [
        ("origin", "https://app.example"),
        ("origin", "null"),
        ("sec-fetch-site", "same-origin"),
        ("sec-fetch-site", "none"),
    ];
    for (name, value) in by_browser {
        let good = format!("Bearer {}", key.secret.expose());
        for bearer in [good.as_str(), "Bearer bad", "Bearer ", "bearer\tx y"] {
            let answer = send(&app, with(&[("authorization", bearer), (name, value)])).await;
            assert_eq!(answer.status, 403, "{bearer}");
            assert!(answer.body.contains(r#""code":"browser_not_allowed""#));
            assert!(!answer.body.contains(key.secret.expose()));
        }
        // Without a key it is nobody's business.
        assert_eq!(send(&app, with(&[(name, value)])).await.status, 200);
        let basic = [("authorization", "Basic dTpw"), (name, value)];
        assert_eq!(send(&app, with(&basic)).await.status, 200);
    }
    // What clients on servers send.
    let server = [
        ("authorization", format!("Bearer {}", key.secret.expose())),
        ("sec-fetch-mode", "cors".to_owned()),
        ("user-agent", "node".to_owned()),
    ];
    let server: Vec<_> = server
        .iter()
        .map(|(name, value)| (*name, value.as_str()))
        .collect();
    assert_eq!(send(&app, with(&server)).await.status, 200);
}

/// A preflight bears no key, and is the CORS layer's to answer.
#[tokio::test]
async fn a_preflight_passes() {
    let fixture = Fixture::new().await;
    let app = app(&fixture, GuardLayer::new().no_browsers());
    let preflight = Request::builder()
        .method(Method::OPTIONS)
        .uri("/")
        .header("origin", "https://app.example")
        .header("access-control-request-method", "GET")
        .header("access-control-request-headers", "authorization")
        .body(Body::empty())
        .unwrap();
    // Here nobody answers it: there is no such method.
    assert_eq!(send(&app, preflight).await.status, 405);
}

/// `http-plaintext`: good and bad keys are refused alike.
#[tokio::test]
async fn a_key_must_not_come_in_the_clear() {
    let fixture = Fixture::new().await;
    let is_encrypted = |parts: &http::request::Parts| {
        let scheme = parts.headers.get("x-forwarded-proto");
        scheme.is_some_and(|scheme| scheme == "https")
    };
    let app = app(&fixture, GuardLayer::new().encrypted_only(is_encrypted));
    let key = fixture.key().await;
    let good = format!("Bearer {}", key.secret.expose());
    let mut answers = Vec::new();
    for bearer in [good.as_str(), "Bearer bad"] {
        let clear = send(&app, with(&[("authorization", bearer)])).await;
        assert_eq!(clear.status, 403);
        assert_eq!(clear.header("location"), "");
        answers.push((clear.body, clear.headers));
    }
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0].0.contains(r#""code":"encryption_required""#));
    let encrypted = [
        ("authorization", good.as_str()),
        ("x-forwarded-proto", "https"),
    ];
    assert_eq!(send(&app, with(&encrypted)).await.status, 200);
    assert_eq!(send(&app, with(&[])).await.status, 200);
}

#[tokio::test]
async fn keys_are_looked_for_where_they_may_stand() {
    let fixture = Fixture::new().await;
    let header = Sources::none().and_header(http::HeaderName::from_static("x-api-key"));
    let app = app(&fixture, GuardLayer::new().no_browsers().sources(header));
    let origin = ("origin", "https://app.example");
    let answer = send(&app, with(&[("x-api-key", "anything"), origin])).await;
    assert_eq!(answer.status, 403);
    let answer = send(&app, with(&[("x-other", "anything"), origin])).await;
    assert_eq!(answer.status, 200);
}
