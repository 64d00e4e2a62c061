use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use keyward::{Denied, ProblemJson, Reject, is_grpc};
use tower_service::Service;

use super::ResponseFuture;
use super::layer::Guards;

/// What [`GuardLayer`](crate::GuardLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct GuardService<S, R = ProblemJson> {
    inner: S,
    guards: Arc<Guards>,
    on_reject: R,
}

impl<S, R> GuardService<S, R> {
    pub(super) const fn new(inner: S, guards: Arc<Guards>, on_reject: R) -> Self {
        Self {
            inner,
            guards,
            on_reject,
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for GuardService<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: Reject<ResBody>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let (request, verdict) = self.check(request);
        match verdict {
            Ok(()) => ResponseFuture::inner(self.inner.call(request)),
            Err(denied) => {
                tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
                let denied = denied.over_grpc(is_grpc(&request));
                ResponseFuture::refused(self.on_reject.reject(&denied))
            }
        }
    }
}

impl<S, R> GuardService<S, R> {
    fn check<B>(&self, request: Request<B>) -> (Request<B>, Result<(), Denied>) {
        let guards = &self.guards;
        if !guards.sources.bear_any(request.headers()) {
            return (request, Ok(()));
        }
        let verdict = guards.check_headers(request.headers());
        if verdict.is_err() || !guards.needs_parts() {
            return (request, verdict);
        }
        let (parts, body) = request.into_parts();
        let verdict = guards.check_parts(&parts);
        (Request::from_parts(parts, body), verdict)
    }
}
