use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt;
use keyward::{
    Action, Actor, Issued, KeyFormat, KeyStore, Keyward, NewKey, Owner, Policy, Reach, Records,
    Role, Scope,
};
use keyward_memory::MemoryStore;
use keyward_page::Page;
use keyward_testkit::LeakWatch;
use tower::ServiceExt;

/// How much of a key is public: `acme_live_`, eleven characters, `_`.
pub(crate) const PUBLIC: usize = 22;
pub(crate) const READ: Scope = Scope::from_static("orders:read");
pub(crate) const WRITE: Scope = Scope::from_static("orders:write");

/// The keys of a product whose teams have admins, members and auditors.
pub(crate) async fn keys_in(store: impl KeyStore + Records) -> Keyward {
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
        .role(Role::named("auditor").may(Action::See, Reach::Tenant));
    Keyward::builder(store)
        .format(KeyFormat::new("acme_live").unwrap())
        .format(KeyFormat::new("acme_test").unwrap())
        .policy(policy)
        .keys_per_owner(2_000)
        .start()
        .await
        .unwrap()
}

pub(crate) async fn keys() -> Keyward {
    keys_in(MemoryStore::default()).await
}

/// Who has signed in, by a header that stands for a session: `ada:admin@acme`.
pub(crate) fn who(parts: &Parts) -> Result<Actor, StatusCode> {
    let header = parts.headers.get("test-user");
    let user = header.and_then(|user| user.to_str().ok());
    actor(user.ok_or(StatusCode::UNAUTHORIZED)?).ok_or(StatusCode::UNAUTHORIZED)
}

pub(crate) fn actor(user: &str) -> Option<Actor> {
    let (user, team) = user.split_once('@')?;
    let (name, role) = user.split_once(':')?;
    Some(Actor::user(Owner::new("user", name), team).role(role))
}

pub(crate) fn page(keys: &Keyward) -> Page {
    Page::new(keys.clone(), who)
}

/// The page at `/settings/keys`, as Ada uses it, who is an admin.
pub(crate) async fn app() -> (Keyward, Client) {
    let keys = keys().await;
    let client = Client::new(page(&keys).at("/settings/keys"));
    (keys, client)
}

/// A key of Ada's.
pub(crate) async fn issue(keys: &Keyward, name: &str) -> Issued {
    let ada = actor("ada:admin@acme").unwrap();
    let new = NewKey::named(name).scopes([READ]);
    keys.acting_as(&ada).issue(new).await.unwrap()
}

#[derive(Clone)]
pub(crate) struct Client {
    app: Router,
    user: &'static str,
    /// Looks for every secret that was shown in everything that is logged.
    pub(crate) watch: Arc<LeakWatch>,
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Client {
    pub(crate) fn new(app: Router) -> Self {
        Self {
            app,
            user: "ada:admin@acme",
            watch: Arc::new(LeakWatch::start()),
        }
    }

    pub(crate) fn of(&self, user: &'static str) -> Self {
        Self {
            app: self.app.clone(),
            user,
            watch: Arc::clone(&self.watch),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(self.request(Method::GET, path, "")).await
    }

    /// A form, as a client sends it that is no browser.
    pub(crate) async fn post(&self, path: &str, form: &str) -> Answer {
        self.send(self.request(Method::POST, path, form)).await
    }

    pub(crate) fn request(&self, method: Method, path: &str, form: &str) -> Request<Body> {
        Request::builder()
            .method(method)
            .uri(path)
            .header("host", "app.example")
            .header("test-user", self.user)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(form.to_owned()))
            .unwrap()
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let answer = Answer {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        };
        if answer.body.contains("id=\"secret\"") {
            self.watch.secret(&answer.secret()[PUBLIC..]);
        }
        answer
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    /// What stands between two texts, at their first place.
    pub(crate) fn between(&self, start: &str, end: &str) -> &str {
        let found = self
            .body
            .split_once(start)
            .and_then(|(_, rest)| rest.split_once(end));
        found
            .unwrap_or_else(|| panic!("no {start} in {}", self.body))
            .0
    }

    /// The secret that the page shows.
    pub(crate) fn secret(&self) -> &str {
        self.between("id=\"secret\"", "</code>")
            .split_once('>')
            .unwrap()
            .1
    }

    /// The token of the form for a new key.
    pub(crate) fn token(&self) -> &str {
        self.between("name=\"token\" value=\"", "\"")
    }
}
