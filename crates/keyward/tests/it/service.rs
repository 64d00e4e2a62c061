//! The layer as a tower service: readiness, errors, and what happens when clients go away.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::body::Body;
use http::{Request, Response};
use keyward::Principal;
use keyward_testkit::{Call, Fault};
use tower::{Layer, Service, ServiceExt};

use crate::support::{Fixture, get};

/// Insists on being polled ready before each call, and counts its calls.
#[derive(Default)]
struct Strict {
    is_ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self {
            is_ready: false,
            calls: self.calls.clone(),
        }
    }
}

impl Service<Request<Body>> for Strict {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.is_ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        assert!(
            std::mem::take(&mut self.is_ready),
            "called without being ready"
        );
        assert!(request.extensions().get::<Principal>().is_some());
        self.calls.fetch_add(1, Ordering::SeqCst);
        ready(Ok(Response::new(Body::empty())))
    }
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let fixture = Fixture::new().await;
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let mut service = fixture.layer().layer(strict);
    // A miss, then hits, and refusals in between, all on one service.
    for (request, expected) in [
        (fixture.request(), 200),
        (get("/", &[]), 401),
        (fixture.request(), 200),
    ] {
        let response = service.ready().await.unwrap().call(request).await.unwrap();
        assert_eq!(response.status(), expected);
    }
    assert_eq!(calls.load(Ordering::SeqCst), 2);
}

/// The store panics, and the request that met it is answered like any other.
#[tokio::test]
async fn a_panic_in_the_store_is_a_503() {
    let fixture = Fixture::new().await;
    fixture.faults.once(Call::Load, Fault::Panic);
    let mut service = fixture.layer().layer(Strict::default());
    for expected in [503, 200] {
        let ready = service.ready().await.unwrap();
        let response = ready.call(fixture.request()).await.unwrap();
        assert_eq!(response.status(), expected);
    }
}

/// A thousand clients ask, all but the last give up in turn: one load, and the last is served.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_go_away_harm_nobody() {
    let fixture = Fixture::new().await;
    let strict = Strict::default();
    let calls = strict.calls.clone();
    let service = fixture.layer().layer(strict);
    let gate = fixture.faults.hold(Call::Load);
    let mut waiting = Vec::new();
    for _ in 0..1_000 {
        waiting.push(tokio::spawn(service.clone().oneshot(fixture.request())));
    }
    gate.reached(1).await;
    let last = waiting.pop().unwrap();
    for client in waiting {
        client.abort();
        assert!(client.await.is_err());
    }
    gate.open();
    assert_eq!(last.await.unwrap().unwrap().status(), 200);
    assert_eq!(calls.load(Ordering::SeqCst), 1);
    assert_eq!(fixture.faults.calls(Call::Load), 1);
}
