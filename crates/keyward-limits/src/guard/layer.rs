use std::fmt;
use std::sync::Arc;

use http::header::ORIGIN;
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use keyward::{Denied, ProblemJson, Sources};
use tower_layer::Layer;

use super::GuardService;

/// Refuses requests that bear a key where none belongs: from browsers, or in the clear.
///
/// It stands around an [`ApiKeyLayer`](keyward::ApiKeyLayer) and answers 403 before any key is looked at,
/// so that good and bad ones are refused alike. Requests without a key pass: those of a CORS preflight
/// among them, which stays with the host's CORS layer.
///
/// ```
/// # use axum::{Router, routing::get};
/// # use keyward::{ApiKeyLayer, KeyFormat, Keyward};
/// # use keyward_limits::GuardLayer;
/// # use keyward_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = Keyward::builder(MemoryStore::default())
/// #     .format(KeyFormat::new("acme_live")?)
/// #     .start()
/// #     .await?;
/// let app: Router = Router::new()
///     .route("/orders", get(async || "orders"))
///     .layer(ApiKeyLayer::new(keys.verifier()))
///     .layer(GuardLayer::new().no_browsers());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GuardLayer<R = ProblemJson> {
    guards: Arc<Guards>,
    on_reject: R,
}

#[derive(Clone)]
pub(super) struct Guards {
    pub(super) sources: Sources,
    no_browsers: bool,
    encrypted: Option<Arc<IsEncrypted>>,
}

type IsEncrypted = dyn Fn(&Parts) -> bool + Send + Sync;

impl GuardLayer {
    /// Refuses nothing yet; looks for keys in `Authorization: Bearer`.
    #[must_use]
    pub fn new() -> Self {
        Self {
            guards: Arc::new(Guards {
                sources: Sources::bearer(),
                no_browsers: false,
                encrypted: None,
            }),
            on_reject: ProblemJson::default(),
        }
    }
}

impl Default for GuardLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl<R> GuardLayer<R> {
    /// Refuses keys that a browser sends: a key in a page, an app or an extension is a key that has
    /// leaked. It is told by `Origin` (RFC 6454 §7) or `Sec-Fetch-Site` (W3C Fetch Metadata), which pages
    /// cannot leave out, and which clients on servers do not send.
    #[must_use]
    pub fn no_browsers(self) -> Self {
        self.with(|guards| guards.no_browsers = true)
    }

    /// Refuses keys that come in the clear: those of requests for which this is false. It is the host
    /// that knows whether the connection, or the one to its proxy, was encrypted.
    #[must_use]
    pub fn encrypted_only(
        self,
        is_encrypted: impl Fn(&Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        self.with(|guards| guards.encrypted = Some(Arc::new(is_encrypted)))
    }

    /// Looks for keys in these places: those of the `ApiKeyLayer` within.
    #[must_use]
    pub fn sources(self, sources: Sources) -> Self {
        self.with(|guards| guards.sources = sources)
    }

    /// Answers in this way.
    #[must_use]
    pub fn on_reject<R2>(self, on_reject: R2) -> GuardLayer<R2> {
        GuardLayer {
            guards: self.guards,
            on_reject,
        }
    }

    fn with(mut self, change: impl FnOnce(&mut Guards)) -> Self {
        change(Arc::make_mut(&mut self.guards));
        self
    }
}

impl<S, R: Clone> Layer<S> for GuardLayer<R> {
    type Service = GuardService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        GuardService::new(inner, self.guards.clone(), self.on_reject.clone())
    }
}

impl Guards {
    /// Whether the whole request has to be looked at.
    pub(super) fn needs_parts(&self) -> bool {
        self.encrypted.is_some()
    }

    /// Whether a request that bears a key may come with these headers.
    pub(super) fn check_headers(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let by_browser = headers.contains_key(ORIGIN) || headers.contains_key(SEC_FETCH_SITE);
        if self.no_browsers && by_browser {
            return Err(Denied::from_browser());
        }
        Ok(())
    }

    /// Whether it may come on this way.
    pub(super) fn check_parts(&self, parts: &Parts) -> Result<(), Denied> {
        match &self.encrypted {
            Some(is_encrypted) if !is_encrypted(parts) => Err(Denied::not_encrypted()),
            _ => Ok(()),
        }
    }
}

impl fmt::Debug for Guards {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guards")
            .field("no_browsers", &self.no_browsers)
            .field("encrypted_only", &self.encrypted.is_some())
            .finish_non_exhaustive()
    }
}

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
