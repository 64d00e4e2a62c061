use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response, StatusCode};
use keyward_core::{Denied, DeniedKind};
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
    ResBody: Default,
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
                let denied = denied.over_grpc(is_grpc(request.headers()));
                ResponseFuture::refused(self.refuse(denied))
            }
        }
    }
}

impl<S, R> RequireScopesService<S, R> {
    #[cold]
    fn refuse<B>(&self, denied: Denied) -> Response<B>
    where
        B: Default,
        R: Reject<B>,
    {
        if denied.kind() == DeniedKind::LayerMissing {
            return self.on_reject.reject(&denied);
        }
        // There is a layer around this one, and it makes the answer in its own way.
        let status = StatusCode::from_u16(denied.kind().status());
        let mut response = Response::new(B::default());
        *response.status_mut() = status.unwrap_or(StatusCode::FORBIDDEN);
        response.extensions_mut().insert(denied);
        response
    }
}
