//! Katalo: keys of an organization, for its servers alone, named after an integration or environment.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example katalo
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --example katalo
//! ```
//!
//! and try the curl lines that it prints.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod items;

use std::env;
use std::error::Error;

use axum::Router;
use axum::routing::{get, post};
use keyward::{
    Actor, Alphabet, ApiKeyLayer, FormatError, IdShape, KeyFormat, KeyStore, Keyward, Owner,
    Policy, Reach, Records, Role,
};
use keyward_admin::Admin;
use keyward_example_demo::shell::{BEARER, by, create};
use keyward_example_demo::{Demo, User};
use keyward_limits::GuardLayer;
use keyward_memory::MemoryStore;
use keyward_page::Page;
use keyward_postgres::PostgresStore;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let keys = match env::var("DATABASE_URL") {
        Err(_) => start(MemoryStore::default()).await?,
        Ok(url) => {
            let store = PostgresStore::connect(&url)?;
            store.migrate().await?;
            start(store).await?
        }
    };
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?.to_string();
    print_what_to_try(&address);
    axum::serve(listener, app(keys, &address)).await?;
    Ok(())
}

/// A key opens every endpoint, and belongs to the organization: it outlives whoever has made it.
async fn start(store: impl KeyStore + Records) -> Result<Keyward, Box<dyn Error>> {
    let policy = Policy::new()
        .role(Role::named("admin").manages(Reach::Tenant))
        .unowned();
    let keys = Keyward::builder(store)
        .format(format("kat_live")?)
        .format(format("kat_test")?)
        .policy(policy);
    Ok(keys.start().await?)
}

/// `kat_live_<publicKeyId>.<secret>`
fn format(prefix: &str) -> Result<KeyFormat, FormatError> {
    KeyFormat::builder(prefix)
        .public_id(IdShape::Characters(12))
        .separator('.')
        .secret(Alphabet::Base62, 32)
        .build()
}

fn app(keys: Keyward, address: &str) -> Router {
    let api = Router::new()
        .route("/v1/items", post(items::create))
        .route("/v1/items/{id}", get(items::read))
        .route("/v1/items/{id}/regenerate", post(items::regenerate))
        .route("/v1/usage", get(items::usage))
        .route("/v1/billing", get(items::billing))
        .with_state(items::Items::default())
        .route_layer(ApiKeyLayer::new(keys.verifier()))
        // From a page, an app or an extension, a good key is refused as well: it has leaked.
        .route_layer(GuardLayer::new().no_browsers());

    let demo = Demo::new(keys.clone());
    let admin = Admin::new(keys.clone(), demo.actors(admin))
        .environment("live", "kat_live")
        .environment("test", "kat_test");
    let page = Page::new(keys, demo.actors(self::admin))
        .try_at(format!("http://{address}/v1/usage"))
        .environment("live", "kat_live")
        .environment("test", "kat_test");
    Router::new()
        .merge(api)
        .nest("/api", admin.router())
        .merge(page.at("/settings/api-keys"))
        .merge(demo.routes())
}

/// An administrator of an organization, as those see them who decide about keys.
fn admin(user: User) -> Actor {
    Actor::user(Owner::new("user", user.name), user.tenant).role(user.role)
}

/// Lines for one shell.
fn print_what_to_try(address: &str) {
    let keys = format!("http://{address}/api/api-keys");
    let ann = by("ann:admin@acme");
    let live = r#"{"name":"Shop backend","environment":"live"}"#;
    let (item, hour) = (r#"{"title":"Lamp"}"#, r#"{"overlapSeconds":3600}"#);
    let json = "-H 'Content-Type: application/json'";
    let (items, usage) = (
        format!("http://{address}/v1/items"),
        format!("http://{address}/v1/usage"),
    );
    println!("Settings: http://{address}/demo/login?as=ann:admin@acme");
    for (what, line) in [
        (
            "a key of the organization",
            create("ann:admin@acme", live, &keys),
        ),
        (
            "an item, 201",
            format!("curl -i {BEARER} {json} -d '{item}' {items}"),
        ),
        (
            "not from a browser, 403",
            format!("curl -i {BEARER} -H 'Origin: https://shop.example' {usage}"),
        ),
        (
            "a new key in its place, 201",
            format!("curl -i {ann} -d '{hour}' {keys}/$ID/rotate"),
        ),
        (
            "for an hour the old one works as well, 200",
            format!("curl -i {BEARER} {usage}"),
        ),
        (
            "which keys are in use, 200",
            format!("curl -i {ann} {keys}"),
        ),
    ] {
        println!("# {what}\n{line}");
    }
}
