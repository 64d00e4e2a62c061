//! What people who have signed in may do to keys.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, Path, Query, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use axum::{Json, Router};
use keyward::{
    Actor, AuditQuery, IssueError, Issued, KeyId, Keyward, LifecycleError, ListQuery, NewKey,
    Owner, Scope,
};
use serde::Deserialize;
use serde_json::{Value, json};

pub(crate) fn routes(keys: Keyward) -> Router {
    Router::new()
        .route("/keys", get(list).post(issue))
        .route("/keys/{id}", delete(revoke))
        .route("/keys/{id}/rotate", post(rotate))
        .route("/keys/{id}/{what}", get(events).post(change))
        .with_state(Arc::new(keys))
}

type Keys = State<Arc<Keyward>>;

/// Who has signed in: a session in a product, `Demo-User: <user>:<role>@<team>` here.
struct User(Actor);

impl<S: Sync> FromRequestParts<S> for User {
    type Rejection = StatusCode;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, StatusCode> {
        let header = parts.headers.get("demo-user");
        let user = header.and_then(|user| user.to_str().ok()).and_then(|user| {
            let (user, team) = user.split_once('@')?;
            let (name, role) = user.split_once(':')?;
            Some(Actor::user(Owner::new("user", name), team).role(role))
        });
        user.map(Self).ok_or(StatusCode::UNAUTHORIZED)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    name: String,
    scopes: Option<Vec<String>>,
}

async fn issue(User(actor): User, keys: Keys, Json(new): Json<New>) -> Result<Response, Failure> {
    let mut key = NewKey::named(new.name);
    if let Some(scopes) = new.scopes {
        let scopes = scopes.iter().map(|scope| Scope::new(scope));
        let scopes: Result<Vec<Scope>, _> = scopes.collect();
        key = key.scopes(scopes.map_err(|error| Failure(422, error.to_string()))?);
    }
    Ok(shown_once(&keys.acting_as(&actor).issue(key).await?))
}

async fn list(User(actor): User, keys: Keys) -> Result<Json<Vec<Value>>, Failure> {
    let page = keys.acting_as(&actor).list(&ListQuery::all()).await?;
    let now = std::time::SystemTime::now();
    let keys = page.keys.iter().map(|key| {
        let key = &key.record;
        json!({
            "id": key.id.as_str(), "name": key.name, "hint": key.hint,
            "scopes": key.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
            "owner": key.owner.as_ref().map(ToString::to_string),
            "status": key.status(now).as_str(),
        })
    });
    Ok(Json(keys.collect()))
}

#[derive(Deserialize)]
struct Overlap {
    #[serde(default)]
    overlap: u64,
}

async fn rotate(
    User(actor): User,
    keys: Keys,
    Path(id): Path<String>,
    Query(Overlap { overlap }): Query<Overlap>,
) -> Result<Response, Failure> {
    let overlap = Duration::from_secs(overlap);
    let keys = keys.acting_as(&actor);
    Ok(shown_once(
        &keys.rotate(&key_id(&id)?).overlap(overlap).await?,
    ))
}

async fn revoke(
    User(actor): User,
    keys: Keys,
    Path(id): Path<String>,
) -> Result<StatusCode, Failure> {
    keys.acting_as(&actor).revoke(&key_id(&id)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn change(
    User(actor): User,
    keys: Keys,
    Path((id, what)): Path<(String, String)>,
) -> Result<StatusCode, Failure> {
    let (keys, id) = (keys.acting_as(&actor), key_id(&id)?);
    match what.as_str() {
        "suspend" => keys.suspend(&id).await?,
        "resume" => keys.resume(&id).await?,
        "undo" => drop(keys.undo_rotation(&id).await?),
        _ => return Err(Failure(404, "there is nothing here".to_owned())),
    }
    Ok(StatusCode::NO_CONTENT)
}

async fn events(
    User(actor): User,
    keys: Keys,
    Path((id, _)): Path<(String, String)>,
) -> Result<Json<Vec<Value>>, Failure> {
    let query = AuditQuery::key(&key_id(&id)?).newest_first();
    let lines = keys.acting_as(&actor).audit(&query).await?;
    let lines = lines.into_iter().map(|line| line.record).map(|line| {
        let by = line.actor.unwrap_or_else(|| "the operator".to_owned());
        let json = |text: Option<String>| serde_json::from_str::<Value>(&text?).ok();
        let (before, after) = (json(line.before), json(line.after));
        json!({ "action": line.action.as_str(), "by": by, "before": before, "after": after })
    });
    Ok(Json(lines.collect()))
}

fn shown_once(issued: &Issued) -> Response {
    let body = json!({ "id": issued.key.id.as_str(), "key": issued.secret.expose() });
    (
        StatusCode::CREATED,
        [("cache-control", "no-store")],
        Json(body),
    )
        .into_response()
}

fn key_id(id: &str) -> Result<KeyId, Failure> {
    KeyId::new(id).map_err(|_| Failure(404, "there is no such key".to_owned()))
}

/// A status and a sentence.
struct Failure(u16, String);

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(json!({ "status": self.0, "detail": self.1 }))).into_response()
    }
}

impl From<LifecycleError> for Failure {
    fn from(error: LifecycleError) -> Self {
        let status = match error {
            LifecycleError::NotFound(_) => 404,
            LifecycleError::Refused(_) => 403,
            LifecycleError::Store(_) | LifecycleError::Commit(_) => 503,
            LifecycleError::Invalid(_) => 422,
            _ => 409,
        };
        Self(status, error.to_string())
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        let status = match error {
            IssueError::Refused(_) => 403,
            IssueError::Store(_) | IssueError::Commit(_) => 503,
            IssueError::CapReached(_) | IssueError::Replayed(_) => 409,
            _ => 422,
        };
        Self(status, error.to_string())
    }
}
