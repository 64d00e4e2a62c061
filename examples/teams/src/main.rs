//! Members of teams manage their keys: roles, rotation with an overlap, suspension, and mails about
//! what happens.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example teams
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --example teams
//! ```
//!
//! and try the curl lines that it prints.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod manage;

use std::env;
use std::error::Error;
use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use axum::routing::{get, post};
use keyward::{
    Action, ApiKeyLayer, AuditAction, DeprecationLayer, Issued, KeyFormat, KeyStore, Keyward,
    LifecycleError, NewKey, Owner, Policy, Principal, Reach, Records, RequireScopes, Role, Scope,
    ScopeRule,
};
use keyward_memory::MemoryStore;
use keyward_postgres::PostgresStore;
use tokio::net::TcpListener;

const READ: Scope = Scope::from_static("orders:read");
const WRITE: Scope = Scope::from_static("orders:write");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let keys = match env::var("DATABASE_URL") {
        Err(_) => start(MemoryStore::default()).await?,
        Ok(url) => {
            let store = PostgresStore::connect(&url)?;
            store.migrate().await?;
            start(store).await?
        }
    };
    let from = keys.last_event().await?;
    tokio::spawn(send_mails(keys.clone(), from));

    let orders = get(list_orders)
        .layer(RequireScopes::all([READ]))
        .merge(post(add_order).layer(RequireScopes::all([WRITE])));
    let app = Router::new()
        .route("/orders", orders)
        .layer(DeprecationLayer::new())
        .layer(ApiKeyLayer::new(keys.verifier()))
        // Added after the layer: people sign in for these.
        .merge(manage::routes(keys.clone()));

    let ben = NewKey::named("a key to try").tenant("acme-inc");
    let ben = ben.owner(Owner::new("user", "ben")).role("member");
    let demo = keys.issue(ben.scopes([READ])).await?;
    print_what_to_try(&demo, listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn start(store: impl KeyStore + Records) -> Result<Keyward, Box<dyn Error>> {
    let policy = Policy::new()
        .role(
            Role::named("admin")
                .grants([READ, WRITE])
                .manages(Reach::Tenant),
        )
        .role(
            Role::named("member")
                .grants([READ, WRITE])
                .manages(Reach::Own),
        )
        .role(Role::named("viewer").may(Action::See, Reach::Tenant))
        .scope_rule(ScopeRule::Inherited);
    let keys = Keyward::builder(store)
        .format(KeyFormat::new("acme_live")?)
        .policy(policy)
        .keys_per_owner(10)
        .notice_before_end(Duration::from_secs(7 * 24 * 3600));
    Ok(keys.start().await?)
}

async fn list_orders(key: Principal) -> String {
    format!("the orders of {}\n", key.tenant())
}

async fn add_order(key: Principal) -> String {
    format!("another order of {}\n", key.tenant())
}

/// At least one mail about each event. A product keeps the position of the last one that was sent, and
/// goes on there after a restart.
async fn send_mails(keys: Keyward, from: u64) -> Result<(), LifecycleError> {
    let mut events = keys.events_after(from);
    loop {
        let event = match events.next().await {
            Ok(event) => event.record,
            Err(error) => {
                println!("mails wait: {error}");
                tokio::time::sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let subject = match event.action {
            AuditAction::ExpiresSoon => "your key expires soon",
            AuditAction::UsedLate => "the old key is still in use, and ends soon",
            AuditAction::UsedWhenRetired => "someone has used a key that was replaced",
            AuditAction::Refused => "someone wanted a key that they may not have",
            other => other.as_str(),
        };
        let to = event
            .owner
            .map_or("the team".to_owned(), |to| to.to_string());
        println!("mail to {to}: {subject}");
    }
}

fn print_what_to_try(demo: &Issued, address: SocketAddr) {
    let (key, id) = (demo.secret.expose(), demo.key.id.as_str());
    println!("key: {key}");
    println!("id: {id}");
    println!();
    let bearer = format!("-H 'Authorization: Bearer {key}' http://{address}/orders");
    let ada = format!("-H 'Demo-User: ada:admin@acme-inc' http://{address}/keys");
    let eve = format!("-H 'Demo-User: eve:admin@evil-inc' http://{address}/keys");
    let body = r#"-H 'Content-Type: application/json' -d '{"name":"ci"}'"#;
    for (what, line) in [
        ("the key at work, 200", bearer.clone()),
        ("it may not write, 403", format!("-X POST {bearer}")),
        ("the keys of the team, 200", ada.clone()),
        ("another one, 201", format!("-X POST {body} {ada}")),
        (
            "to others it is not there, 404",
            format!("-X POST {eve}/{id}/rotate"),
        ),
        (
            "nobody in may use it, 204",
            format!("-X POST {ada}/{id}/suspend"),
        ),
        ("they may again, 204", format!("-X POST {ada}/{id}/resume")),
        (
            "a new key in its place; both work for a minute, and answers to the old one say so, 201",
            format!("-X POST {ada}/{id}/rotate?overlap=60"),
        ),
        ("not after all, 204", format!("-X POST {ada}/{id}/undo")),
        ("what has happened, 200", format!("{ada}/{id}/events")),
        ("the end of it, 204", format!("-X DELETE {ada}/{id}")),
    ] {
        println!("# {what}");
        println!("curl -i {line}");
    }
}
