use std::sync::Arc;
use std::task::{Context, Poll};

use http::{HeaderMap, Request, Response};
use keyward_core::{Anonymous, Denied, DeniedKind, Principal, Verification, Verifier};
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

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let on_reject = self.on_reject.clone();
        match self.decide(request.headers_mut()) {
            Decision::Admit(principal, kept) => {
                let request = admit(request, principal, kept, &self.settings);
                ResponseFuture::inner(self.inner.call(request), on_reject)
            }
            Decision::Anonymous => {
                let extensions = request.extensions_mut();
                extensions.remove::<Principal>();
                extensions.insert(Anonymous::mark());
                ResponseFuture::inner(self.inner.call(request), on_reject)
            }
            Decision::Refuse(denied) => {
                let denied = denied.over_grpc(credential::is_grpc(request.headers()));
                ResponseFuture::denied(denied, on_reject)
            }
            Decision::Ask(pending, found) => {
                // The service that was found ready goes along; its clone may not be ready.
                // https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services
                let clone = self.inner.clone();
                let ready = std::mem::replace(&mut self.inner, clone);
                let kept = self.settings.keep_credential.then_some(found);
                let miss = Miss::new(pending, request, kept, ready, self.settings.clone());
                ResponseFuture::miss(miss, on_reject)
            }
        }
    }
}

enum Decision {
    /// With the credential, where it is to be kept.
    Admit(Principal, Option<Found>),
    Anonymous,
    Refuse(Denied),
    Ask(keyward_core::PendingVerification, Found),
}

impl<S, R> ApiKeyService<S, R> {
    #[inline]
    fn decide(&self, headers: &mut HeaderMap) -> Decision {
        let found = match credential::take(headers, &self.settings.sources) {
            Ok(Some(found)) => found,
            Ok(None) if self.settings.optional => return Decision::Anonymous,
            Ok(None) => return Decision::Refuse(Denied::no_credential()),
            Err(denied) => return refuse(denied),
        };
        match found.read(|credential| self.verifier.check(credential)) {
            Ok(Verification::Decided(Ok(principal))) => {
                Decision::Admit(principal, self.settings.keep_credential.then_some(found))
            }
            Ok(Verification::Pending(pending)) => Decision::Ask(pending, found),
            Ok(Verification::Decided(Err(denied))) => {
                if denied.kind() == DeniedKind::InvalidToken && !found.is_well_formed() {
                    let malformed = keyward_core::Reason::Malformed;
                    return refuse(Denied::invalid_request(malformed));
                }
                Decision::Refuse(denied)
            }
            Err(denied) => refuse(denied),
        }
    }
}

fn refuse(denied: Denied) -> Decision {
    tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
    Decision::Refuse(denied)
}

/// The request as the inner service gets it.
#[inline]
pub(crate) fn admit<B>(
    mut request: Request<B>,
    principal: Principal,
    kept: Option<Found>,
    settings: &Settings,
) -> Request<B> {
    request.extensions_mut().insert(principal);
    if let Some(found) = kept {
        settings.put_back(request.headers_mut(), found);
    }
    request
}
