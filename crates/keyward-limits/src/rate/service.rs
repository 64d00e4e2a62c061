use std::task::{Context, Poll};

use http::{Extensions, HeaderMap, Request, Response};
use keyward::{Anonymous, Denied, Principal, ProblemJson, Reject, is_grpc};
use tower_service::Service;

use super::RateLimits;
use super::buckets::Counted;
use super::future::{Ask, ResponseFuture};
use super::headers::{self, Told};
use super::verdict::Verdict;

/// What [`RateLimitLayer`](crate::RateLimitLayer) makes of a service.
#[derive(Clone, Debug)]
pub struct RateLimitService<S, R = ProblemJson> {
    inner: S,
    limits: RateLimits,
    told: Told,
    on_reject: R,
}

/// By which limiters a request has been counted.
#[derive(Clone, Debug, Default)]
struct CountedUnder(Vec<usize>);

impl<S, R> RateLimitService<S, R> {
    pub(super) const fn new(inner: S, limits: RateLimits, told: Told, on_reject: R) -> Self {
        Self {
            inner,
            limits,
            told,
            on_reject,
        }
    }
}

impl<S, R, ReqBody, ResBody> Service<Request<ReqBody>> for RateLimitService<S, R>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    R: Reject<ResBody> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, R, ReqBody, ResBody>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx)
    }

    #[inline]
    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let Some(key) = request.extensions_mut().get_mut::<Principal>() else {
            return self.call_without_key(request);
        };
        let is_first = match u8::try_from(self.limits.id()) {
            Ok(id) if id < 64 => key.count_once(id),
            // So many limiters in one process are told apart by the request's extensions.
            _ => count_once(request.extensions_mut(), self.limits.id()),
        };
        let key = request.extensions().get::<Principal>();
        let Some(key) = key.filter(|_| is_first) else {
            return ResponseFuture::inner(self.inner.call(request));
        };
        if self.limits.is_shared() || self.limits.needs_parts(Some(key)) {
            return self.call_slow(request);
        }
        let told = self.told;
        let verdict = self
            .limits
            .count_key(key, told.on_success, |counted, verdict| {
                judged(counted, verdict, told)
            });
        match verdict {
            Ok(None) => ResponseFuture::inner(self.inner.call(request)),
            Ok(Some(headers)) => ResponseFuture::told(self.inner.call(request), headers),
            Err(refused) => self.refuse(&request, *refused),
        }
    }
}

/// Whether this is the first layer that counts the request.
#[cold]
fn count_once(extensions: &mut Extensions, id: usize) -> bool {
    let under = extensions.get_or_insert_default::<CountedUnder>();
    let is_first = !under.0.contains(&id);
    if is_first {
        under.0.push(id);
    }
    is_first
}

/// Whether the request passes, and what is said of it.
pub(super) type Judged = Result<Option<HeaderMap>, Box<Refused>>;

/// Why a request does not pass, and what is said of it.
pub(super) struct Refused {
    denied: Denied,
    headers: HeaderMap,
}

#[inline]
pub(super) fn judged(counted: &[Counted], verdict: Verdict, told: Told) -> Judged {
    match verdict.outcome {
        Ok(()) if !told.on_success || verdict.quotas.is_empty() => Ok(None),
        outcome => {
            let mut said = HeaderMap::new();
            let lines = headers::lines(counted, &verdict.quotas);
            if !lines.is_empty() {
                headers::tell(&mut said, &lines, told.x_headers);
            }
            match outcome {
                Ok(()) => Ok(Some(said)),
                Err(denied) => Err(Box::new(Refused {
                    denied,
                    headers: said,
                })),
            }
        }
    }
}

impl<S, R> RateLimitService<S, R> {
    #[cold]
    fn call_without_key<ReqBody, ResBody>(
        &mut self,
        mut request: Request<ReqBody>,
    ) -> ResponseFuture<S, R, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        R: Reject<ResBody> + Clone,
    {
        if !self.limits.counts_without_key() {
            if request.extensions().get::<Anonymous>().is_some() {
                return ResponseFuture::inner(self.inner.call(request));
            }
            tracing::error!(target: "keyward", "requests are to be counted by key, without ApiKeyLayer");
            let refused = Refused {
                denied: Denied::layer_missing(),
                headers: HeaderMap::new(),
            };
            return self.refuse(&request, refused);
        }
        if !count_once(request.extensions_mut(), self.limits.id()) {
            return ResponseFuture::inner(self.inner.call(request));
        }
        self.call_slow(request)
    }

    /// The whole request is looked at, or other nodes are asked.
    fn call_slow<ReqBody, ResBody>(
        &mut self,
        request: Request<ReqBody>,
    ) -> ResponseFuture<S, R, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
        R: Reject<ResBody> + Clone,
    {
        let (parts, body) = request.into_parts();
        let key = parts.extensions.get::<Principal>();
        let counted = self.limits.counted(key, Some(&parts));
        let request = Request::from_parts(parts, body);
        if self.limits.is_shared() && !counted.is_empty() {
            // The service that was found ready goes along; its clone may not be ready.
            // https://docs.rs/tower/latest/tower/trait.Service.html#be-careful-when-cloning-inner-services
            let clone = self.inner.clone();
            let ready = std::mem::replace(&mut self.inner, clone);
            let ask = Ask::new(self.limits.clone(), counted, self.told, request, ready);
            return ResponseFuture::ask(ask, self.on_reject.clone());
        }
        let verdict =
            self.limits
                .count_here(&counted, request.extensions().get(), self.told.on_success);
        match judged(&counted, verdict, self.told) {
            Ok(None) => ResponseFuture::inner(self.inner.call(request)),
            Ok(Some(headers)) => ResponseFuture::told(self.inner.call(request), headers),
            Err(refused) => self.refuse(&request, *refused),
        }
    }

    #[cold]
    fn refuse<ReqBody, ResBody>(
        &self,
        request: &Request<ReqBody>,
        refused: Refused,
    ) -> ResponseFuture<S, R, ReqBody, ResBody>
    where
        S: Service<Request<ReqBody>, Response = Response<ResBody>>,
        R: Reject<ResBody>,
    {
        ResponseFuture::refused(refusal(&self.on_reject, refused, is_grpc(request)))
    }
}

/// The answer, which a layer around this one makes anew in its own way, and keeps these headers.
#[cold]
pub(super) fn refusal<R, B>(on_reject: &R, refused: Refused, grpc: bool) -> Response<B>
where
    R: Reject<B>,
{
    let Refused { denied, headers } = refused;
    let denied = denied.over_grpc(grpc);
    tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
    let mut response = on_reject.reject(&denied);
    response.headers_mut().extend(headers);
    response.extensions_mut().insert(denied);
    response
}
