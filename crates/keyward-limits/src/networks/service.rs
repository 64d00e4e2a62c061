use std::task::{Context, Poll};

use http::{Request, Response};
use keyward::{Anonymous, Denied, Principal, ProblemJson, Reject, is_grpc};
use tower_service::Service;

use crate::address::AddressOf;
use crate::guard::ResponseFuture;

/// What [`NetworksLayer`](crate::NetworksLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct NetworksService<S, R = ProblemJson> {
    inner: S,
    address: AddressOf,
    on_reject: R,
}

impl<S, R> NetworksService<S, R> {
    pub(super) const fn new(inner: S, address: AddressOf, on_reject: R) -> Self {
        Self {
            inner,
            address,
            on_reject,
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for NetworksService<S, R>
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
                let mut response = self.on_reject.reject(&denied);
                // The layer around this one makes the answer anew, in its own way.
                response.extensions_mut().insert(denied);
                ResponseFuture::refused(response)
            }
        }
    }
}

impl<S, R> NetworksService<S, R> {
    fn check<B>(&self, request: Request<B>) -> (Request<B>, Result<(), Denied>) {
        match request.extensions().get::<Principal>() {
            Some(key) if key.networks().is_empty() => return (request, Ok(())),
            Some(_) => {}
            None if request.extensions().get::<Anonymous>().is_some() => return (request, Ok(())),
            None => {
                tracing::error!(target: "keyward", "addresses are to be looked at without ApiKeyLayer");
                return (request, Err(Denied::layer_missing()));
            }
        }
        let (parts, body) = request.into_parts();
        let address = self.address.of(&parts);
        let key = parts.extensions.get::<Principal>();
        let is_allowed = key.zip(address).is_some_and(|(key, address)| {
            let mut networks = key.networks().iter();
            networks.any(|network| network.contains(&address))
        });
        let verdict = if is_allowed {
            Ok(())
        } else {
            Err(Denied::address_not_allowed())
        };
        (Request::from_parts(parts, body), verdict)
    }
}
