use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, HeaderName, Response, StatusCode};
use keyward::Reject;
use pin_project_lite::pin_project;

use crate::rate::{Failures, Who};

pin_project! {
    /// The answer to a request, which may turn out to have been one failure too many.
    pub struct ResponseFuture<F, R> {
        #[pin]
        inner: F,
        attempt: Option<Attempt<R>>,
    }
}

/// A request that bears a key.
pub(super) struct Attempt<R> {
    pub(super) who: Who,
    pub(super) grpc: bool,
    pub(super) failures: Failures,
    pub(super) on_reject: R,
}

impl<F, R> ResponseFuture<F, R> {
    pub(super) const fn new(inner: F, attempt: Option<Attempt<R>>) -> Self {
        Self { inner, attempt }
    }
}

impl<F, R, B, E> Future for ResponseFuture<F, R>
where
    F: Future<Output = Result<Response<B>, E>>,
    R: Reject<B>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answer = ready!(this.inner.poll(cx));
        let (Ok(response), Some(attempt)) = (&answer, this.attempt) else {
            return Poll::Ready(answer);
        };
        if !has_failed(response.status(), response.headers()) {
            return Poll::Ready(answer);
        }
        match attempt.failures.count(&attempt.who) {
            Ok(()) => Poll::Ready(answer),
            Err(denied) => {
                tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
                let denied = denied.over_grpc(attempt.grpc);
                Poll::Ready(Ok(attempt.on_reject.reject(&denied)))
            }
        }
    }
}

/// 401, or `UNAUTHENTICATED` in gRPC's way.
fn has_failed(status: StatusCode, headers: &HeaderMap) -> bool {
    let grpc = headers.get(GRPC_STATUS);
    status == StatusCode::UNAUTHORIZED || grpc.is_some_and(|status| status == "16")
}

impl<F, R> fmt::Debug for ResponseFuture<F, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
