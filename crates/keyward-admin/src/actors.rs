use std::fmt;
use std::marker::PhantomData;

use async_trait::async_trait;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use keyward::Actor;

/// Says who asks to manage keys: the host's session, its single sign-on, or a key.
///
/// The actor comes from here alone, never from a body or a header that the client could set. A
/// refusal is the host's own answer: a 401, or a redirect to where people sign in.
///
/// A closure from the parts of a request is one, and [`Extracted`] makes one of an extractor that the
/// host has already:
///
/// ```
/// use axum::http::{StatusCode, request::Parts};
/// use keyward::{Actor, Owner};
/// use keyward_admin::Actors;
///
/// fn is_one(_: impl Actors) {}
///
/// /// What the host's own middleware has left there.
/// #[derive(Clone)]
/// struct Session { user: String, team: String, role: String }
///
/// is_one(|parts: &Parts| {
///     let session: &Session = parts.extensions.get().ok_or(StatusCode::UNAUTHORIZED)?;
///     let user = Owner::new("user", &*session.user);
///     Ok::<_, StatusCode>(Actor::user(user, &*session.team).role(&session.role))
/// });
/// ```
#[async_trait]
pub trait Actors: Send + Sync + 'static {
    /// Who sent the request with these parts.
    ///
    /// # Errors
    /// Fails with the answer to a request of nobody who may manage keys.
    async fn actor(&self, parts: &mut Parts) -> Result<Actor, Response>;
}

#[async_trait]
impl<F, R> Actors for F
where
    F: Fn(&Parts) -> Result<Actor, R> + Send + Sync + 'static,
    R: IntoResponse,
{
    async fn actor(&self, parts: &mut Parts) -> Result<Actor, Response> {
        self(parts).map_err(IntoResponse::into_response)
    }
}

/// The actor by an extractor of the host's: whatever it refuses is refused, in its own words.
///
/// ```
/// # use axum::extract::FromRequestParts;
/// # use axum::http::{StatusCode, request::Parts};
/// # use keyward::{Actor, Owner};
/// use keyward_admin::Extracted;
///
/// struct User { name: String, team: String }
///
/// impl FromRequestParts<App> for User {
///     // ..
/// #   type Rejection = StatusCode;
/// #   async fn from_request_parts(_: &mut Parts, _: &App) -> Result<Self, StatusCode> {
/// #       Err(StatusCode::UNAUTHORIZED)
/// #   }
/// }
///
/// impl From<User> for Actor {
///     fn from(user: User) -> Self {
///         Self::user(Owner::new("user", user.name), user.team).role("member")
///     }
/// }
/// # #[derive(Clone)] struct App;
/// # let app = App;
///
/// let actors = Extracted::<User, _>::new(app);
/// ```
pub struct Extracted<E, S> {
    state: S,
    extractor: PhantomData<fn() -> E>,
}

impl<E, S> Extracted<E, S> {
    /// By that extractor, with this state of the host's.
    #[must_use]
    pub const fn new(state: S) -> Self {
        Self {
            state,
            extractor: PhantomData,
        }
    }
}

impl<E, S> fmt::Debug for Extracted<E, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Extracted").finish_non_exhaustive()
    }
}

#[async_trait]
impl<E, S> Actors for Extracted<E, S>
where
    E: FromRequestParts<S> + Into<Actor> + 'static,
    S: Send + Sync + 'static,
{
    async fn actor(&self, parts: &mut Parts) -> Result<Actor, Response> {
        let found = E::from_request_parts(parts, &self.state).await;
        found.map(Into::into).map_err(IntoResponse::into_response)
    }
}
