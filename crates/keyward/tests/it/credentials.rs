//! Where a key may stand, and what becomes of it.

use axum::Router;
use axum::routing::get as route;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, header};
use keyward::{Principal, Sources};

use crate::support::{Fixture, get, send, status};

fn ok(fixture: &Fixture, sources: Sources) -> Router {
    let layer = fixture.layer().sources(sources);
    Router::new()
        .route("/", route(async |_: Principal| "ok"))
        .layer(layer)
}

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

#[tokio::test]
async fn a_header_of_ones_own_is_a_source() {
    let fixture = Fixture::new().await;
    let app = ok(&fixture, Sources::bearer().and_header(API_KEY));
    let (bearer, key) = (fixture.bearer(), fixture.secret());
    let sent = async |headers: &[(&str, &str)]| send(&app, get("/", headers)).await.status.as_u16();
    assert_eq!(sent(&[("x-api-key", key)]).await, 200);
    assert_eq!(sent(&[("authorization", &bearer)]).await, 200);
    assert_eq!(
        sent(&[("x-api-key", key), ("authorization", &bearer)]).await,
        400
    );
    assert_eq!(sent(&[("x-api-key", key), ("x-api-key", key)]).await, 400);
    assert_eq!(sent(&[("x-api-key", "no key")]).await, 401);
    assert_eq!(sent(&[("x-api-key", "")]).await, 401);
    // Another scheme is no credential of ours.
    assert_eq!(
        sent(&[("x-api-key", key), ("authorization", "Basic eDp5")]).await,
        200
    );
    assert_eq!(sent(&[]).await, 401);
}

#[tokio::test]
async fn what_is_no_source_is_not_looked_at() {
    let fixture = Fixture::new().await;
    let app = ok(&fixture, Sources::none().and_header(API_KEY));
    assert_eq!(status(&app, &fixture.bearer()).await, 401);
    let app = ok(&fixture, Sources::bearer());
    let request = get("/", &[("x-api-key", fixture.secret())]);
    assert_eq!(send(&app, request).await.status, 401);
}

#[tokio::test]
async fn basic_has_the_key_as_password_or_as_user() {
    let fixture = Fixture::new().await;
    let app = ok(&fixture, Sources::bearer().and_basic());
    let key = fixture.secret();
    let basic = |pair: String| format!("Basic {}", STANDARD.encode(pair));
    for (pair, expected) in [
        (format!("{key}:"), 200),
        (format!("x-access-token:{key}"), 200),
        (format!(":{key}"), 200),
        (format!("{key}:other"), 401),
        (":".to_owned(), 401),
        (format!("{key}:{}", "a".repeat(600)), 401),
    ] {
        assert_eq!(status(&app, &basic(pair)).await, expected);
    }
    for malformed in ["Basic", "Basic ", "Basic !", "Basic YQ==", "basic a b"] {
        assert_eq!(status(&app, malformed).await, 400, "{malformed}");
    }
    assert_eq!(
        status(&app, &basic(format!("{key}:")).replace("Basic", "bAsIc  ")).await,
        200
    );
    assert_eq!(status(&app, &fixture.bearer()).await, 200);
}

#[tokio::test]
async fn the_handler_does_not_see_the_credential_unless_it_is_to() {
    let fixture = Fixture::new().await;
    let seen = async |headers: HeaderMap| match headers.get(header::AUTHORIZATION) {
        Some(value) => format!("{value:?}"),
        None => "gone".to_owned(),
    };
    let app = |layer| Router::new().route("/", route(seen)).layer(layer);
    let removed = app(fixture.layer());
    let kept = app(fixture.layer().keep_credential());
    // Once from the store, and once from the cache.
    for _ in 0..2 {
        assert_eq!(send(&removed, fixture.request()).await.body, "gone");
        assert_eq!(send(&kept, fixture.request()).await.body, "Sensitive");
    }
    let other = keyward::ApiKeyLayer::new(fixture.keys.verifier()).keep_credential();
    let fresh = Fixture::new().await;
    let kept = Router::new().route("/", route(seen)).layer(other);
    assert_eq!(send(&kept, fresh.request()).await.status, 401);
}
