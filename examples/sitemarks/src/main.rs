//! Sitemarks: keys whose scopes follow from the role of their maker, on routes that take sessions as well,
//! under one limit for both.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example sitemarks
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --example sitemarks
//! ```
//!
//! and try the curl lines that it prints.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod caller;
mod projects;

use std::env;
use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::routing::{delete, get};
use keyward::{
    Actor, Alphabet, ApiKeyLayer, KeyFormat, KeyStore, Keyward, Limit, Owner, Policy, Reach,
    Records, Role, Scope, ScopeRule,
};
use keyward_admin::Admin;
use keyward_example_demo::shell::{BEARER, by, create};
use keyward_example_demo::{Demo, User};
use keyward_limits::{RateLimitLayer, RateLimits, Rule};
use keyward_memory::MemoryStore;
use keyward_page::Page;
use keyward_postgres::PostgresStore;
use tokio::net::TcpListener;

use crate::projects::App;

const READ: Scope = Scope::from_static("read");
const WRITE: Scope = Scope::from_static("write");
const ADMIN: Scope = Scope::from_static("admin");

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
    axum::serve(listener, app(keys, &address)?).await?;
    Ok(())
}

/// What the roles of an organization may do, and so what keys may do that people of that role create.
fn policy() -> Policy {
    let all = [READ, WRITE, ADMIN];
    Policy::new()
        .role(
            Role::named("owner")
                .grants(all.clone())
                .manages(Reach::Tenant),
        )
        .role(Role::named("admin").grants(all).manages(Reach::Tenant))
        .role(
            Role::named("member")
                .grants([READ, WRITE])
                .manages(Reach::Own),
        )
        .role(Role::named("viewer").grants([READ]).manages(Reach::Own))
        .scope_rule(ScopeRule::Fixed)
}

async fn start(store: impl KeyStore + Records) -> Result<Keyward, Box<dyn Error>> {
    // `sk_live_` and 64 hexadecimal digits; lists show the first eight characters.
    let format = KeyFormat::builder("sk_live")
        .without_public_id()
        .secret(Alphabet::Hex, 64)
        .without_checksum()
        .hint(8)
        .build()?;
    let keys = Keyward::builder(store).format(format).policy(policy());
    Ok(keys.start().await?)
}

fn app(keys: Keyward, address: &str) -> Result<Router, Box<dyn Error>> {
    let minute = Limit::new(100, Duration::from_secs(60)).ok_or("no limit")?;
    let clients = Rule::per_client("client", caller::name).limits([minute]);
    let api = Router::new()
        .route("/projects", get(projects::list).post(projects::add))
        .route("/projects/{id}", delete(projects::remove))
        .with_state(App::new(policy()))
        .route_layer(RateLimitLayer::new(RateLimits::new([clients])))
        // Without a key a session will do, but a bad key is refused.
        .route_layer(ApiKeyLayer::new(keys.verifier()).optional());

    let demo = Demo::new(keys.clone());
    let admin = Admin::new(keys.clone(), demo.actors(member));
    let page =
        Page::new(keys, demo.actors(member)).try_at(format!("http://{address}/api/v1/projects"));
    let app = Router::new()
        .nest("/api/v1", api)
        .nest("/api", admin.router())
        .merge(page.at("/settings/api-keys"));
    Ok(app.merge(demo.routes()))
}

/// A member of an organization, as those see them who decide about keys.
fn member(user: User) -> Actor {
    Actor::user(Owner::new("user", user.name), user.tenant).role(user.role)
}

/// Lines for one shell.
fn print_what_to_try(address: &str) {
    let keys = format!("http://{address}/api/api-keys");
    let projects = format!("http://{address}/api/v1/projects");
    let (ann, ben) = (by("ann:owner@acme"), by("ben:member@acme"));
    let (new, chosen) = (
        r#"{"name":"CI Pipeline"}"#,
        r#"{"name":"ci","scopes":["read"]}"#,
    );
    println!("Settings: http://{address}/demo/login?as=ann:owner@acme");
    for (what, line) in [
        (
            "a member creates a key",
            create("ben:member@acme", new, &keys),
        ),
        (
            "scopes are not for choosing, 403",
            format!("curl -i {ben} -d '{chosen}' {keys}"),
        ),
        ("all keys, for owners, 200", format!("curl -i {ann} {keys}")),
        (
            "the projects with the key, 200",
            format!("curl -i {BEARER} {projects}"),
        ),
        (
            "and with the session, 200",
            format!("curl -i {ben} {projects}"),
        ),
        (
            "the end of the key, 204",
            format!("curl -i {ben} -X DELETE {keys}/$ID"),
        ),
        ("from then on, 401", format!("curl -i {BEARER} {projects}")),
    ] {
        println!("# {what}\n{line}");
    }
}
