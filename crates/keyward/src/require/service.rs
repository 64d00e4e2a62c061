use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::ResponseFuture;
use super::layer::Requirement;
use crate::credential::is_grpc;
use crate::{ProblemJson, Reject, principal};

/// What [`RequireScopes`](crate::RequireScopes) makes of a service.
#[derive(Clone, Debug)]
pub struct RequireScopesService<S, R = ProblemJson> {
    inner: S,
    requirement: Arc<Requirement>,
    on_reject: R,
}

impl<S, R> RequireScopesService<S, R> {
    pub(super) fn new(inner: S, requirement: Arc<Requirement>, on_reject: R) -> Self {
        Self {
            inner,
            requirement,
            on_reject,
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for RequireScopesService<S, R>
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
        let verdict = principal(request.extensions());
        let verdict = verdict.and_then(|principal| self.requirement.check(principal));
        match verdict {
            Ok(()) => ResponseFuture::inner(self.inner.call(request)),
            Err(denied) => {
                let denied = denied.over_grpc(is_grpc(&request));
                let mut response = self.on_reject.reject(&denied);
                // The layer around this one makes the answer anew, in its own way.
                response.extensions_mut().insert(denied);
                ResponseFuture::refused(response)
            }
        }
    }
}
