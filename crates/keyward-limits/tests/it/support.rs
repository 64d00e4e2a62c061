use std::net::IpAddr;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get as route;
use http::request::Parts;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use keyward::{ApiKeyLayer, Clock, Issued, KeyFormat, Keyward, Limit, ManualClock, NewKey, Owner};
use keyward_limits::{RateLimitLayer, RateLimits};
use keyward_memory::MemoryStore;
use keyward_testkit::LeakWatch;
use tower::ServiceExt;

pub(crate) const SECOND: Duration = Duration::from_secs(1);

/// A service whose clock stands still.
pub(crate) struct Fixture {
    pub(crate) keys: Keyward,
    pub(crate) clock: Clock,
    pub(crate) hand: ManualClock,
    watch: LeakWatch,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let watch = LeakWatch::start();
        let (clock, hand) = Clock::manual();
        let keys = Keyward::builder(MemoryStore::with_clock(clock.clone()))
            .format(KeyFormat::new("acme_live").unwrap())
            .clock(clock.clone())
            .start()
            .await
            .unwrap();
        Self {
            keys,
            clock,
            hand,
            watch,
        }
    }

    pub(crate) async fn issue(&self, new: NewKey) -> Issued {
        let issued = self.keys.issue(new).await.unwrap();
        self.watch.issued(&issued);
        issued
    }

    pub(crate) async fn key(&self) -> Issued {
        self.issue(new_key()).await
    }

    /// A key is asked for, and its requests are counted.
    pub(crate) fn app(&self, limits: RateLimits) -> Router {
        self.app_with(RateLimitLayer::new(limits.clock(self.clock.clone())))
    }

    pub(crate) fn app_with(&self, layer: RateLimitLayer) -> Router {
        Router::new()
            .route("/", route(async || "ok"))
            .layer(layer)
            .layer(ApiKeyLayer::new(self.keys.verifier()))
    }
}

pub(crate) fn new_key() -> NewKey {
    NewKey::named("ci")
        .tenant("acme")
        .owner(Owner::new("user", "7"))
}

pub(crate) fn limit(requests: u64, per: Duration) -> Limit {
    Limit::new(requests, per).unwrap()
}

pub(crate) fn bearing(key: &Issued) -> Request<Body> {
    with(&[("authorization", &format!("Bearer {}", key.secret.expose()))])
}

pub(crate) fn with(headers: &[(&str, &str)]) -> Request<Body> {
    let request = headers
        .iter()
        .fold(Request::get("/"), |request, (name, value)| {
            request.header(*name, *value)
        });
    request.body(Body::empty()).unwrap()
}

/// The same from that address.
pub(crate) fn from(mut request: Request<Body>, address: &str) -> Request<Body> {
    let address: IpAddr = address.parse().unwrap();
    request.extensions_mut().insert(address);
    request
}

/// The address that [`from`] has put there.
pub(crate) fn address(parts: &Parts) -> Option<IpAddr> {
    parts.extensions.get().copied()
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    let response = app.clone().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    Answer {
        status: parts.status,
        headers: parts.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

/// How many of so many requests pass; the others must be 429.
pub(crate) async fn pass(app: &Router, key: &Issued, requests: usize) -> usize {
    let mut passed = 0;
    for _ in 0..requests {
        let status = send(app, bearing(key)).await.status;
        assert!(status == 200 || status == 429, "{status}");
        passed += usize::from(status == 200);
    }
    passed
}
