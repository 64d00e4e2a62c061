//! API keys for an axum service.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example quickstart
//! ```
//!
//! and try the curl lines that it prints. `PORT` chooses another port than 3000.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use keyward::{ApiKeyLayer, KeyFormat, Keyward, NewKey, Principal, RequireScopes, Scope, Scopes};
use keyward_memory::MemoryStore;
use serde_json::{Value, json};

const READ: Scope = Scope::from_static("reports:read");
const WRITE: Scope = Scope::from_static("reports:write");

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("acme_live")?)
        .start()
        .await?;

    let new = NewKey::named("quickstart")
        .tenant("acme-inc")
        .scopes([READ]);
    let issued = keys.issue(new).await?;

    let reading = get(read_reports).route_layer(RequireScopes::all([READ]));
    let writing = post(write_report).route_layer(RequireScopes::all([WRITE]));
    let app = Router::new()
        .route("/whoami", get(whoami))
        .route("/reports", reading.merge(writing))
        .route("/revoke-me", post(revoke_me))
        .layer(ApiKeyLayer::new(keys.verifier()))
        // Added after the layer, so it asks for no key.
        .route("/healthz", get(async || "ok"))
        .with_state(keys);

    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = tokio::net::TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    print_what_to_try(issued.secret.expose(), listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn whoami(key: Principal) -> Json<Value> {
    Json(json!({
        "key_id": key.key_id().as_str(),
        "tenant": key.tenant(),
        "scopes": words(key.scopes()),
    }))
}

async fn read_reports(key: Principal) -> Json<Value> {
    Json(json!({ "tenant": key.tenant(), "reports": ["2026-10", "2026-11"] }))
}

async fn write_report() -> &'static str {
    "written"
}

async fn revoke_me(State(keys): State<Keyward>, key: Principal) -> (StatusCode, Json<Value>) {
    match keys.revoke(key.key_id()).await {
        Ok(()) => (StatusCode::OK, Json(json!({ "revoked": true }))),
        Err(error) => {
            let problem = json!({ "revoked": false, "error": error.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(problem))
        }
    }
}

fn words(scopes: &Scopes) -> Vec<&str> {
    scopes.iter().map(Scope::as_str).collect()
}

fn print_what_to_try(key: &str, address: std::net::SocketAddr) {
    println!("key: {key}");
    println!();
    let header = format!("-H 'Authorization: Bearer {key}'");
    for (what, line) in [
        (
            "who is it? 200",
            format!("{header} http://{address}/whoami"),
        ),
        (
            "with the scope, 200",
            format!("{header} http://{address}/reports"),
        ),
        (
            "without the scope, 403",
            format!("-X POST {header} http://{address}/reports"),
        ),
        ("without a key, 401", format!("http://{address}/whoami")),
        ("no key needed, 200", format!("http://{address}/healthz")),
        (
            "the end of the key, 200",
            format!("-X POST {header} http://{address}/revoke-me"),
        ),
        (
            "and from then on, 401",
            format!("{header} http://{address}/whoami"),
        ),
    ] {
        println!("# {what}");
        println!("curl -i {line}");
    }
}
