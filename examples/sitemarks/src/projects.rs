//! What the product is about.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::{JsonRejection, PathRejection};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use keyward::Policy;
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

pub(crate) async fn list(caller: Caller, State(app): State<App>) -> Result<Json<Value>> {
    caller.require(&READ)?;
    let all = app.of(&caller, |projects| projects.clone());
    let shown = |(id, project)| json!({ "id": id, "project": project });
    Ok(Json(all.into_iter().map(shown).collect()))
}

pub(crate) async fn add(
    caller: Caller,
    State(app): State<App>,
    project: Result<Json<Value>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>)> {
    // Whether someone may write comes before what they would write.
    caller.require(&WRITE)?;
    let Json(project) = project?;
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
    id: Result<Path<u64>, PathRejection>,
) -> Result<StatusCode> {
    caller.require(&ADMIN)?;
    let Path(id) = id?;
    Ok(match app.of(&caller, |projects| projects.remove(&id)) {
        Some(_) => StatusCode::NO_CONTENT,
        None => StatusCode::NOT_FOUND,
    })
}
