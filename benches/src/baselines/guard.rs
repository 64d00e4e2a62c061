//! The leanest middleware around a check that need not wait: no box, no allocation of its own.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::header::AUTHORIZATION;
use http::{Extensions, HeaderMap, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower::{Layer, Service};

/// Whether a request may pass, and what the handler is told about it.
pub(super) trait Check {
    fn check(&self, headers: &HeaderMap, extensions: &mut Extensions) -> bool;
}

/// What a handler is told: one shared value, as cheap to hand over as can be.
pub(super) struct Handed<T>(
    /// No handler here reads it: it is there to be handed over.
    pub(super) Arc<T>,
);

impl<T> Clone for Handed<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The token of `Authorization: Bearer <token>`, as most hand-written middleware finds it.
pub(super) fn bearer(headers: &HeaderMap) -> Option<&str> {
    headers
        .get(AUTHORIZATION)?
        .to_str()
        .ok()?
        .strip_prefix("Bearer ")
}

#[derive(Debug, Clone)]
pub(super) struct GuardLayer<C> {
    check: C,
}

impl<C> GuardLayer<C> {
    pub(super) fn new(check: C) -> Self {
        Self { check }
    }
}

impl<C: Clone, S> Layer<S> for GuardLayer<C> {
    type Service = Guard<C, S>;

    fn layer(&self, inner: S) -> Guard<C, S> {
        Guard {
            check: self.check.clone(),
            inner,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Guard<C, S> {
    check: C,
    inner: S,
}

impl<C, S, B, R> Service<Request<B>> for Guard<C, S>
where
    C: Check,
    S: Service<Request<B>, Response = Response<R>>,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = GuardFuture<S::Future, S::Response>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut parts, body) = request.into_parts();
        if self.check.check(&parts.headers, &mut parts.extensions) {
            return GuardFuture::Inner {
                future: self.inner.call(Request::from_parts(parts, body)),
            };
        }
        let mut refusal = Response::new(R::default());
        *refusal.status_mut() = StatusCode::UNAUTHORIZED;
        GuardFuture::Refused {
            refusal: Some(refusal),
        }
    }
}

pin_project! {
    #[project = Projected]
    pub(super) enum GuardFuture<F, R> {
        Inner { #[pin] future: F },
        Refused { refusal: Option<R> },
    }
}

impl<F, R, E> Future for GuardFuture<F, R>
where
    F: Future<Output = Result<R, E>>,
{
    type Output = Result<R, E>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project() {
            Projected::Inner { future } => future.poll(context),
            Projected::Refused { refusal } => refusal
                .take()
                .map_or(Poll::Pending, |refusal| Poll::Ready(Ok(refusal))),
        }
    }
}
