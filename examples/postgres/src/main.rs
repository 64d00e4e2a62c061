//! API keys in Postgres, on any number of instances side by side.
//!
//! Run with
//!
//! ```not_rust
//! export DATABASE_URL=postgres://postgres@localhost/postgres ADMIN_TOKEN=let-me-in
//! PORT=3000 cargo run --example postgres
//! PORT=3001 cargo run --example postgres   # in another terminal
//! ```
//!
//! and try the curl lines that they print, on either of them: a key that one has revoked, the other
//! refuses a moment later.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod admin;

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use keyward::{ApiKeyLayer, Health, Issued, KeyFormat, Keyward, NewKey, Principal, Scope};
use keyward_postgres::PostgresStore;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::admin::Admin;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = env::var("DATABASE_URL")
        .map_err(|_| "set DATABASE_URL, for example to postgres://postgres@localhost/postgres")?;
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;

    let store = PostgresStore::connect(&url)?;
    store.migrate().await?;
    let keys = Keyward::builder(store)
        .format(KeyFormat::new("acme_live")?)
        .node_name(format!("port {port}"))
        .start()
        .await?;

    let admin = Admin::from_env(keys.clone())?;
    let app = Router::new()
        .route("/whoami", get(whoami))
        .layer(ApiKeyLayer::new(keys.verifier()))
        // Added after the layer, so they ask for no key.
        .route("/healthz", get(healthz))
        .with_state(keys.clone())
        .route("/keys", post(admin::issue))
        .route("/keys/{id}", get(admin::show).delete(admin::revoke))
        .with_state(admin.clone());

    let demo = NewKey::named("a key to try").tenant("acme-inc");
    let demo = keys
        .issue(demo.scopes([Scope::from_static("reports:read")]))
        .await?;
    print_what_to_try(&demo, admin.token(), listener.local_addr()?);

    axum::serve(listener, app)
        .with_graceful_shutdown(asked_to_end())
        .await?;
    // Last uses are written down, and nobody waits for this node any more.
    keys.shutdown().await;
    Ok(())
}

async fn whoami(key: Principal) -> Json<Value> {
    let scopes: Vec<&str> = key.scopes().iter().map(Scope::as_str).collect();
    Json(json!({ "key_id": key.key_id().as_str(), "tenant": key.tenant(), "scopes": scopes }))
}

/// For a load balancer: requests go elsewhere while keys that are cached here cannot be believed.
async fn healthz(State(keys): State<Keyward>) -> (StatusCode, Json<Value>) {
    let health: Health = keys.health();
    let status = match health.is_serving() {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    let value = json!({
        "serving": health.is_serving(),
        "lease_left_ms": health.lease_left.as_millis() as u64,
        "lease_age_ms": health.lease_age.map(|age| age.as_millis() as u64),
        "hints": health.hints,
        "versions_behind": health.behind,
    });
    (status, Json(value))
}

async fn asked_to_end() {
    let mut end = match signal(SignalKind::terminate()) {
        Ok(end) => end,
        // Then it ends as it will.
        Err(_) => return std::future::pending().await,
    };
    tokio::select! {
        _ = end.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn print_what_to_try(demo: &Issued, token: &str, address: SocketAddr) {
    let (key, id) = (demo.secret.expose(), demo.key.id.as_str());
    println!("key: {key}");
    println!("id: {id}");
    println!();
    let bearer = format!("-H 'Authorization: Bearer {key}' http://{address}");
    let admin = format!("-H 'Admin-Token: {token}' http://{address}");
    let body = r#"{"name":"ci","tenant":"acme-inc","scopes":["reports:read"]}"#;
    let body = format!("-H 'Content-Type: application/json' -d '{body}'");
    for (what, line) in [
        ("who is it? 200", format!("{bearer}/whoami")),
        (
            "how is this instance? 200",
            format!("http://{address}/healthz"),
        ),
        ("another key, 201", format!("-X POST {body} {admin}/keys")),
        ("when was it used last? 200", format!("{admin}/keys/{id}")),
        (
            "the end of the key, on every instance, 200",
            format!("-X DELETE {admin}/keys/{id}?confirm=everywhere"),
        ),
        ("and from then on, 401", format!("{bearer}/whoami")),
    ] {
        println!("# {what}");
        println!("curl -i {line}");
    }
}
