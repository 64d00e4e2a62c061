//! Who takes part: services, and the requests that are sent to them.

use std::convert::Infallible;
use std::fmt::Debug;
use std::hint::black_box;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use axum::Router;
use axum::body::Body;
use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, HOST, USER_AGENT};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use http_body_util::Full;
use tower::{Layer, Service};

use crate::Result;
use crate::bed::{self, Bare};
use crate::harness::{Contender, Entry};

/// The contenders in the order of the report.
#[derive(Default)]
pub(crate) struct Lineup {
    entries: Vec<Entry>,
}

impl Lineup {
    /// A layer around the bare service.
    pub(crate) fn bare<L, S>(&mut self, name: &str, layer: L, traffic: Traffic)
    where
        L: Layer<Bare, Service = S>,
        S: Service<Request<()>, Response = Response<Full<Bytes>>, Error = Infallible> + 'static,
    {
        let calls = Calls::new(layer.layer(Bare), || (), traffic);
        self.enter(format!("bare: {name}"), calls);
    }

    /// A router with its layers.
    pub(crate) fn router(
        &mut self,
        name: &str,
        layer: impl FnOnce(Router) -> Router,
        traffic: Traffic,
    ) {
        let calls = Calls::new(layer(bed::router()), Body::empty, traffic);
        self.enter(format!("router: {name}"), calls);
    }

    /// What is no service.
    pub(crate) fn apart(&mut self, name: &str, contender: impl Contender + 'static) {
        self.enter(name.to_owned(), contender);
    }

    pub(crate) fn into_contenders(self) -> Vec<Entry> {
        self.entries
    }

    fn enter(&mut self, name: String, contender: impl Contender + 'static) {
        self.entries.push(Entry {
            name,
            contender: Box::new(contender),
        });
    }
}

/// The requests that a contender gets, and the answer that they must have.
#[derive(Clone)]
pub(crate) struct Traffic {
    credentials: Vec<Option<HeaderValue>>,
    expect: StatusCode,
}

impl Traffic {
    /// Requests without an `Authorization` line.
    pub(crate) fn anonymous(expect: StatusCode) -> Self {
        Self {
            credentials: vec![None],
            expect,
        }
    }

    /// Requests with these values of the `Authorization` line, in turn and again from the start.
    pub(crate) fn new<C>(
        credentials: impl IntoIterator<Item = C>,
        expect: StatusCode,
    ) -> Result<Self>
    where
        C: Into<String>,
    {
        let mut values = Vec::new();
        for credential in credentials {
            // Shared bytes, as a server's header values are slices of what it read.
            values.push(Some(HeaderValue::from_maybe_shared(Bytes::from(
                credential.into(),
            ))?));
        }
        if values.is_empty() {
            return Err("a contender without traffic".into());
        }
        Ok(Self {
            credentials: values,
            expect,
        })
    }

    /// Requests with this one token.
    pub(crate) fn bearer(token: &str, expect: StatusCode) -> Result<Self> {
        Self::new([format!("Bearer {token}")], expect)
    }
}

/// A service, its traffic, and the requests that are ready to be sent.
struct Calls<S, B> {
    service: S,
    body: fn() -> B,
    traffic: Traffic,
    next: usize,
    requests: Vec<Request<B>>,
}

impl<S, B> Calls<S, B> {
    fn new(service: S, body: fn() -> B, traffic: Traffic) -> Self {
        Self {
            service,
            body,
            traffic,
            next: 0,
            requests: Vec::new(),
        }
    }

    /// A request as a small client sends it.
    fn request(&mut self) -> Request<B> {
        let mut request = Request::new((self.body)());
        *request.uri_mut() = http::Uri::from_static(bed::PATH);
        let mut headers = HeaderMap::with_capacity(4);
        headers.insert(HOST, HeaderValue::from_static("api.example.com"));
        headers.insert(USER_AGENT, HeaderValue::from_static("curl/8.14.1"));
        headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
        if let Some(credential) = &self.traffic.credentials[self.next] {
            headers.insert(AUTHORIZATION, credential.clone());
        }
        *request.headers_mut() = headers;
        self.next = (self.next + 1) % self.traffic.credentials.len();
        request
    }
}

impl<S, B, R> Contender for Calls<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
    S::Error: Debug,
{
    fn prepare(&mut self, n: usize) {
        self.requests.clear();
        for _ in 0..n {
            let request = self.request();
            self.requests.push(request);
        }
    }

    fn answer(&mut self, n: usize) -> usize {
        let mut context = Context::from_waker(Waker::noop());
        let mut wrong = 0;
        for request in self.requests.drain(..n) {
            if !matches!(self.service.poll_ready(&mut context), Poll::Ready(Ok(()))) {
                wrong += 1;
                continue;
            }
            let answer = pin!(self.service.call(black_box(request)));
            // Nothing here may wait: a contender that does not answer at once is not measured.
            match answer.poll(&mut context) {
                Poll::Ready(Ok(answer)) if black_box(&answer).status() == self.traffic.expect => {}
                _ => wrong += 1,
            }
        }
        wrong
    }
}
