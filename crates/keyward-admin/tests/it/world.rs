//! A host with the routes, people who have signed in, and keys.

use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Method, Request, StatusCode};
use axum::routing::get;
use keyward::{
    Action, Actor, ApiKeyLayer, DeniedKind, Digest, Issued, KeyFormat, KeyId, KeySnapshot,
    KeyStore, Keyward, NewKey, Owner, Plaintext, Policy, Principal, Reach, Records, RequireScopes,
    Role, Scope, ScopeRule,
};
use keyward_admin::Admin;
use keyward_memory::MemoryStore;
use keyward_postgres::PostgresStore;
use keyward_testkit::{FaultStore, Faults, LeakWatch};
use keyward_throwaway::Database;
use serde_json::Value;
use tower::ServiceExt;

use crate::answer::{Answer, Document};

pub(crate) const READ: Scope = Scope::from_static("docs:read");
pub(crate) const WRITE: Scope = Scope::from_static("docs:write");
pub(crate) const MANAGE: Scope = Scope::from_static("keys:manage");
pub(crate) const VERIFY: Scope = Scope::from_static("keys:verify");

/// What a world may have otherwise.
pub(crate) struct Setup {
    pub(crate) rule: ScopeRule,
    pub(crate) keys_per_tenant: Option<u64>,
    pub(crate) set: fn(Admin) -> Admin,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            rule: ScopeRule::Chosen,
            keys_per_tenant: None,
            set: |admin| admin,
        }
    }
}

/// A service with its host.
pub(crate) struct World {
    pub(crate) store: &'static str,
    pub(crate) keys: Keyward,
    pub(crate) faults: Faults,
    pub(crate) app: Router,
    pub(crate) document: Document,
    watch: LeakWatch,
    _database: Option<Database>,
}

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) enum Who {
    Nobody,
    /// `name:role@tenant`
    User(&'static str),
    Key(String),
}

pub(crate) const ADA: Who = Who::User("ada:admin@a");
pub(crate) const BEN: Who = Who::User("ben:member@a");
pub(crate) const EVE: Who = Who::User("eve:admin@b");

/// The same world on either store.
pub(crate) async fn worlds() -> [World; 2] {
    worlds_with(Setup::default).await
}

pub(crate) async fn worlds_with(setup: impl Fn() -> Setup) -> [World; 2] {
    let database = Database::fresh().await.unwrap();
    let postgres = PostgresStore::connect(database.url()).unwrap();
    postgres.migrate().await.unwrap();
    let mut postgres = World::start("Postgres", postgres, setup()).await;
    postgres._database = Some(database);
    let memory = World::start("memory", MemoryStore::default(), setup()).await;
    [memory, postgres]
}

impl World {
    async fn start(store: &'static str, records: impl KeyStore + Records, setup: Setup) -> Self {
        let watch = LeakWatch::start();
        let (records, faults) = FaultStore::new(records);
        let all = [READ, WRITE, MANAGE, VERIFY];
        let policy = Policy::new()
            .role(Role::named("admin").grants(all).manages(Reach::Tenant))
            .role(
                Role::named("member")
                    .grants([READ, WRITE])
                    .manages(Reach::Own),
            )
            .role(Role::named("viewer").may(Action::See, Reach::Tenant))
            .scope_rule(setup.rule)
            .keys_manage(MANAGE, Reach::Tenant);
        let mut builder = Keyward::builder(records)
            .format(KeyFormat::new("ak_live").unwrap())
            .format(KeyFormat::new("ak_test").unwrap())
            .policy(policy)
            // Busy machines end no test: a poll is waited for longer, and a lease longer still.
            .lease(Duration::from_secs(60))
            .poll_limit(Duration::from_secs(20))
            .load_limit(Duration::from_secs(20));
        if let Some(cap) = setup.keys_per_tenant {
            builder = builder.keys_per_tenant(cap);
        }
        let keys = builder.start().await.unwrap();
        let admin = (setup.set)(Admin::new(keys.clone(), who_asks).introspection(VERIFY));
        let app = Router::new()
            .route("/docs", get(async || "docs"))
            .route_layer(RequireScopes::all([READ]))
            .merge(admin.router())
            .layer(ApiKeyLayer::new(keys.verifier()).optional());
        let document = Document::of(&admin);
        let _database = None;
        Self {
            store,
            keys,
            faults,
            app,
            document,
            watch,
            _database,
        }
    }

    /// Asks without a body.
    pub(crate) async fn ask(&self, who: &Who, method: &str, path: &str) -> Answer {
        self.send(request(who, method, path).body(Body::empty()).unwrap())
            .await
    }

    /// Asks with a JSON body.
    pub(crate) async fn tell(&self, who: &Who, method: &str, path: &str, body: Value) -> Answer {
        self.say(who, method, path, body.to_string()).await
    }

    /// Asks with a text that is said to be JSON.
    pub(crate) async fn say(&self, who: &Who, method: &str, path: &str, body: String) -> Answer {
        let request = request(who, method, path).header("content-type", "application/json");
        self.send(request.body(body.into()).unwrap()).await
    }

    /// Sends a request; the answer is one that the document knows, nobody keeps it, and but for a
    /// creation there is no key in it.
    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let asked = (request.method().clone(), request.uri().path().to_owned());
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        let answer = Answer::new(asked, parts, &body);
        if answer.path.starts_with("/api-keys") {
            self.document.check(&answer);
        }
        match answer.json.get("key").and_then(Value::as_str) {
            Some(key) if answer.status == 201 => {
                let shown = answer.json["prefix"].as_str().unwrap().len();
                self.watch.secret(&key[shown..]);
            }
            _ => self.watch.inspect("an answer", &body),
        }
        let headers = format!("{:?}", answer.headers);
        self.watch.inspect("a header", headers.as_bytes());
        answer
    }

    /// A key that the operator issues.
    pub(crate) async fn issue(&self, new: NewKey) -> Issued {
        let issued = self.keys.issue(new).await.unwrap();
        self.watch.issued(&issued);
        issued
    }

    /// A key of the tenant `a` that has these scopes.
    pub(crate) async fn bearer(&self, scopes: &[Scope]) -> Who {
        let new = NewKey::named("bearer").tenant("a").scopes(scopes.to_vec());
        Who::key(&self.issue(new).await.secret)
    }

    /// Neither the digest of this key may be shown.
    pub(crate) fn watch_digest(&self, key: &str) {
        self.watch.secret(&Digest::sha256(key.as_bytes()).to_hex());
    }

    /// All that is kept of a key.
    pub(crate) async fn kept(&self, id: &KeyId) -> KeySnapshot {
        self.keys.get(id).await.unwrap().unwrap()
    }

    /// Whether requests with this key are accepted.
    pub(crate) async fn accepts(&self, key: &Plaintext) -> bool {
        self.accepts_text(key.expose()).await
    }

    pub(crate) async fn accepts_text(&self, key: &str) -> bool {
        match self.keys.verifier().verify(key.as_bytes()).await {
            Ok(_) => true,
            Err(denied) => {
                assert_ne!(denied.kind(), DeniedKind::Unavailable);
                false
            }
        }
    }
}

