//! What a route may ask of a key.

use axum::Router;
use axum::routing::{MethodRouter, get as route};
use keyward::{RequireScopes, Scope};

use crate::support::{Fixture, READ, WRITE, get, send};

fn ok() -> MethodRouter {
    route(async || "ok")
}

#[tokio::test]
async fn all_any_none_and_both() {
    let fixture = Fixture::new().await;
    let all = |scopes: &[Scope]| ok().route_layer(RequireScopes::all(scopes.to_vec()));
    let any = |scopes: &[Scope]| ok().route_layer(RequireScopes::any(scopes.to_vec()));
    let stacked = all(&[READ]).route_layer(RequireScopes::all([WRITE]));
    let app = Router::new()
        .route("/all", all(&[READ, WRITE]))
        .route("/twice", all(&[READ, READ]))
        .route("/any", any(&[READ, WRITE]))
        .route("/none-of-all", all(&[]))
        .route("/none-of-any", any(&[]))
        .route("/stacked", stacked)
        .layer(fixture.layer());
    let key = fixture.bearer();
    for (path, expected, needs) in [
        ("/all", 403, Some("docs:read docs:write")),
        ("/twice", 200, None),
        ("/any", 200, None),
        ("/none-of-all", 403, Some("")),
        ("/none-of-any", 403, Some("")),
        ("/stacked", 403, Some("docs:write")),
    ] {
        let answer = send(&app, get(path, &[("authorization", &key)])).await;
        assert_eq!(answer.status.as_u16(), expected, "{path}");
        if let Some(needs) = needs {
            let scope = format!("scope=\"{needs}\"");
            assert!(
                answer.challenge().unwrap().ends_with(&scope),
                "{:?}",
                answer.challenge()
            );
        }
    }
}

#[tokio::test]
async fn unknown_paths_stay_unknown_behind_a_route_layer() {
    let fixture = Fixture::new().await;
    let behind = Router::new().route("/", ok()).route_layer(fixture.layer());
    let around = Router::new().route("/", ok()).layer(fixture.layer());
    assert_eq!(send(&behind, get("/nowhere", &[])).await.status, 404);
    assert_eq!(send(&around, get("/nowhere", &[])).await.status, 401);
    assert_eq!(send(&behind, get("/", &[])).await.status, 401);
}
