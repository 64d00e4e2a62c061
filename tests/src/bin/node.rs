//! A node of a service for the tests that need several processes: keys in Postgres, over HTTP.
//!
//! It is told everything by the environment, prints its address in one line and serves until it is
//! killed, or asked to end.
#![expect(clippy::print_stdout, reason = "it tells its parent where it listens")]

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use keyward::{ApiKeyLayer, KeyFormat, KeyId, Keyward, LifecycleError, ListQuery, NewKey};
use keyward_postgres::PostgresStore;
use keyward_testkit::{Call, Fault, FaultStore};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let store = PostgresStore::connect(&env::var("DATABASE_URL")?)?;
    store.migrate().await?;
    let (store, faults) = FaultStore::new(store);
    if env::var("HINTS").is_ok_and(|hints| hints == "off") {
        // As if every notification were lost.
        faults.always(Call::Hint, Fault::Hang);
    }
    let keys = Keyward::builder(store)
        .format(KeyFormat::new("acme_live")?)
        .node_name(env::var("NAME")?)
        .start()
        .await?;
    let app = Router::new()
        .route("/whoami", get(async || "you"))
        .layer(ApiKeyLayer::new(keys.verifier()))
        .route("/keys", post(issue).get(list))
        .route("/keys/{id}", delete(revoke))
        .route("/healthz", get(healthz))
        .with_state(keys.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let mut end = signal(SignalKind::terminate())?;
    axum::serve(listener, app)
        .with_graceful_shutdown(async move {
            end.recv().await;
        })
        .await?;
    keys.shutdown().await;
    Ok(())
}

#[derive(Deserialize)]
struct Many {
    many: u32,
}

async fn issue(
    State(keys): State<Keyward>,
    Query(Many { many }): Query<Many>,
) -> (StatusCode, Json<Value>) {
    let mut issued = Vec::new();
    for _ in 0..many {
        match keys
            .issue(NewKey::named("under test").tenant("acme-inc"))
            .await
        {
            Ok(key) => issued.push(json!([key.key.id.as_str(), key.secret.expose()])),
            // Those that were acknowledged are told all the same.
            Err(error) => {
                return (
                    StatusCode::SERVICE_UNAVAILABLE,
                    Json(json!({ "issued": issued, "error": error.to_string() })),
                );
            }
        }
    }
    (StatusCode::CREATED, Json(json!({ "issued": issued })))
}

async fn list(State(keys): State<Keyward>) -> (StatusCode, Json<Value>) {
    match keys.list(&ListQuery::all()).await {
        Ok(page) => (StatusCode::OK, Json(json!({ "keys": page.keys.len() }))),
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "error": error.to_string() })),
        ),
    }
}

#[derive(Deserialize)]
struct How {
    confirm: Option<String>,
}

async fn revoke(
    State(keys): State<Keyward>,
    Path(id): Path<String>,
    Query(how): Query<How>,
) -> (StatusCode, Json<Value>) {
    let Ok(id) = KeyId::new(&id) else {
        return (StatusCode::NOT_FOUND, Json(json!({})));
    };
    let receipt = match how.confirm {
        None => keys.revoke(&id).await.map(|()| None),
        Some(_) => keys.revoke(&id).confirm_everywhere().await.map(Some),
    };
    match receipt {
        Ok(None) => (StatusCode::OK, Json(json!({}))),
        Ok(Some(receipt)) => {
            let nodes = receipt.nodes.iter();
            let nodes = nodes.map(|node| json!([&*node.node, node.outcome.as_str()]));
            let body = json!({
                "nodes": nodes.collect::<Vec<_>>(),
                "took_ms": Duration::as_millis(&receipt.took) as u64,
            });
            (StatusCode::OK, Json(body))
        }
        Err(LifecycleError::NotFound(_)) => (StatusCode::NOT_FOUND, Json(json!({}))),
        Err(error) => (
            StatusCode::SERVICE_UNAVAILABLE,
            Json(json!({ "error": error.to_string() })),
        ),
    }
}

async fn healthz(State(keys): State<Keyward>) -> (StatusCode, Json<Value>) {
    let health = keys.health();
    let status = match health.is_serving() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    (
        status,
        Json(json!({ "hints": health.hints, "behind": health.behind })),
    )
}
