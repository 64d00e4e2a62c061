use std::fmt;
use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, FromRequestParts, RawPathParams};
use axum::http::header::{self, HeaderValue};
use axum::http::request::Parts;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::Response;
use keyward::{Actor, KeyId, Keyward, Scope, Scopes};
use tower_http::csrf::{ConfigError, CsrfLayer};

use crate::body::MAX_BODY;
use crate::other_sites::from_here;
use crate::problem::Problem;
use crate::{Actors, openapi, routes};

/// The management of keys over HTTP, as routes for the host's own router.
///
/// ```
/// # use axum::Router;
/// # use axum::http::{StatusCode, request::Parts};
/// # use keyward::{Actor, KeyFormat, Keyward, Policy, Reach, Role, Scope};
/// # use keyward_memory::MemoryStore;
/// use keyward_admin::Admin;
/// # #[derive(Clone)] struct App;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = Keyward::builder(MemoryStore::default())
/// #     .format(KeyFormat::new("acme_live")?)
/// #     .format(KeyFormat::new("acme_test")?)
/// #     .start()
/// #     .await?;
/// # let who_asks = |parts: &Parts| -> Result<Actor, StatusCode> { Err(StatusCode::UNAUTHORIZED) };
///
/// let admin = Admin::new(keys, who_asks)
///     .read_only([Scope::from_static("orders:read")])
///     .environment("live", "acme_live")
///     .environment("test", "acme_test");
/// let app: Router<App> = Router::new().nest("/v1", admin.router());
///
/// let document = utoipa::openapi::OpenApi::default().nest("/v1", admin.openapi());
/// assert!(document.paths.paths.contains_key("/v1/api-keys/{id}"));
/// # Ok(())
/// # }
/// ```
pub struct Admin {
    desk: Desk,
    csrf: CsrfLayer,
}

/// What every handler has at hand.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) keys: Keyward,
    actors: Arc<dyn Actors>,
    pub(crate) read_only: Option<Scopes>,
    /// The name of each with the prefix of its format.
    pub(crate) environments: Vec<(String, String)>,
    pub(crate) introspection: Option<Scope>,
}

impl Admin {
    /// Manages these keys for whoever asks.
    #[must_use]
    pub fn new(keys: Keyward, actors: impl Actors) -> Self {
        let desk = Desk {
            keys,
            actors: Arc::new(actors),
            read_only: None,
            environments: Vec::new(),
            introspection: None,
        };
        let csrf = CsrfLayer::new();
        Self { desk, csrf }
    }

    /// What a key may do at most that is wanted with `"readOnly": true`: whatever its maker may give of
    /// these. Without them nobody can ask for that.
    #[must_use]
    pub fn read_only(mut self, scopes: impl IntoIterator<Item = Scope>) -> Self {
        self.desk.read_only = Some(scopes.into_iter().collect());
        self
    }

    /// Keys for the environment of this name have the registered format with that prefix. Once there is
    /// one, nobody can ask for another.
    #[must_use]
    pub fn environment(mut self, name: impl Into<String>, format: impl Into<String>) -> Self {
        self.desk.environments.push((name.into(), format.into()));
        self
    }

    /// Also tells, at `POST /api-keys/verify`, whether a key is a good one of the same tenant; whoever
    /// may give this scope may ask, and a key that has it. To ask counts as a use of the key.
    #[must_use]
    pub fn introspection(mut self, scope: Scope) -> Self {
        self.desk.introspection = Some(scope);
        self
    }

    /// Accepts what pages of another origin send with the cookies of this one, as
    /// `https://app.example.com` spells an origin. So it is needed where people manage keys on a page of
    /// another origin than these routes, or where a proxy passes another `Host` on than the browser named.
    ///
    /// # Errors
    /// [`ConfigError`] for a text that is no origin.
    pub fn trust(mut self, origin: &str) -> Result<Self, ConfigError> {
        self.csrf = self.csrf.add_trusted_origin(origin)?;
        Ok(self)
    }

    /// The routes, for a router with any state.
    pub fn router<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        let routes = routes::all(&self.desk).with_state(self.desk.clone());
        let (router, _document) = routes.split_for_parts();
        router
            .method_not_allowed_fallback(async || Problem::method_not_allowed())
            .layer(DefaultBodyLimit::max(MAX_BODY))
            .layer(from_fn_with_state(self.csrf.clone(), from_here))
            .layer(map_response(for_nobody_to_keep))
    }

    /// What the routes are, in OpenAPI 3.1, with paths as they are in [`router`](Self::router):
    /// [`merge`](utoipa::openapi::OpenApi::merge) it into the host's document, or
    /// [`nest`](utoipa::openapi::OpenApi::nest) it where the routes are.
    #[must_use]
    pub fn openapi(&self) -> utoipa::openapi::OpenApi {
        openapi::document(routes::all(&self.desk).into_openapi())
    }
}

impl fmt::Debug for Admin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admin")
            .field("read_only", &self.desk.read_only)
            .field("environments", &self.desk.environments)
            .field("introspection", &self.desk.introspection)
            .finish_non_exhaustive()
    }
}

/// The answers of the host, too.
async fn for_nobody_to_keep(mut response: Response) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, no_store);
    response
}

/// Who asks.
pub(crate) struct Asker(pub(crate) Actor);

impl FromRequestParts<Desk> for Asker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Desk) -> Result<Self, Response> {
        desk.actors.actor(parts).await.map(Self)
    }
}

/// The key that the path names.
pub(crate) struct Named(pub(crate) KeyId);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let params = RawPathParams::from_request_parts(parts, state).await;
        let params = params.map_err(|_undecodable| Problem::not_found())?;
        // A router around this one may have parameters, too.
        let ids = params.iter().filter(|(name, _)| *name == "id");
        let id = ids.last().and_then(|(_, id)| KeyId::new(id).ok());
        id.map(Self).ok_or_else(Problem::not_found)
    }
}
