//! Managing keys, for whoever knows the admin token.

use std::env;
use std::error::Error;
use std::sync::Arc;
use std::time::SystemTime;

use axum::Json;
use axum::extract::{FromRef, FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use jiff::Timestamp;
use keyward::{
    Digest, IssueError, KeyFormat, KeyId, Keyward, LifecycleError, NewKey, Receipt, Scope,
};
use serde::Deserialize;
use serde_json::{Value, json};

type Answer = (StatusCode, Json<Value>);

/// The keys and the token that opens them.
#[derive(Clone)]
pub(crate) struct Admin {
    keys: Keyward,
    token: Arc<str>,
}

impl Admin {
    /// With `ADMIN_TOKEN`, or a token that nobody can guess.
    pub(crate) fn from_env(keys: Keyward) -> Result<Self, Box<dyn Error>> {
        let token = match env::var("ADMIN_TOKEN") {
            Ok(token) if !token.is_empty() => token,
            _ => KeyFormat::new("admin")?
                .generate()?
                .plaintext
                .expose()
                .to_owned(),
        };
        let token = token.into();
        Ok(Self { keys, token })
    }

    pub(crate) fn token(&self) -> &str {
        &self.token
    }
}

impl FromRef<Admin> for Keyward {
    fn from_ref(admin: &Admin) -> Self {
        admin.keys.clone()
    }
}

/// A request that bears the token.
pub(crate) struct Operator;

impl FromRequestParts<Admin> for Operator {
    type Rejection = Answer;

    async fn from_request_parts(parts: &mut Parts, admin: &Admin) -> Result<Self, Answer> {
        let token = parts
            .headers
            .get("admin-token")
            .map(|token| token.as_bytes());
        // Digests compare in constant time.
        match token.map(Digest::sha256) == Some(Digest::sha256(admin.token.as_bytes())) {
            true => Ok(Self),
            false => Err(problem(
                StatusCode::UNAUTHORIZED,
                "the header Admin-Token is missing or wrong",
            )),
        }
    }
}

#[derive(Deserialize)]
pub(crate) struct New {
    name: String,
    tenant: String,
    #[serde(default)]
    scopes: Vec<String>,
}

pub(crate) async fn issue(
    _: Operator,
    State(keys): State<Keyward>,
    Json(new): Json<New>,
) -> Answer {
    let scopes = new.scopes.iter().map(|scope| Scope::new(scope));
    let scopes: Vec<Scope> = match scopes.collect() {
        Ok(scopes) => scopes,
        Err(error) => return problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    };
    match keys
        .issue(NewKey::named(new.name).tenant(new.tenant).scopes(scopes))
        .await
    {
        Ok(issued) => {
            let body = json!({ "id": issued.key.id.as_str(), "key": issued.secret.expose() });
            (StatusCode::CREATED, Json(body))
        }
        Err(error @ (IssueError::Store(_) | IssueError::Commit(_))) => {
            problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
        }
        Err(error) => problem(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
    }
}

pub(crate) async fn show(
    _: Operator,
    State(keys): State<Keyward>,
    Path(id): Path<String>,
) -> Answer {
    let Ok(id) = KeyId::new(&id) else {
        return problem(StatusCode::NOT_FOUND, "there is no such key");
    };
    let key = match keys.get(&id).await {
        Ok(Some(key)) => key,
        Ok(None) => return problem(StatusCode::NOT_FOUND, "there is no such key"),
        Err(error) => return failed(&error),
    };
    let record = &key.record;
    let scopes: Vec<&str> = record.scopes.iter().map(Scope::as_str).collect();
    let body = json!({
        "id": record.id.as_str(),
        "name": record.name,
        "tenant": record.tenant.as_str(),
        "hint": record.hint,
        "scopes": scopes,
        "createdAt": time(Some(record.created_at)),
        "expiresAt": time(record.expires_at),
        "revokedAt": time(record.revoked_at),
        "lastUsedAt": time(key.last_used_at),
    });
    (StatusCode::OK, Json(body))
}

#[derive(Deserialize)]
pub(crate) struct How {
    confirm: Option<String>,
}

pub(crate) async fn revoke(
    _: Operator,
    State(keys): State<Keyward>,
    Path(id): Path<String>,
    Query(how): Query<How>,
) -> Answer {
    let Ok(id) = KeyId::new(&id) else {
        return problem(StatusCode::NOT_FOUND, "there is no such key");
    };
    let receipt = match how.confirm.as_deref() {
        None => keys.revoke(&id).await.map(|()| None),
        Some("everywhere") => keys.revoke(&id).confirm_everywhere().await.map(Some),
        Some(_) => return problem(StatusCode::BAD_REQUEST, "confirm can be \"everywhere\""),
    };
    match receipt {
        Ok(None) => (StatusCode::OK, Json(json!({ "revoked": true }))),
        Ok(Some(receipt)) => (StatusCode::OK, Json(confirmed(&receipt))),
        Err(LifecycleError::NotFound(_)) => problem(StatusCode::NOT_FOUND, "there is no such key"),
        Err(error) => failed(&error),
    }
}

fn confirmed(receipt: &Receipt) -> Value {
    let nodes = receipt.nodes.iter();
    let nodes = nodes.map(|node| json!({ "node": &*node.node, "outcome": node.outcome.as_str() }));
    json!({
        "revoked": true,
        "nodes": nodes.collect::<Vec<_>>(),
        "took_ms": receipt.took.as_millis() as u64,
    })
}

fn time(time: Option<SystemTime>) -> Option<String> {
    Some(Timestamp::try_from(time?).ok()?.to_string())
}

fn failed(error: &LifecycleError) -> Answer {
    problem(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

fn problem(status: StatusCode, detail: &str) -> Answer {
    (
        status,
        Json(json!({ "status": status.as_u16(), "detail": detail })),
    )
}
