use std::task::{Context, Poll};

use http::{Request, Response};
use keyward_core::Principal;
use tower_service::Service;

use super::future::ResponseFuture;

/// What [`DeprecationLayer`](crate::DeprecationLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct DeprecationService<S> {
    inner: S,
}

impl<S> DeprecationService<S> {
    pub(super) const fn new(inner: S) -> Self {
        Self { inner }
    }
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for DeprecationService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        let principal = request.extensions().get::<Principal>();
        // Cloned for few: most keys have no successor.
        let replaced = principal.filter(|principal| principal.successor().is_some());
        let replaced = replaced.cloned();
        ResponseFuture::new(self.inner.call(request), replaced)
    }
}
