use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use keyward_core::{Denied, PendingVerification};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::Reject;
use crate::credential::{Found, is_grpc};
use crate::layer::Settings;

pub use crate::deprecation::future::ResponseFuture as DeprecationFuture;
pub use crate::require::future::ResponseFuture as RequireScopesFuture;

pin_project! {
    /// The answer to a request that had to show a key.
    pub struct ResponseFuture<S, R, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody>,
        on_reject: R,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqBody>
    where
        S: Service<Request<ReqBody>>,
    {
        /// The key is good, or not asked for: the inner service answers.
        Inner { #[pin] future: S::Future },
        /// It is not.
        Denied { denied: Denied },
        /// The store is asked.
        Miss { miss: Box<Miss<S, ReqBody>> },
    }
}

/// Everything that waits for the store.
pub(crate) struct Miss<S, ReqBody> {
    pending: PendingVerification,
    /// Taken when the answer is there.
    request: Option<(Request<ReqBody>, Found)>,
    ready: S,
    settings: Arc<Settings>,
}

impl<S, ReqBody> Miss<S, ReqBody> {
    pub(crate) fn new(
        pending: PendingVerification,
        request: Request<ReqBody>,
        found: Found,
        ready: S,
        settings: Arc<Settings>,
    ) -> Box<Self> {
        Box::new(Self {
            pending,
            request: Some((request, found)),
            ready,
            settings,
        })
    }
}

impl<S, R, ReqBody> ResponseFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    pub(crate) const fn inner(future: S::Future, on_reject: R) -> Self {
        let state = State::Inner { future };
        Self { state, on_reject }
    }

    pub(crate) const fn denied(denied: Denied, on_reject: R) -> Self {
        let state = State::Denied { denied };
        Self { state, on_reject }
    }

    pub(crate) const fn miss(miss: Box<Miss<S, ReqBody>>, on_reject: R) -> Self {
        let state = State::Miss { miss };
        Self { state, on_reject }
    }
}

impl<S, R, ReqBody, ResBody> Future for ResponseFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
    R: Reject<ResBody>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            let next = match this.state.as_mut().project() {
                StateProjection::Inner { future } => {
                    let mut response = ready!(future.poll(cx)?);
                    // A scope layer or an extractor within refused: the answer is made here, so
                    // that all refusals of a service look alike.
                    if let Some(denied) = response.extensions_mut().remove::<Denied>() {
                        let anew = this.on_reject.reject(&denied);
                        response = with_headers_of(anew, &response);
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Denied { denied } => {
                    return Poll::Ready(Ok(this.on_reject.reject(denied)));
                }
                StateProjection::Miss { miss } => {
                    let decision = ready!(Pin::new(&mut miss.pending).poll(cx));
                    let Some((mut request, found)) = miss.request.take() else {
                        return Poll::Pending;
                    };
                    match decision {
                        Ok(principal) => {
                            miss.settings.admit(&mut request, principal, found);
                            let future = miss.ready.call(request);
                            State::Inner { future }
                        }
                        Err(denied) => {
                            let denied = denied.over_grpc(is_grpc(&request));
                            State::Denied { denied }
                        }
                    }
                }
            };
            this.state.set(next);
        }
    }
}

/// Keeps what layers in between have added to a refusal: the headers of CORS, of request ids, and
/// the like. What a refusal itself says is said anew.
#[cold]
fn with_headers_of<B>(mut anew: Response<B>, inner: &Response<B>) -> Response<B> {
    let headers = anew.headers_mut();
    for name in inner.headers().keys() {
        let said_anew = OF_A_REFUSAL.iter().any(|own| name.as_str() == *own);
        if !said_anew && !headers.contains_key(name) {
            for value in inner.headers().get_all(name) {
                headers.append(name.clone(), value.clone());
            }
        }
    }
    anew
}

const OF_A_REFUSAL: [&str; 8] = [
    "cache-control",
    "content-encoding",
    "content-length",
    "content-type",
    "grpc-message",
    "grpc-status",
    "retry-after",
    "www-authenticate",
];

impl<S, R, ReqBody> fmt::Debug for ResponseFuture<S, R, ReqBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
