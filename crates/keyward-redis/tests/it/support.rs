use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get as route;
use http_body_util::BodyExt;
use keyward::{ApiKeyLayer, Issued, KeyFormat, Keyward, Limit, NewKey};
use keyward_limits::{RateLimitLayer, RateLimits, Rule, SharedLimit, SharedLimits, SharedTaken};
use keyward_memory::MemoryStore;
use keyward_redis::RedisLimits;
use keyward_testkit::LeakWatch;
use redis_server::RedisServer;
use tower::ServiceExt;

/// A server and nodes that share it, each with a connection of its own.
pub(crate) struct Nodes {
    pub(crate) server: RedisServer,
    nodes: Vec<RedisLimits>,
    next: AtomicUsize,
}

impl Nodes {
    pub(crate) fn start(nodes: usize) -> Self {
        let server = RedisServer::start().unwrap();
        let node = || RedisLimits::new(&server.url()).unwrap();
        Self {
            nodes: (0..nodes).map(|_| node()).collect(),
            next: AtomicUsize::new(0),
            server,
        }
    }

    pub(crate) fn all(&self) -> &[RedisLimits] {
        &self.nodes
    }

    /// One after the other.
    pub(crate) fn node(&self) -> &RedisLimits {
        &self.nodes[self.next.fetch_add(1, Ordering::SeqCst) % self.nodes.len()]
    }

    pub(crate) async fn take(&self, limits: &[SharedLimit]) -> SharedTaken {
        self.node().take(limits).await.unwrap()
    }

    /// What a schedule holds, under the name that it has in Redis.
    pub(crate) fn held(&self, name: &str) -> String {
        self.server.command(&["GET", name]).unwrap()
    }

    pub(crate) fn keys(&self) -> usize {
        let size = self.server.command(&["DBSIZE"]).unwrap();
        size.parse().unwrap()
    }

    /// The server's clock, in microseconds.
    pub(crate) fn now(&self) -> u64 {
        let time = self.server.command(&["TIME"]).unwrap();
        let (seconds, micros) = time.split_once('\n').unwrap();
        seconds.parse::<u64>().unwrap() * 1_000_000 + micros.parse::<u64>().unwrap()
    }
}

/// N requests per window, as `keyward-limits` asks for it.
pub(crate) fn shared(name: &str, requests: u64, per: Duration) -> SharedLimit {
    let interval = u64::try_from(per.as_micros()).unwrap().div_ceil(requests);
    SharedLimit::new(name, interval, interval * (requests - 1))
}

/// Keys, and the services that ask for them.
pub(crate) struct Fixture {
    pub(crate) keys: Keyward,
    watch: LeakWatch,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let watch = LeakWatch::start();
        let keys = Keyward::builder(MemoryStore::default())
            .format(KeyFormat::new("acme_live").unwrap())
            .start()
            .await
            .unwrap();
        Self { keys, watch }
    }

    pub(crate) async fn key(&self) -> Issued {
        let new = NewKey::named("ci").tenant("acme");
        let issued = self.keys.issue(new).await.unwrap();
        self.watch.issued(&issued);
        issued
    }

    pub(crate) fn app(&self, limits: RateLimits) -> Router {
        Router::new()
            .route("/", route(async || "ok"))
            .layer(RateLimitLayer::new(limits))
            .layer(ApiKeyLayer::new(self.keys.verifier()))
    }
}

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) fn per_key(requests: u64, per: Duration) -> RateLimits {
    let limit = Limit::new(requests, per).unwrap();
    RateLimits::new([Rule::per_key("key").limits([limit])])
}

/// The status of a request with that key, and its `RateLimit`.
pub(crate) async fn send(app: &Router, key: &Issued) -> (u16, String) {
    let bearer = format!("Bearer {}", key.secret.expose());
    let request = http::Request::get("/").header("authorization", bearer);
    let request = request.body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    drop(body.collect().await.unwrap());
    let said = parts.headers.get("ratelimit");
    let said = said.map_or("", |value| value.to_str().unwrap());
    (parts.status.as_u16(), said.to_owned())
}
