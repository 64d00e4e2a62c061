//! Citatra: keys of one workspace, with the rights of the member who creates them, on paid plans.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example citatra
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --example citatra
//! ```
//!
//! and try the curl lines that it prints.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod prompts;

use std::env;
use std::error::Error;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use keyward::{
    Actor, ApiKeyLayer, KeyFormat, KeyStore, Keyward, Owner, Policy, Reach, Records, RequireScopes,
    Role, Scope, ScopeRule,
};
use keyward_admin::Admin;
use keyward_example_demo::shell::{BEARER, by, create};
use keyward_example_demo::{Demo, User};
use keyward_memory::MemoryStore;
use keyward_page::{Messages, Page};
use keyward_postgres::PostgresStore;
use tokio::net::TcpListener;

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
    axum::serve(listener, app(keys, &address)).await?;
    Ok(())
}

/// Whoever creates a key gives it what they may do themselves, or less.
async fn start(store: impl KeyStore + Records) -> Result<Keyward, Box<dyn Error>> {
    let admin = Role::named("admin").grants([READ, WRITE, ADMIN]);
    let member = Role::named("member").grants([READ, WRITE]);
    let policy = Policy::new()
        .role(admin.manages(Reach::Tenant))
        .role(member.manages(Reach::Own))
        .scope_rule(ScopeRule::Inherited);
    let keys = Keyward::builder(store).format(KeyFormat::new("citatra")?);
    Ok(keys.policy(policy).start().await?)
}

fn app(keys: Keyward, address: &str) -> Router {
    let prompts = get(prompts::list)
        .layer(RequireScopes::all([READ]))
        .merge(post(prompts::add).layer(RequireScopes::all([WRITE])));
    let settings = put(prompts::settings).layer(RequireScopes::all([ADMIN]));
    let api = Router::new()
        .route("/workspaces/{workspace}/prompts", prompts)
        .route("/workspaces/{workspace}/settings", settings)
        .fallback(|| async { StatusCode::NOT_FOUND })
        .with_state(prompts::Prompts::default())
        // Below `/api/v1` nothing answers without a key, not even what does not exist.
        .layer(ApiKeyLayer::new(keys.verifier()));

    let demo = Demo::new(keys.clone());
    let admin = Admin::new(keys.clone(), demo.actors(member)).read_only([READ]);
    let page = Page::new(keys, demo.actors(member))
        .try_at(format!("http://{address}/api/v1/workspaces/acme/prompts"))
        .read_only([READ])
        .messages(words());
    Router::new()
        .nest("/api/v1", api)
        .nest("/api", admin.router())
        .merge(page.at("/settings/api-keys"))
        .merge(demo.routes())
}

/// As the product's documents call things.
fn words() -> Messages {
    let mut words = Messages::default();
    words.title = "API Keys".into();
    words.create = "New API Key".into();
    words.create_title = "New API Key".into();
    words.create_now = "Create".into();
    words
}

/// A member of a workspace, as those see them who decide about keys.
fn member(user: User) -> Actor {
    Actor::user(Owner::new("user", user.name), user.tenant).role(user.role)
}

/// Lines for one shell.
fn print_what_to_try(address: &str) {
    let keys = format!("http://{address}/api/api-keys");
    let prompts = format!("http://{address}/api/v1/workspaces/acme/prompts");
    let (ann, ben, eve) = (
        by("ann:admin@acme"),
        "ben:member@acme",
        by("eve:admin@free-eve"),
    );
    let name = r#"{"name":"Data warehouse sync"}"#;
    let read_only = r#"{"name":"Dashboard","readOnly":true}"#;
    println!("Settings: http://{address}/demo/login?as=ann:admin@acme");
    for (what, line) in [
        ("a member creates a key", create(ben, name, &keys)),
        (
            "one that only reads, 201",
            format!("curl -i {} -d '{read_only}' {keys}", by(ben)),
        ),
        (
            "all keys of the workspace, 200",
            format!("curl -i {ann} {keys}"),
        ),
        (
            "none on the free plan, 403",
            format!("curl -i {eve} -d '{name}' {keys}"),
        ),
        ("nothing without a key, 401", format!("curl -i {prompts}")),
        ("the prompts, 200", format!("curl -i {BEARER} {prompts}")),
        (
            "the end of the key, 204",
            format!("curl -i {ann} -X DELETE {keys}/$ID"),
        ),
        ("from then on, 401", format!("curl -i {BEARER} {prompts}")),
    ] {
        println!("# {what}\n{line}");
    }
}
