//! Cotizera: keys that exist already, with bcrypt hashes, and a contract of its own for managing them.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example cotizera
//! IMPORT=keys.jsonl DATABASE_URL=postgres://postgres@localhost/postgres cargo run --example cotizera
//! ```
//!
//! and try the curl lines that it prints. `IMPORT` names a file with a key on each line:
//! `{"name","prefix","hash","tenant","user","role"}`.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod contract;
mod import;
mod quotes;

use std::env;
use std::error::Error;

use axum::routing::{get, post};
use axum::{Router, middleware};
use keyward::{
    Actor, Alphabet, ApiKeyLayer, KeyFormat, KeyStore, Keyward, Owner, Policy, Reach, Records,
    RequireScopes, Role, Scope, ScopeRule,
};
use keyward_admin::Admin;
use keyward_example_demo::shell::{BEARER, by, create};
use keyward_example_demo::{Demo, User};
use keyward_import::Bcrypt;
use keyward_memory::MemoryStore;
use keyward_page::Page;
use keyward_postgres::PostgresStore;
use tokio::net::TcpListener;

use crate::contract::Contract;

const READ: Scope = Scope::from_static("quotes:read");
const WRITE: Scope = Scope::from_static("quotes:write");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let old = import::bcrypt()?;
    let keys = match env::var("DATABASE_URL") {
        Err(_) => start(MemoryStore::default(), old.clone()).await?,
        Ok(url) => {
            let store = PostgresStore::connect(&url)?;
            store.migrate().await?;
            start(store, old.clone()).await?
        }
    };
    let demo = Demo::new(keys.clone());
    if let Ok(file) = env::var("IMPORT") {
        import::all(&keys, &old, &demo, &file).await?;
    }
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?.to_string();
    print_what_to_try(&address);
    axum::serve(listener, app(keys, &demo, &address)).await?;
    Ok(())
}

/// Owners manage keys. What a key may do follows from the role of the user who has created it.
fn policy() -> Policy {
    let owner = Role::named("owner").grants([READ, WRITE]);
    Policy::new()
        .role(owner.manages(Reach::Tenant))
        .role(Role::named("member").grants([READ]))
        .scope_rule(ScopeRule::Inherited)
}

async fn start(store: impl KeyStore + Records, old: Bcrypt) -> Result<Keyward, Box<dyn Error>> {
    // `ctza_` and 40 hexadecimal digits; lists show the first nine characters.
    let format = KeyFormat::builder("ctza")
        .without_public_id()
        .secret(Alphabet::Hex, 40)
        .without_checksum()
        .hint(9)
        .build()?;
    let keys = Keyward::builder(store).format(format).policy(policy());
    // A key with an old hash is compared with it once, and kept by a fast one from then on.
    Ok(keys.foreign(old).upgrade_foreign().start().await?)
}

fn app(keys: Keyward, demo: &Demo, address: &str) -> Router {
    let quotes = get(quotes::list)
        .layer(RequireScopes::all([READ]))
        .merge(post(quotes::add).layer(RequireScopes::all([WRITE])));
    let api = Router::new()
        .route("/quotes", quotes)
        .with_state(quotes::Quotes::default())
        .route_layer(ApiKeyLayer::new(keys.verifier()));

    let contract = Contract::new(keys.clone(), demo.actors(user));
    let contract = middleware::from_fn_with_state(contract, contract::answer);
    let admin = Admin::new(keys.clone(), demo.actors(user)).router();
    let page = Page::new(keys, demo.actors(user)).try_at(format!("http://{address}/api/v1/quotes"));
    Router::new()
        .nest("/api/v1", api)
        .nest("/api", admin.layer(contract))
        .merge(page.at("/settings/api-keys"))
        .merge(demo.routes())
}

/// A user of a tenant, as those see them who decide about keys.
fn user(user: User) -> Actor {
    Actor::user(Owner::new("user", user.name), user.tenant).role(user.role)
}

/// Lines for one shell.
fn print_what_to_try(address: &str) {
    let keys = format!("http://{address}/api/api-keys");
    let quotes = format!("http://{address}/api/v1/quotes");
    let (olga, max) = (by("olga:owner@acme"), by("max:member@acme"));
    let new = r#"{"name":"Zapier","expiresAt":"2099-01-01T00:00:00Z"}"#;
    println!("Settings: http://{address}/demo/login?as=olga:owner@acme");
    for (what, line) in [
        (
            "an owner creates a key",
            create("olga:owner@acme", new, &keys),
        ),
        ("the quotes, 200", format!("curl -i {BEARER} {quotes}")),
        (
            "all keys of the tenant, 200",
            format!("curl -i {olga} {keys}"),
        ),
        ("not for members, 403", format!("curl -i {max} {keys}")),
        (
            "the end of the key, 200",
            format!("curl -i {olga} -X DELETE {keys}/$ID"),
        ),
        ("from then on, 401", format!("curl -i {BEARER} {quotes}")),
    ] {
        println!("# {what}\n{line}");
    }
}
