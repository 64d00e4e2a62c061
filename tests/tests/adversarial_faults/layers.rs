//! What stands, or does not stand, around a handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::routing::get;
use axum::{Extension, Json, Router};
use keyward::{ApiKeyLayer, Principal, RequireScopes, Scope};
use keyward_throwaway::Database;
use serde_json::{Value, json};

use crate::support::{FORMATS, Server, Service, guarded, new_key, patient, unknown, whoami};

/// A principal that an outer layer put into the request opens no door, and is nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn principal_from_outside() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    let verifier = service.keys.verifier();
    let planted = service.known(FORMATS[0]).await.secret;
    let planted = verifier.verify(planted.expose().as_bytes()).await.unwrap();
    let new = new_key(FORMATS[0]).tenant("globex");
    let own = service.keys.issue(new).await.unwrap().secret;

    let server = Server::start(guarded(verifier.clone()).layer(Extension(planted.clone()))).await;
    let nothing = server.client().ask("GET", "/whoami", "").await.unwrap();
    assert_eq!(nothing.status, 401);
    assert_eq!(server.ask(&unknown(FORMATS[0])).await.status, 401);
    let answer = server.ask(&own).await;
    assert_eq!((answer.status, answer.body), (200, json!("globex")));

    // Where a credential may be missing, too.
    let optional = Router::new()
        .route("/whoami", get(maybe))
        .layer(ApiKeyLayer::new(verifier).optional())
        .layer(Extension(planted));
    let server = Server::start(optional).await;
    let nothing = server.client().ask("GET", "/whoami", "").await.unwrap();
    assert_eq!((nothing.status, nothing.body), (200, Value::Null));
    assert_eq!(server.ask(&unknown(FORMATS[0])).await.status, 401);
}

async fn maybe(key: Option<Principal>) -> Json<Option<String>> {
    Json(key.map(|key| key.tenant().to_owned()))
}

/// A handler that asks for a principal where no layer makes one is never called, whoever presents
/// what.
#[tokio::test(flavor = "multi_thread")]
async fn layer_missing() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    let good = service.known(FORMATS[0]).await.secret;
    let called = Arc::new(AtomicBool::new(false));
    let note = called.clone();
    let handler = async move |_key: Principal| note.store(true, Ordering::SeqCst);
    let bare = Router::new().route("/whoami", get(handler));
    let scoped = whoami().route_layer(RequireScopes::all([Scope::from_static("orders:read")]));
    for router in [bare, scoped] {
        let server = Server::start(router).await;
        assert_eq!(server.ask(&good).await.status, 500);
        assert_eq!(server.ask(&unknown(FORMATS[0])).await.status, 500);
        let nothing = server.client().ask("GET", "/whoami", "").await.unwrap();
        assert_eq!(nothing.status, 500);
    }
    assert!(!called.load(Ordering::SeqCst));
}
