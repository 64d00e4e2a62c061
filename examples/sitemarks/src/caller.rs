//! Who asks: the bearer of a key, or someone who has signed in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use keyward::{Denied, Policy, Principal, Scope, Scopes};
use keyward_example_demo::User;

use crate::projects::App;

pub(crate) struct Caller {
    pub(crate) organization: String,
    scopes: Scopes,
}

impl Caller {
    pub(crate) fn require(&self, scope: &Scope) -> Result<(), Denied> {
        if self.scopes.allows(scope) {
            return Ok(());
        }
        Err(Denied::insufficient_scope(
            [scope.clone()].into_iter().collect(),
        ))
    }

    fn of_key(key: &Principal) -> Self {
        Self {
            organization: key.tenant().to_owned(),
            scopes: key.scopes().clone(),
        }
    }

    fn of_session(user: User, policy: &Policy) -> Self {
        let role = policy.find(&user.role);
        Self {
            organization: user.tenant,
            scopes: role.map_or_else(Scopes::none, |role| role.scopes().clone()),
        }
    }
}

impl FromRequestParts<App> for Caller {
    type Rejection = Denied;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Denied> {
        let session = User::from_request_parts(parts, app).await.ok();
        match (Principal::from_request_parts(parts, app).await, session) {
            (Ok(key), _) => Ok(Self::of_key(&key)),
            (Err(_), Some(user)) => Ok(Self::of_session(user, &app.policy)),
            (Err(denied), None) => Err(denied),
        }
    }
}

/// Each key is a client, and so is each person; those who are neither are refused anyway.
pub(crate) fn name(parts: &Parts) -> Option<String> {
    if let Some(key) = parts.extensions.get::<Principal>() {
        return Some(format!("key {}", key.limited_as()));
    }
    let user = User::signed_in(&parts.headers)?;
    Some(format!("user {}@{}", user.name, user.tenant))
}
