use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use keyward::{Keyward, Scope};
use keyward_admin::Actors;
use tower_http::csrf::{ConfigError, CsrfLayer};

use crate::messages::Messages;
use crate::router;

/// The settings page, before it is mounted.
///
/// Its `Content-Security-Policy` has `form-action 'self'`, which browsers hold against redirects of a form
/// as well. So where [`Actors`] answer the POST of somebody whose session has ended with a redirect to a
/// sign-in on another origin, the browser stops there and shows nothing; redirect to a page of this origin,
/// which may lead on, or answer with a 401.
#[must_use]
pub struct Page {
    pub(crate) keys: Keyward,
    pub(crate) actors: Arc<dyn Actors>,
    pub(crate) messages: Messages,
    pub(crate) scopes: Vec<(Scope, String)>,
    pub(crate) read_only: Option<Vec<Scope>>,
    pub(crate) environments: Vec<Environment>,
    pub(crate) expiries: Vec<Option<Duration>>,
    pub(crate) overlaps: Vec<Duration>,
    pub(crate) unused_after: Duration,
    pub(crate) keys_per_page: usize,
    pub(crate) try_at: String,
    pub(crate) stylesheet: Option<String>,
    pub(crate) back: Option<(String, String)>,
    pub(crate) behind: String,
    pub(crate) csrf: CsrfLayer,
}

/// What keys can be for.
#[derive(Clone, Debug)]
pub(crate) struct Environment {
    pub(crate) name: String,
    /// The prefix of the format of keys for it.
    pub(crate) format: String,
}

impl Page {
    /// A page for these keys, on which those act whom the host has signed in.
    pub fn new(keys: Keyward, actors: impl Actors) -> Self {
        Self {
            keys,
            actors: Arc::new(actors),
            messages: Messages::default(),
            scopes: Vec::new(),
            read_only: None,
            environments: Vec::new(),
            expiries: vec![Some(30 * DAY), Some(90 * DAY), Some(365 * DAY), None],
            overlaps: vec![DAY, Duration::from_secs(3600), 7 * DAY, Duration::ZERO],
            unused_after: 90 * DAY,
            keys_per_page: 50,
            try_at: "https://api.example.com/".to_owned(),
            stylesheet: None,
            back: None,
            behind: String::new(),
            csrf: CsrfLayer::new(),
        }
    }

    /// What a scope means, shown beside it. Those that are not named are shown by their spelling alone;
    /// those that a wildcard of the role's grants are offered one by one if they are named.
    pub fn scope(mut self, scope: Scope, meaning: impl Into<String>) -> Self {
        self.scopes.push((scope, meaning.into()));
        self
    }

    /// The scopes that only read, for the choice of that name. Unless said otherwise they are those whose
    /// last segment is `read`.
    pub fn read_only(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.read_only = Some(scopes.into_iter().collect());
        self
    }

    /// One more environment to choose, the first one being chosen unless another is. Keys for it have the
    /// registered format with that prefix.
    pub fn environment(mut self, name: impl Into<String>, format: impl Into<String>) -> Self {
        self.environments.push(Environment {
            name: name.into(),
            format: format.into(),
        });
        self
    }

    /// How long keys may live, the first being chosen unless another is; `None` is without an end. Only
    /// these are accepted here.
    pub fn expiries(mut self, expiries: impl IntoIterator<Item = Option<Duration>>) -> Self {
        self.expiries = expiries.into_iter().collect();
        self
    }

    /// How long an old key may work beside the new one, the first being chosen unless another is. Only
    /// these are accepted here.
    pub fn overlaps(mut self, overlaps: impl IntoIterator<Item = Duration>) -> Self {
        self.overlaps = overlaps.into_iter().collect();
        self
    }

    /// How long a key must not have been used for a hint that it may not be needed; 90 days unless said
    /// otherwise.
    pub fn unused_after(mut self, idle: Duration) -> Self {
        self.unused_after = idle;
        self
    }

    /// How many keys stand on a page; 50 unless said otherwise.
    pub fn keys_per_page(mut self, keys: usize) -> Self {
        self.keys_per_page = keys.clamp(1, 500);
        self
    }

    /// The address at which a new key can be tried, for the curl line that is shown with it.
    pub fn try_at(mut self, url: impl Into<String>) -> Self {
        self.try_at = url.into();
        self
    }

    /// A style sheet of the host's, from the same origin. It comes after the page's own.
    pub fn stylesheet(mut self, path: impl Into<String>) -> Self {
        self.stylesheet = Some(path.into());
        self
    }

    /// A link at the top that leads back to the rest of the product.
    pub fn back_to(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.back = Some((name.into(), path.into()));
        self
    }

    /// Every text of the page.
    pub fn messages(mut self, messages: Messages) -> Self {
        self.messages = messages;
        self
    }

    /// The part of the path that a proxy takes off before it passes requests on, `/billing` for instance.
    pub fn behind(mut self, prefix: impl Into<String>) -> Self {
        self.behind = format!("/{}", prefix.into().trim_matches('/'));
        self
    }

    /// Accepts what is sent from another origin, as `https://admin.example.com` spells one.
    ///
    /// # Errors
    /// [`ConfigError`] for a text that is no origin.
    pub fn trust(mut self, origin: &str) -> Result<Self, ConfigError> {
        self.csrf = self.csrf.add_trusted_origin(origin)?;
        Ok(self)
    }

    /// The page at that path of the host's router, to be merged into it. It answers with and without a
    /// slash at the end. The path may have captures, which the host's [`Actors`] can read.
    ///
    /// # Panics
    /// When axum does not know such a path.
    pub fn at<S: Clone + Send + Sync + 'static>(self, path: &str) -> Router<S> {
        let path = format!("/{}", path.trim_matches('/'));
        let router = self.router();
        if path == "/" {
            return Router::new().fallback_service(router);
        }
        Router::new().nest_service(&path, router)
    }

    /// The page for `Router::nest`, which does not answer at a path with a slash at the end;
    /// [`at`](Page::at) does.
    pub fn router<S: Clone + Send + Sync + 'static>(self) -> Router<S> {
        router::router(self)
    }
}

impl fmt::Debug for Page {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Page")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

const DAY: Duration = Duration::from_secs(24 * 3600);
