//! What clients are told of a key that has been replaced.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::routing::get as route;
use keyward::{DeprecationLayer, RequireScopes};

use crate::support::{Fixture, READ, get, send};

#[tokio::test]
async fn an_old_key_is_told_when_it_ends() {
    let fixture = Fixture::new().await;
    let app = Router::new()
        .route("/", route(async || "ok"))
        .route_layer(RequireScopes::all([READ]))
        .layer(DeprecationLayer::new())
        .layer(fixture.layer());
    let fresh = send(&app, fixture.request()).await;
    assert_eq!(fresh.status, 200);
    assert!(fresh.headers.get("deprecation").is_none() && fresh.headers.get("sunset").is_none());

    let week = Duration::from_secs(7 * 24 * 3600);
    let old = &fixture.key.key.id;
    let new = fixture.keys.rotate(old).overlap(week).await.unwrap();
    fixture.watch.issued(&new);
    let record = fixture.keys.get(old).await.unwrap().unwrap().record;
    let successor = record.successor.unwrap();
    for _cached in [false, true] {
        let answer = send(&app, fixture.request()).await;
        assert_eq!(answer.status, 200);
        let since = successor.since.duration_since(SystemTime::UNIX_EPOCH);
        let expected = format!("@{}", since.unwrap().as_secs());
        assert_eq!(answer.headers["deprecation"], expected.as_str());
        let sunset = answer.headers["sunset"].to_str().unwrap();
        let sunset = httpdate::parse_http_date(sunset).unwrap();
        let early = successor.until.duration_since(sunset).unwrap();
        assert!(early < Duration::from_secs(1), "{early:?}");
    }
    let bearer = format!("Bearer {}", new.secret.expose());
    let replacing = send(&app, get("/", &[("authorization", &bearer)])).await;
    assert_eq!(replacing.status, 200);
    assert!(replacing.headers.get("sunset").is_none());

    fixture.keys.undo_rotation(old).await.unwrap();
    let restored = send(&app, fixture.request()).await;
    assert_eq!(restored.status, 200);
    assert!(restored.headers.get("deprecation").is_none());
}
