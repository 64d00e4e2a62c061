//! What every contender stands on: a bare tower service or an axum `Router` with one route.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};

use axum::Router;
use axum::routing::get;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::Service;

/// The cheapest service there is: it answers at once and looks at nothing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bare;

impl<B> Service<Request<B>> for Bare {
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<B>) -> Self::Future {
        ready(Ok(Response::new(Full::new(Bytes::from_static(ANSWER)))))
    }
}

/// The same answer from a handler.
pub(crate) fn router() -> Router {
    Router::new().route(PATH, get(|| async { Bytes::from_static(ANSWER) }))
}

/// Where the requests go.
pub(crate) const PATH: &str = "/orders";

const ANSWER: &[u8] = b"orders";
