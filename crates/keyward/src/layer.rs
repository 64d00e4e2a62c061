use std::sync::Arc;

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Request};
use keyward_core::{Principal, Verifier};
use tower_layer::Layer;

use crate::credential::{Found, Place};
use crate::{ApiKeyService, ProblemJson, Sources};

/// Lets requests that bear a good key through, with their [`Principal`](crate::Principal) in the
/// extensions, and answers the others.
///
/// The inner service is called only after the verdict. Before it is, the credential is taken out of
/// the request, and so is any principal that was there before.
#[derive(Clone, Debug)]
pub struct ApiKeyLayer<R = ProblemJson> {
    verifier: Verifier,
    settings: Arc<Settings>,
    on_reject: R,
}

#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) sources: Sources,
    pub(crate) optional: bool,
    pub(crate) keep_credential: bool,
}

impl ApiKeyLayer {
    /// Asks for a key in `Authorization: Bearer`, and refuses with [`ProblemJson`].
    #[must_use]
    pub fn new(verifier: Verifier) -> Self {
        Self {
            verifier,
            settings: Arc::new(Settings {
                sources: Sources::bearer(),
                optional: false,
                keep_credential: false,
            }),
            on_reject: ProblemJson::default(),
        }
    }
}

impl<R> ApiKeyLayer<R> {
    /// Looks for the key in these places.
    #[must_use]
    pub fn sources(mut self, sources: Sources) -> Self {
        Arc::make_mut(&mut self.settings).sources = sources;
        self
    }

    /// Lets requests without a credential through, marked [`Anonymous`](crate::Anonymous). A bad
    /// credential is refused all the same.
    #[must_use]
    pub fn optional(mut self) -> Self {
        Arc::make_mut(&mut self.settings).optional = true;
        self
    }

    /// Leaves the credential in the request, marked sensitive, for an inner service that forwards
    /// it.
    #[must_use]
    pub fn keep_credential(mut self) -> Self {
        Arc::make_mut(&mut self.settings).keep_credential = true;
        self
    }

    /// Answers refusals in this way: those of this layer, and those of every extractor and
    /// [`RequireScopes`](crate::RequireScopes) within.
    #[must_use]
    pub fn on_reject<R2>(self, on_reject: R2) -> ApiKeyLayer<R2> {
        ApiKeyLayer {
            verifier: self.verifier,
            settings: self.settings,
            on_reject,
        }
    }
}

impl<S, R: Clone> Layer<S> for ApiKeyLayer<R> {
    type Service = ApiKeyService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        ApiKeyService::new(
            inner,
            self.verifier.clone(),
            self.settings.clone(),
            self.on_reject.clone(),
        )
    }
}

impl Settings {
    /// Makes a request what the inner service gets.
    #[inline]
    pub(crate) fn admit<B>(&self, request: &mut Request<B>, principal: Principal, found: Found) {
        request.extensions_mut().insert(principal);
        if self.keep_credential {
            self.put_back(request.headers_mut(), found);
        }
    }

    /// Puts a credential back where it stood, where nothing prints it.
    fn put_back(&self, headers: &mut HeaderMap, found: Found) {
        let mut value: HeaderValue = found.header;
        value.set_sensitive(true);
        let name = match found.place {
            Place::Bearer(_) | Place::Basic(_) => Some(&AUTHORIZATION),
            Place::Header(n) => self.sources.headers.get(n),
        };
        if let Some(name) = name {
            headers.insert(name.clone(), value);
        }
    }
}
