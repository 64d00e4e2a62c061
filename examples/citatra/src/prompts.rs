//! What the product is about.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Result;
use keyward::Principal;
use serde_json::{Value, json};

#[derive(Clone, Default)]
pub(crate) struct Prompts(Arc<Mutex<HashMap<String, Vec<Value>>>>);

impl Prompts {
    fn of<T>(&self, workspace: &str, then: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        then(all.entry(workspace.to_owned()).or_default())
    }
}

pub(crate) async fn list(
    key: Principal,
    Path(workspace): Path<String>,
    State(prompts): State<Prompts>,
) -> Result<Json<Vec<Value>>> {
    // A key is good in its own workspace alone.
    key.require_tenant(&workspace)?;
    Ok(Json(prompts.of(&workspace, |prompts| prompts.clone())))
}

pub(crate) async fn add(
    key: Principal,
    Path(workspace): Path<String>,
    State(prompts): State<Prompts>,
    prompt: Result<Json<Value>, JsonRejection>,
) -> Result<(StatusCode, Json<Value>)> {
    // Whose workspace it is comes before what is wanted there.
    key.require_tenant(&workspace)?;
    let Json(prompt) = prompt?;
    prompts.of(&workspace, |prompts| prompts.push(prompt.clone()));
    Ok((StatusCode::CREATED, Json(prompt)))
}

pub(crate) async fn settings(
    key: Principal,
    Path(workspace): Path<String>,
    settings: Result<Json<Value>, JsonRejection>,
) -> Result<Json<Value>> {
    key.require_tenant(&workspace)?;
    let Json(settings) = settings?;
    Ok(Json(
        json!({ "workspace": workspace, "settings": settings }),
    ))
}
