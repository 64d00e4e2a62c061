//! What stands in for a product's own sign-in and billing in the examples.
//!
//! A product has sessions, users with roles, and plans already. Here everybody is who they say they are,
//! by the header `Demo-User: <user>:<role>@<tenant>` or by the cookie that
//! `GET /demo/login?as=<user>:<role>@<tenant>` sets; and tenants whose name starts with `free-` are on the
//! free plan until `POST /demo/plan?tenant=<tenant>&plan=pro`.

mod plans;
pub mod shell;
mod user;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use keyward::{Actor, Keyward, LifecycleError};
use keyward_admin::Actors;
use serde::Deserialize;

use crate::plans::Plans;
pub use crate::user::User;

/// The sign-in and the billing of a product that has neither.
#[derive(Clone, Debug)]
pub struct Demo {
    plans: Plans,
}

impl Demo {
    /// Of a product with these keys.
    #[must_use]
    pub fn new(keys: Keyward) -> Self {
        let plans = Plans::new(keys);
        Self { plans }
    }

    /// Who manages keys: whoever has signed in, as the product sees them.
    pub fn actors(&self, actor: impl Fn(User) -> Actor + Send + Sync + 'static) -> impl Actors {
        let plans = self.plans.clone();
        SignedIn { plans, actor }
    }

    /// The plan of a tenant is known from now on, as it would be from the moment when it was founded.
    ///
    /// # Errors
    /// Fails when the store of the keys does.
    pub async fn found(&self, tenant: &str) -> Result<(), LifecycleError> {
        self.plans.found(tenant).await
    }

    /// `/demo/login` and `/demo/plan`.
    pub fn routes<S: Clone + Send + Sync + 'static>(&self) -> Router<S> {
        Router::new()
            .route("/demo/login", get(login))
            .route("/demo/plan", post(plan))
            .with_state(self.plans.clone())
    }
}

struct SignedIn<F> {
    plans: Plans,
    actor: F,
}

#[async_trait::async_trait]
impl<F: Fn(User) -> Actor + Send + Sync + 'static> Actors for SignedIn<F> {
    async fn actor(&self, parts: &mut Parts) -> Result<Actor, Response> {
        let user = User::signed_in(&parts.headers).ok_or_else(|| NOBODY.into_response())?;
        let founded = self.plans.found(&user.tenant).await;
        founded.map_err(|error| away(&error))?;
        Ok((self.actor)(user))
    }
}

const NOBODY: (StatusCode, &str) = (
    StatusCode::UNAUTHORIZED,
    "sign in at /demo/login?as=<user>:<role>@<tenant>\n",
);

#[derive(Deserialize)]
struct Login {
    r#as: String,
}

async fn login(Query(login): Query<Login>) -> Response {
    match login.r#as.parse::<User>() {
        Ok(user) => {
            let cookie = [(header::SET_COOKIE, user.cookie())];
            (cookie, Redirect::to("/settings/api-keys")).into_response()
        }
        Err(unreadable) => (StatusCode::BAD_REQUEST, unreadable.to_string()).into_response(),
    }
}

#[derive(Deserialize)]
struct Change {
    tenant: String,
    plan: Plan,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Plan {
    Free,
    Pro,
}

async fn plan(State(plans): State<Plans>, Query(change): Query<Change>) -> Response {
    let is_pro = matches!(change.plan, Plan::Pro);
    match plans.change(&change.tenant, is_pro).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => away(&error),
    }
}

/// The store of the keys does not answer.
fn away(error: &LifecycleError) -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string()).into_response()
}
