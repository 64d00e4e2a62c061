//! Granted scopes against required ones, through the layer that guards a route.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::AUTHORIZATION;
use keyward_store::{Clock, Scope, Scopes};
use serde_json::Value;
use tower::ServiceExt;

use super::issued::Issued;
use super::server::app;
use super::{Case, Verdict, judge};

/// Sends a request with a key of the granted scopes to a route that asks for the required ones.
pub(super) async fn run(case: &Case) -> Verdict {
    match (&case.granted, &case.required, case.expect.as_deref()) {
        (Some(granted), Some(required), Some("allow" | "deny")) => {
            judged(case, &texts(granted), required.as_slice())
                .await
                .into()
        }
        _ => Verdict::Elsewhere,
    }
}

/// The texts among what was granted, as a store would read it; null, or what is no text, is none.
fn texts(granted: &Value) -> Vec<&str> {
    match granted {
        Value::Array(elements) => elements.iter().filter_map(Value::as_str).collect(),
        other => other.as_str().into_iter().collect(),
    }
}

async fn judged(case: &Case, granted: &[&str], required: &[String]) -> Result<(), String> {
    // Text that is no scope grants nothing, and no route can ask for it.
    let granted = Scopes::from_stored(granted.iter().copied());
    let required: Result<Vec<Scope>, _> = required.iter().map(|it| Scope::new(it)).collect();
    let Ok(required) = required else {
        return judge::same_decision(case, 403);
    };
    let key = Issued::new(Clock::system(), |record| record.scopes = granted).await?;
    let request = Request::get("/protected")
        .header(AUTHORIZATION, key.authorization())
        .body(Body::empty())
        .map_err(|error| error.to_string())?;
    let Ok(response) = app(key.verifier, required).oneshot(request).await;
    judge::same_decision(case, response.status().as_u16())
}
