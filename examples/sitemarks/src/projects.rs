//! What the product is about.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use keyward::{Denied, Policy};
use serde_json::{Value, json};

use crate::caller::Caller;
use crate::{ADMIN, READ, WRITE};

#[derive(Clone)]
pub(crate) struct App {
    pub(crate) policy: Arc<Policy>,
    projects: Arc<Mutex<HashMap<String, BTreeMap<u64, Value>>>>,
}

impl App {
    pub(crate) fn new(policy: Policy) -> Self {
        let projects = Arc::default();
        Self {
            policy: Arc::new(policy),
            projects,
        }
    }

    fn of<T>(&self, caller: &Caller, then: impl FnOnce(&mut BTreeMap<u64, Value>) -> T) -> T {
        let mut all = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        then(all.entry(caller.organization.clone()).or_default())
    }
}

pub(crate) async fn list(caller: Caller, State(app): State<App>) -> Result<Json<Value>, Denied> {
    caller.require(&READ)?;
    let all = app.of(&caller, |projects| projects.clone());
    let shown = |(id, project)| json!({ "id": id, "project": project });
    Ok(Json(all.into_iter().map(shown).collect()))
}

pub(crate) async fn add(
    caller: Caller,
    State(app): State<App>,
    Json(project): Json<Value>,
) -> Result<(StatusCode, Json<Value>), Denied> {
    caller.require(&WRITE)?;
    let id = app.of(&caller, |projects| {
        let id = projects.keys().last().map_or(1, |last| last + 1);
        projects.insert(id, project.clone());
        id
    });
    Ok((
        StatusCode::CREATED,
        Json(json!({ "id": id, "project": project })),
    ))
}

pub(crate) async fn remove(
    caller: Caller,
    State(app): State<App>,
    Path(id): Path<u64>,
) -> Result<Response, Denied> {
    caller.require(&ADMIN)?;
    Ok(match app.of(&caller, |projects| projects.remove(&id)) {
        Some(_) => StatusCode::NO_CONTENT.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    })
}
