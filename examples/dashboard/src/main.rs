//! A small product: people sign in, and manage their API keys on a settings page or with programs.
//!
//! Run with
//!
//! ```not_rust
//! cargo run --example dashboard
//! DATABASE_URL=postgres://postgres@localhost/postgres cargo run --example dashboard
//! ```
//!
//! and open the address that it prints, or try the curl lines. `PORT` chooses another port than 3000.
#![expect(clippy::print_stdout, reason = "it tells people what to try")]

mod orders;
mod sessions;

use std::env;
use std::error::Error;
use std::net::SocketAddr;

use axum::Router;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Redirect;
use keyward::{
    Action, Issued, KeyFormat, KeyStore, Keyward, NewKey, Policy, Reach, Records, Role, Scope,
};
use keyward_admin::Admin;
use keyward_memory::MemoryStore;
use keyward_page::Page;
use keyward_postgres::PostgresStore;
use tokio::net::TcpListener;

use crate::sessions::Sessions;

const READ: Scope = Scope::from_static("orders:read");
const WRITE: Scope = Scope::from_static("orders:write");

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let port = env::var("PORT").unwrap_or_else(|_| "3000".to_owned());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let address = listener.local_addr()?;
    let keys = match env::var("DATABASE_URL") {
        Err(_) => start(MemoryStore::default()).await?,
        Ok(url) => {
            let store = PostgresStore::connect(&url)?;
            store.migrate().await?;
            start(store).await?
        }
    };
    let sessions = Sessions::default();
    let session = sessions.begin("ada")?;
    let ada = sessions::actor("ada").ok_or("Ada has left")?;
    let new = NewKey::named("a key to try").scopes([READ]);
    let demo = keys.acting_as(&ada).issue(new).await?;

    let admin = admin(&keys, sessions.clone());
    let app = orders::routes(keys.verifier())
        // Added after the layer: people sign in for these.
        .merge(sessions::routes(sessions.clone()))
        .merge(orders::description(&admin))
        .nest("/api", admin.router())
        .merge(page(&keys, sessions, address));
    print_what_to_try(&demo, &session, address);
    axum::serve(listener, app).await?;
    Ok(())
}

async fn start(store: impl KeyStore + Records) -> Result<Keyward, Box<dyn Error>> {
    let both = [READ, WRITE];
    let policy = Policy::new()
        .role(Role::named("admin").grants(both).manages(Reach::Tenant))
        .role(Role::named("member").grants([READ]).manages(Reach::Own))
        .role(Role::named("auditor").may(Action::See, Reach::Tenant));
    let keys = Keyward::builder(store)
        .format(KeyFormat::new("acme_live")?)
        .format(KeyFormat::new("acme_test")?)
        .policy(policy)
        .keys_per_tenant(100);
    Ok(keys.start().await?)
}

/// For programs: 401 to whoever has not signed in.
fn admin(keys: &Keyward, sessions: Sessions) -> Admin {
    let actors = move |parts: &Parts| sessions.actor(parts).ok_or(StatusCode::UNAUTHORIZED);
    Admin::new(keys.clone(), actors)
        .read_only([READ])
        .environment("live", "acme_live")
        .environment("test", "acme_test")
}

/// For people: the way to where they sign in.
fn page(keys: &Keyward, sessions: Sessions, address: SocketAddr) -> Router {
    let actors = move |parts: &Parts| sessions.actor(parts).ok_or(Redirect::to("/"));
    Page::new(keys.clone(), actors)
        .scope(READ, "See orders")
        .scope(WRITE, "Create and change orders")
        .environment("live", "acme_live")
        .environment("test", "acme_test")
        .try_at(format!("http://{address}/orders"))
        .back_to("Acme", "/")
        .at("/settings/api-keys")
}

fn print_what_to_try(demo: &Issued, session: &str, address: SocketAddr) {
    let (key, id) = (demo.secret.expose(), demo.key.id.as_str());
    println!("open http://{address} and sign in\nkey: {key}\nid: {id}\n");
    let bearer = format!("-H 'Authorization: Bearer {key}' http://{address}/orders");
    let ada = format!("-b 'session={session}'");
    let api = format!("http://{address}/api/api-keys");
    let page = format!("http://{address}/settings/api-keys");
    let json = r#"-H 'Content-Type: application/json' -d '{"name":"ci"}'"#;
    for (what, line) in [
        ("the key at work, 200", bearer.clone()),
        (
            "sign in, 303",
            format!("-d 'user=ben' http://{address}/sign-in"),
        ),
        (
            "the keys of the team, for programs, 200",
            format!("{ada} {api}"),
        ),
        ("another key, 201", format!("{ada} {json} {api}")),
        ("the same keys, for people, 200", format!("{ada} {page}")),
        (
            "the key with its history, 200",
            format!("{ada} {page}/{id}"),
        ),
        (
            "another site cannot press a button, 403",
            format!("-X POST -H 'Sec-Fetch-Site: cross-site' {ada} {page}/{id}/suspend"),
        ),
        (
            "the end of the key, 303",
            format!("-d '' {ada} {page}/{id}/revoke"),
        ),
        ("which holds at once, 401", bearer),
    ] {
        println!("# {what}");
        println!("curl -i {line}");
    }
}
