//! What a request costs in allocations, counted.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::{Request, Response};
use keyward::RequireScopes;
use tower::{Layer, Service};

use crate::support::{Fixture, READ};

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

fn request(fixture: &Fixture) -> Request<()> {
    let request = Request::get("/").header("authorization", fixture.bearer());
    request.body(()).unwrap()
}

#[tokio::test]
async fn a_hit_allocates_its_extension_and_nothing_else() {
    let fixture = Fixture::new().await;
    let credential = fixture.secret().as_bytes();
    fixture.keys.verifier().verify(credential).await.unwrap();
    let scoped = RequireScopes::all([READ]).layer(Bare);
    let mut service = fixture.layer().layer(scoped);

    let mut with_extensions = || {
        let mut request = request(&fixture);
        // As a router does before any layer of a route is called.
        request.extensions_mut().insert(1_u8);
        allocations(&mut service, request)
    };
    // The first note of a use takes a place in a list; the next comes a second later.
    with_extensions();
    assert_eq!(with_extensions(), 1, "the box of the extension");
    let bare = allocations(&mut service, request(&fixture));
    assert_eq!(
        bare, 3,
        "and where there were no extensions: their box and their table"
    );
}

#[tokio::test]
async fn a_check_that_hits_allocates_nothing() {
    let fixture = Fixture::new().await;
    let verifier = fixture.keys.verifier();
    let credential = fixture.secret().as_bytes();
    verifier.verify(credential).await.unwrap();
    let bad = [b"acme_live_x", &credential[..credential.len() - 1]];
    let counted = allocation_counter::measure(|| {
        for _ in 0..100 {
            drop(verifier.check(credential));
            bad.iter().for_each(|bad| drop(verifier.check(bad)));
        }
    });
    assert_eq!(counted.count_total, 0);
}
