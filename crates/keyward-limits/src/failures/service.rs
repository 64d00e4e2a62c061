use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use keyward::{ProblemJson, Reject, Sources, is_grpc};
use tower_service::Service;

use super::ResponseFuture;
use super::future::Attempt;
use crate::rate::Failures;

/// What [`FailureLimitLayer`](crate::FailureLimitLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct FailureLimitService<S, R = ProblemJson> {
    inner: S,
    failures: Failures,
    sources: Arc<Sources>,
    on_reject: R,
}

impl<S, R> FailureLimitService<S, R> {
    pub(super) const fn new(
        inner: S,
        failures: Failures,
        sources: Arc<Sources>,
        on_reject: R,
    ) -> Self {
        Self {
            inner,
            failures,
            sources,
            on_reject,
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for FailureLimitService<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: Reject<ResBody> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        if !self.sources.bear_any(request.headers()) {
            return ResponseFuture::new(self.inner.call(request), None);
        }
        // Found now: the inner service has the request when it turns out to have failed.
        let (parts, body) = request.into_parts();
        let who = self.failures.who(&parts);
        let request = Request::from_parts(parts, body);
        let attempt = Attempt {
            who,
            grpc: is_grpc(&request),
            failures: self.failures.clone(),
            on_reject: self.on_reject.clone(),
        };
        ResponseFuture::new(self.inner.call(request), Some(attempt))
    }
}
