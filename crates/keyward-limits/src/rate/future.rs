use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{HeaderMap, Request, Response};
use keyward::{Reject, is_grpc};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::RateLimits;
use super::buckets::Counted;
use super::headers::Told;
use super::service::{Judged, judged, refusal};

pin_project! {
    /// The answer to a request that was counted.
    pub struct ResponseFuture<S, R, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>>,
    {
        #[pin]
        state: State<S, ReqBody, ResBody>,
        // Said of the answer of the inner service.
        headers: Option<HeaderMap>,
        on_reject: Option<R>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>>,
    {
        Inner { #[pin] future: S::Future },
        // Taken when it is given out.
        Refused { response: Option<Response<ResBody>> },
        // Other nodes are asked.
        Ask { ask: Box<Ask<S, ReqBody>> },
    }
}

/// Everything that waits for what other nodes have counted.
pub(super) struct Ask<S, ReqBody> {
    verdict: Pin<Box<dyn Future<Output = Judged> + Send>>,
    /// Taken when the answer is there.
    request: Option<Request<ReqBody>>,
    ready: S,
}

impl<S, ReqBody> Ask<S, ReqBody> {
    pub(super) fn new(
        limits: RateLimits,
        counted: Vec<Counted>,
        told: Told,
        request: Request<ReqBody>,
        ready: S,
    ) -> Box<Self> {
        let verdict = async move {
            let verdict = limits.count_shared(&counted, told.on_success).await;
            judged(&counted, verdict, told)
        };
        Box::new(Self {
            verdict: Box::pin(verdict),
            request: Some(request),
            ready,
        })
    }
}

impl<S, R, ReqBody, ResBody> ResponseFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    #[inline]
    pub(super) const fn inner(future: S::Future) -> Self {
        Self {
            state: State::Inner { future },
            headers: None,
            on_reject: None,
        }
    }

    pub(super) const fn told(future: S::Future, headers: HeaderMap) -> Self {
        Self {
            state: State::Inner { future },
            headers: Some(headers),
            on_reject: None,
        }
    }

    pub(super) const fn refused(response: Response<ResBody>) -> Self {
        let response = Some(response);
        Self {
            state: State::Refused { response },
            headers: None,
            on_reject: None,
        }
    }

    pub(super) const fn ask(ask: Box<Ask<S, ReqBody>>, on_reject: R) -> Self {
        Self {
            state: State::Ask { ask },
            headers: None,
            on_reject: Some(on_reject),
        }
    }
}

impl<S, R, ReqBody, ResBody> Future for ResponseFuture<S, R, ReqBody, ResBody>
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
                    if let Some(headers) = this.headers.take() {
                        response.headers_mut().extend(headers);
                    }
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Refused { response } => {
                    return match response.take() {
                        Some(response) => Poll::Ready(Ok(response)),
                        None => Poll::Pending,
                    };
                }
                StateProjection::Ask { ask } => {
                    let judged = ready!(ask.verdict.as_mut().poll(cx));
                    let (Some(request), Some(on_reject)) =
                        (ask.request.take(), this.on_reject.take())
                    else {
                        return Poll::Pending;
                    };
                    match judged {
                        Ok(headers) => {
                            *this.headers = headers;
                            let future = ask.ready.call(request);
                            State::Inner { future }
                        }
                        Err(refused) => {
                            let grpc = is_grpc(&request);
                            let response = Some(refusal(&on_reject, *refused, grpc));
                            State::Refused { response }
                        }
                    }
                }
            };
            this.state.set(next);
        }
    }
}

impl<S, R, ReqBody, ResBody> fmt::Debug for ResponseFuture<S, R, ReqBody, ResBody>
where
    S: Service<Request<ReqBody>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
