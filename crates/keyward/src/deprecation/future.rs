use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use http::{HeaderName, HeaderValue, Response};
use keyward_core::Principal;
use keyward_store::Successor;
use pin_project_lite::pin_project;

pin_project! {
    /// The answer to a request whose key may have been replaced.
    pub struct ResponseFuture<F> {
        #[pin]
        inner: F,
        replaced: Option<Principal>,
    }
}

impl<F> ResponseFuture<F> {
    pub(super) const fn new(inner: F, replaced: Option<Principal>) -> Self {
        Self { inner, replaced }
    }
}

impl<F, B, E> Future for ResponseFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut answer = ready!(this.inner.poll(cx));
        let successor = this.replaced.as_ref().and_then(Principal::successor);
        if let (Ok(response), Some(successor)) = (&mut answer, successor) {
            tell(response, successor);
        }
        Poll::Ready(answer)
    }
}

impl<F> fmt::Debug for ResponseFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}

fn tell<B>(response: &mut Response<B>, successor: &Successor) {
    let headers = [
        (DEPRECATION, deprecation(successor.since)),
        (SUNSET, sunset(successor.until)),
    ];
    for (name, value) in headers {
        if let Some(value) = value {
            response.headers_mut().insert(name, value);
        }
    }
}

/// A date of RFC 9651 §3.3.7: `@` and the seconds since 1970.
fn deprecation(since: SystemTime) -> Option<HeaderValue> {
    let seconds = since.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    HeaderValue::try_from(format!("@{seconds}")).ok()
}

/// An HTTP date (RFC 9110 §5.6.7), which is spelled up to the year 9999. It is cut to the second, so
/// that it is not later than the end.
fn sunset(until: SystemTime) -> Option<HeaderValue> {
    let seconds = until.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    if seconds >= YEAR_10000 {
        return None;
    }
    HeaderValue::try_from(httpdate::fmt_http_date(until)).ok()
}

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");
/// 10000-01-01T00:00:00Z in seconds from 1970.
const YEAR_10000: u64 = 253_402_300_800;