impl Who {
    pub(crate) fn key(key: &Plaintext) -> Self {
        Self::Key(key.expose().to_owned())
    }
}

pub(crate) fn request(who: &Who, method: &str, path: &str) -> axum::http::request::Builder {
    let request = Request::builder()
        .method(Method::from_bytes(method.as_bytes()).unwrap())
        .uri(path);
    match who {
        Who::Nobody => request,
        Who::User(user) => request.header("demo-user", *user),
        Who::Key(key) => request.header("authorization", format!("Bearer {key}")),
    }
}

/// A new key of that owner in that tenant, with a right of its own.
pub(crate) fn new(tenant: &str, owner: &str) -> NewKey {
    NewKey::named("ci")
        .tenant(tenant)
        .owner(Owner::new("user", owner))
        .scopes([READ])
}

/// The path of a key.
pub(crate) fn path(id: &KeyId) -> String {
    format!("/api-keys/{id}")
}

/// A key, or someone of `Demo-User: name:role@tenant`.
fn who_asks(parts: &Parts) -> Result<Actor, (StatusCode, &'static str)> {
    if let Some(key) = parts.extensions.get::<Principal>() {
        return Ok(Actor::key(key));
    }
    let user = parts.headers.get("demo-user");
    let user = user.and_then(|user| {
        let (user, tenant) = user.to_str().ok()?.split_once('@')?;
        let (name, role) = user.split_once(':')?;
        Some(Actor::user(Owner::new("user", name), tenant).role(role))
    });
    user.ok_or((StatusCode::UNAUTHORIZED, "sign in"))
}
