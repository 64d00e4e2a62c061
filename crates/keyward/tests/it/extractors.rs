//! `Principal` and `Option<Principal>` as arguments of handlers.

use axum::Router;
use axum::routing::get as route;
use http::header;
use keyward::{Principal, RequireScopes};

use crate::support::{Fixture, READ, get, send, status};

async fn required(key: Principal) -> String {
    key.tenant().to_owned()
}

async fn optional(key: Option<Principal>) -> String {
    key.map_or_else(|| "anonymous".to_owned(), |key| key.tenant().to_owned())
}

fn routes() -> Router {
    let scoped = route(async || "ok").route_layer(RequireScopes::any([READ]));
    Router::new()
        .route("/", route(optional))
        .route("/required", route(required))
        .route("/scoped", scoped)
}

#[tokio::test]
async fn absent_is_anonymous_and_bad_is_refused() {
    let fixture = Fixture::new().await;
    let app = routes().layer(fixture.layer().optional());
    assert_eq!(send(&app, get("/", &[])).await.body, "anonymous");
    assert_eq!(send(&app, fixture.request()).await.body, "acme");
    assert_eq!(status(&app, "Bearer x").await, 401);
    assert_eq!(status(&app, "Bearer a,b").await, 400);
    // Another scheme may be someone else's: a session's, a proxy's.
    assert_eq!(status(&app, "Basic eDp5").await, 200);
    for path in ["/required", "/scoped"] {
        let answer = send(&app, get(path, &[])).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code().as_str()),
            (401, "no_credential")
        );
        assert_eq!(answer.challenge(), Some("Bearer realm=\"api\""));
    }
}

#[tokio::test]
async fn a_forgotten_layer_is_found_out() {
    let app = routes();
    for path in ["/", "/required", "/scoped"] {
        let answer = send(&app, get(path, &[])).await;
        assert_eq!(answer.status, 500, "{path}");
        assert!(answer.body.contains("ApiKeyLayer"), "{}", answer.body);
        assert_eq!(answer.header(header::CACHE_CONTROL), Some("no-store"));
    }
}

/// Whatever stood in the extensions before, the layer's word counts.
#[tokio::test]
async fn a_principal_from_outside_is_no_principal() {
    let (fixture, other) = (Fixture::new().await, Fixture::new().await);
    let credential = other.secret().as_bytes();
    let foreign = other.keys.verifier().verify(credential).await.unwrap();
    let smuggled = |mut request: http::Request<axum::body::Body>| {
        request.extensions_mut().insert(foreign.clone());
        request
    };
    let strict = routes().layer(fixture.layer());
    assert_eq!(send(&strict, smuggled(get("/", &[]))).await.status, 401);
    let lenient = routes().layer(fixture.layer().optional());
    assert_eq!(
        send(&lenient, smuggled(get("/", &[]))).await.body,
        "anonymous"
    );
    assert_eq!(
        send(&lenient, smuggled(get("/required", &[]))).await.status,
        401
    );
}
