//! A product with sessions and the page, on a port of its own.

use std::net::Ipv4Addr;

use axum::Router;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::Html;
use axum::routing::get;
use keyward::{
    Action, Actor, Issued, KeyFormat, Keyward, NewKey, Owner, Policy, Reach, Role, Scope,
};
use keyward_memory::MemoryStore;
use keyward_page::Page;
use tokio::net::TcpListener;

pub(crate) const READ: Scope = Scope::from_static("orders:read");
pub(crate) const WRITE: Scope = Scope::from_static("orders:write");
pub(crate) const REFUND: Scope = Scope::from_static("payments:refund");

/// A long one.
pub(crate) const EXPORT: Scope =
    Scope::from_static("reports:quarterly-consolidated-statements-of-subsidiaries:export");

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) keys: Keyward,
    pub(crate) origin: String,
    path: &'static str,
}

impl Site {
    /// With the page at `/settings/api-keys`.
    pub(crate) async fn start() -> Self {
        Self::at("/settings/api-keys", |page| page).await
    }

    pub(crate) async fn at(path: &'static str, shape: impl FnOnce(Page) -> Page) -> Self {
        let policy = Policy::new()
            .role(
                Role::named("admin")
                    .grants([READ, WRITE, REFUND, EXPORT])
                    .manages(Reach::Tenant),
            )
            .role(Role::named("auditor").may(Action::See, Reach::Tenant));
        let keys = Keyward::builder(MemoryStore::default())
            .format(KeyFormat::new("acme_live").unwrap())
            .format(KeyFormat::new("acme_test").unwrap())
            .policy(policy)
            .start()
            .await
            .unwrap();
        let page = Page::new(keys.clone(), who)
            .scope(READ, "See orders")
            .scope(WRITE, "Create and change orders")
            .environment("live", "acme_live")
            .environment("test", "acme_test")
            .try_at("https://api.acme.example/v1/orders")
            .back_to("Acme", "/");
        let app = Router::new()
            .route(
                "/",
                get(async || Html("<!doctype html><title>home</title>")),
            )
            .route("/as/{user}", get(sign_in))
            .merge(shape(page).at(path));
        let origin = serve(app).await;
        Self { keys, origin, path }
    }

    pub(crate) fn url(&self) -> String {
        format!("{}{}", self.origin, self.path)
    }

    pub(crate) fn ada(&self) -> Actor {
        actor("ada:admin").unwrap()
    }

    pub(crate) async fn issue(&self, name: &str) -> Issued {
        let new = NewKey::named(name).scopes([READ]).environment("live");
        self.keys.acting_as(&self.ada()).issue(new).await.unwrap()
    }
}

pub(crate) async fn serve(app: Router) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, app).await });
    format!("http://{address}")
}

/// Signs in, as a product would do after a password.
async fn sign_in(
    Path(user): Path<String>,
) -> ([(axum::http::HeaderName, String); 1], &'static str) {
    let cookie = format!("session={user}; Path=/; HttpOnly; SameSite=Lax");
    ([(SET_COOKIE, cookie)], "signed in")
}

fn who(parts: &Parts) -> Result<Actor, StatusCode> {
    let cookie = parts
        .headers
        .get(COOKIE)
        .and_then(|cookie| cookie.to_str().ok());
    let user = cookie.and_then(|cookie| cookie.strip_prefix("session="));
    user.and_then(actor).ok_or(StatusCode::UNAUTHORIZED)
}

fn actor(user: &str) -> Option<Actor> {
    let (name, role) = user.split_once(':')?;
    Some(Actor::user(Owner::new("user", name), "acme").role(role))
}
