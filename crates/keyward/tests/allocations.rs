//! What a request costs in allocations, counted.
//!
//! A test binary of its own: where something captures the log, refusals allocate.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use keyward::{ApiKeyLayer, Issued, KeyFormat, Keyward, NewKey, RequireScopes, Scope};
use keyward_memory::MemoryStore;
use tower::{Layer, Service};

const READ: Scope = Scope::from_static("docs:read");

/// A service, and a key of it that has been used once.
async fn service() -> (Keyward, Issued) {
    let format = KeyFormat::new("acme_live").unwrap();
    let builder = Keyward::builder(MemoryStore::default()).format(format);
    let keys = builder.start().await.unwrap();
    let new = NewKey::named("ci").tenant("acme").scopes([READ]);
    let issued = keys.issue(new).await.unwrap();
    let credential = issued.secret.expose().as_bytes();
    keys.verifier().verify(credential).await.unwrap();
    (keys, issued)
}

#[derive(Clone)]
struct Bare;

impl Service<Request<()>> for Bare {
    type Response = Response<axum::body::Body>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        // The request is given back, so that freeing it is no part of what is counted.
        std::mem::forget(request);
        ready(Ok(Response::default()))
    }
}

/// The allocations of one call whose answer is there at once.
fn allocations<S>(service: &mut S, request: Request<()>) -> u64
where
    S: Service<Request<()>, Response = Response<axum::body::Body>, Error = Infallible>,
{
    let mut context = Context::from_waker(Waker::noop());
    let mut status = None;
    let counted = allocation_counter::measure(|| {
        let mut future = pin!(service.call(request));
        let Poll::Ready(Ok(response)) = future.as_mut().poll(&mut context) else {
            panic!("a hit is decided at once");
        };
        status = Some(response.status());
        std::mem::forget(response);
    });
    assert_eq!(status.unwrap(), 200);
    counted.count_total
}

fn request(key: &Issued) -> Request<()> {
    let bearer = format!("Bearer {}", key.secret.expose());
    let request = Request::get("/").header("authorization", bearer);
    request.body(()).unwrap()
}

#[tokio::test]
async fn a_hit_allocates_its_extension_and_nothing_else() {
    let (keys, key) = service().await;
    let scoped = RequireScopes::all([READ]).layer(Bare);
    let mut service = ApiKeyLayer::new(keys.verifier()).layer(scoped);
    let with_extensions = || {
        let mut request = request(&key);
        // As a router does before any layer of a route is called.
        request.extensions_mut().insert(1_u8);
        request
    };
    let hit = allocations(&mut service, with_extensions());
    assert_eq!(hit, 1, "the box of the extension");
    // Six headers fill the smallest table: taking one out must not make a larger one.
    let mut full = with_extensions();
    for name in ["a", "b", "c", "d", "e"] {
        let value = http::HeaderValue::from_static("x");
        full.headers_mut().insert(name, value);
    }
    assert_eq!(allocations(&mut service, full), 1);
    let bare = allocations(&mut service, request(&key));
    assert_eq!(
        bare, 3,
        "and where there were no extensions: their box and their table"
    );
}

#[tokio::test]
async fn a_check_allocates_nothing_whether_it_passes_or_not() {
    let (keys, key) = service().await;
    let verifier = keys.verifier();
    let credential = key.secret.expose().as_bytes();
    let bad = [b"acme_live_x", &credential[..credential.len() - 1]];
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            drop(verifier.check(credential));
            bad.iter().for_each(|bad| drop(verifier.check(bad)));
        }
    });
    assert_eq!(counted.count_total, 0);
}
