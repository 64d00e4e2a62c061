//! Who has signed in. A product asks for a password, or leaves that to others.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderName, StatusCode};
use axum::response::{Html, Redirect};
use axum::routing::{get, post};
use axum::{Form, Router};
use keyward::{Actor, Owner};
use serde::Deserialize;

/// The people of Acme, and their roles.
const PEOPLE: [(&str, &str); 3] = [("ada", "admin"), ("ben", "member"), ("eve", "auditor")];

/// Whoever bears one of these in a cookie is that person.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sessions(Arc<Mutex<HashMap<String, String>>>);

impl Sessions {
    pub(crate) fn begin(&self, user: &str) -> Result<String, getrandom::Error> {
        let session = format!("{:016x}{:016x}", getrandom::u64()?, getrandom::u64()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(session.clone(), user.to_owned());
        Ok(session)
    }

    pub(crate) fn actor(&self, parts: &Parts) -> Option<Actor> {
        let cookies = parts.headers.get(COOKIE)?.to_str().ok()?;
        let mut cookies = cookies.split("; ");
        let session = cookies.find_map(|cookie| cookie.strip_prefix("session="))?;
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        actor(all.get(session)?)
    }
}

/// Somebody of Acme.
pub(crate) fn actor(user: &str) -> Option<Actor> {
    let (name, role) = PEOPLE.into_iter().find(|(name, _)| *name == user)?;
    Some(Actor::user(Owner::new("user", name), "acme-inc").role(role))
}

pub(crate) fn routes(sessions: Sessions) -> Router {
    Router::new()
        .route("/", get(home))
        .route("/sign-in", post(sign_in))
        .with_state(sessions)
}

async fn home() -> Html<String> {
    let button = |(name, role): (&str, &str)| {
        format!("<p><button name=\"user\" value=\"{name}\">Sign in as {name}, {role}</button>")
    };
    let buttons: String = PEOPLE.into_iter().map(button).collect();
    Html(format!(
        "<!doctype html><html lang=\"en\"><title>Acme</title><h1>Acme</h1>\
         <form method=\"post\" action=\"/sign-in\">{buttons}</form>\
         <p><a href=\"/settings/api-keys\">API keys</a>"
    ))
}

#[derive(Deserialize)]
struct SignIn {
    user: String,
}

async fn sign_in(
    State(sessions): State<Sessions>,
    Form(SignIn { user }): Form<SignIn>,
) -> Result<([(HeaderName, String); 1], Redirect), StatusCode> {
    actor(&user).ok_or(StatusCode::UNAUTHORIZED)?;
    let session = sessions.begin(&user);
    let session = session.map_err(|_| StatusCode::SERVICE_UNAVAILABLE)?;
    let cookie = format!("session={session}; Path=/; HttpOnly; SameSite=Lax");
    Ok(([(SET_COOKIE, cookie)], Redirect::to("/settings/api-keys")))
}
