use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use keyward_core::{
    Anonymous, Denied, DeniedKind, PendingVerification, Principal, Reason, Verification, Verifier,
};
use tower_service::Service;

use crate::credential::{self, Found};
use crate::future::{Miss, ResponseFuture};
use crate::layer::Settings;
use crate::{ProblemJson, Reject};

/// What [`ApiKeyLayer`](crate::ApiKeyLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct ApiKeyService<S, R = ProblemJson> {
    inner: S,
    verifier: Verifier,
    settings: Arc<Settings>,
    on_reject: R,
}

impl<S, R> ApiKeyService<S, R> {
    pub(crate) fn new(inner: S, verifier: Verifier, settings: Arc<Settings>, on_reject: R) -> Self {
        Self {
            inner,
            verifier,
            settings,
            on_reject,
        }
    }

    /// The service within.
    pub fn get_ref(&self) -> &S {
        &self.inner
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for ApiKeyService<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    R: Reject<ResBody> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, R, ReqBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let found = match credential::take(request.headers_mut(), &self.settings.sources) {
            Ok(Some(found)) => found,
            Ok(None) => return self.call_without(request),
            Err(denied) => return self.refuse(&request, denied),
        };
        match found.read(|credential| self.verifier.check(credential)) {
            Ok(Verification::Decided(Ok(principal))) => {
                self.settings.admit(&mut request, principal, found);
                ResponseFuture::inner(self.inner.call(request), self.on_reject.clone())
            }
            Ok(Verification::Pending(pending)) => self.ask(request, pending, found),
            Ok(Verification::Decided(Err(denied))) => {
                // Keys of other systems may have characters that no token has: what is spelled like
                // one is answered like every other key.
                let unreadable = denied.reason() == Reason::NotAKey && !found.is_well_formed();
                let denied = if unreadable {
                    Denied::invalid_request(Reason::Malformed)
                } else {
                    denied
                };
                self.refuse(&request, denied)
            }
            Err(denied) => self.refuse(&request, denied),
        }
    }
}

impl<S, R: Clone> ApiKeyService<S, R> {
    /// A request without a credential.
    fn call_without<ReqBody>(
        &mut self,
        mut request: Request<ReqBody>,
    ) -> ResponseFuture<S, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        if !self.settings.optional {
            return self.refuse(&request, Denied::no_credential());
        }
        let extensions = request.extensions_mut();
        extensions.remove::<Principal>();
        extensions.insert(Anonymous::mark());
        ResponseFuture::inner(self.inner.call(request), self.on_reject.clone())
    }

    #[cold]
    fn refuse<ReqBody>(
        &self,
        request: &Request<ReqBody>,
        denied: Denied,
    ) -> ResponseFuture<S, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        if matches!(
            denied.kind(),
            DeniedKind::NoCredential | DeniedKind::InvalidRequest
        ) {
            // The verifier has told of what it refused itself.
            tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
        }
        let denied = denied.over_grpc(credential::is_grpc(request));
        ResponseFuture::denied(denied, self.on_reject.clone())
    }

    #[cold]
    fn ask<ReqBody>(
        &mut self,
        request: Request<ReqBody>,
        pending: PendingVerification,
        found: Found,
    ) -> ResponseFuture<S, R, ReqBody>
    where
        S: Service<Request<ReqBody>> + Clone,
    {
        // The service that was found ready goes along; its clone may not be ready.
        // https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services
        let clone = self.inner.clone();
        let ready = std::mem::replace(&mut self.inner, clone);
        let miss = Miss::new(pending, request, found, ready, self.settings.clone());
        ResponseFuture::miss(miss, self.on_reject.clone())
    }
}
