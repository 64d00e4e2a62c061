use std::net::IpAddr;
use std::sync::Arc;

use http::request::Parts;
use keyward::{Clock, Limit, ProblemJson, Sources};
use tower_layer::Layer;

use super::FailureLimitService;
use crate::address::AddressOf;
use crate::rate::Failures;

/// Limits failed attempts from one address: beyond the limit, a bad key is answered 429 and not 401.
///
/// It stands around an [`ApiKeyLayer`](keyward::ApiKeyLayer). A good key passes whatever else has come from
/// its address, so nobody can lock a key out, neither its bearer nor a neighbour behind the same proxy. What
/// bad keys cost the service is bounded by the verifier, whatever their number, and to guess a key is out of
/// reach; this tells clients that go on with a bad one to stop, and operators who they are.
///
/// Of IPv6, a network of 64 bits counts as one address; requests whose address is not known count together.
#[derive(Clone, Debug)]
pub struct FailureLimitLayer<R = ProblemJson> {
    failures: Failures,
    sources: Arc<Sources>,
    on_reject: R,
}

impl FailureLimitLayer {
    /// So many failures of each address, which is found like this; see
    /// [`TrustedProxies`](crate::TrustedProxies).
    #[must_use]
    pub fn new(
        limit: Limit,
        address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static,
    ) -> Self {
        Self {
            failures: Failures::new(limit, AddressOf::new(address)),
            sources: Arc::new(Sources::bearer()),
            on_reject: ProblemJson::default(),
        }
    }
}

impl<R> FailureLimitLayer<R> {
    /// Looks for keys in these places: those of the `ApiKeyLayer` within.
    #[must_use]
    pub fn sources(mut self, sources: Sources) -> Self {
        self.sources = Arc::new(sources);
        self
    }

    /// Takes the time from this clock.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.failures = self.failures.clock(clock);
        self
    }

    /// Answers in this way.
    #[must_use]
    pub fn on_reject<R2>(self, on_reject: R2) -> FailureLimitLayer<R2> {
        FailureLimitLayer {
            failures: self.failures,
            sources: self.sources,
            on_reject,
        }
    }
}

impl<S, R: Clone> Layer<S> for FailureLimitLayer<R> {
    type Service = FailureLimitService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        FailureLimitService::new(
            inner,
            self.failures.clone(),
            self.sources.clone(),
            self.on_reject.clone(),
        )
    }
}
