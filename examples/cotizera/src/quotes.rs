//! What the product is about.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use keyward::Principal;
use serde_json::Value;

#[derive(Clone, Default)]
pub(crate) struct Quotes(Arc<Mutex<HashMap<String, Vec<Value>>>>);

impl Quotes {
    fn of<T>(&self, tenant: &str, then: impl FnOnce(&mut Vec<Value>) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        then(all.entry(tenant.to_owned()).or_default())
    }
}

pub(crate) async fn list(key: Principal, State(quotes): State<Quotes>) -> Json<Vec<Value>> {
    Json(quotes.of(key.tenant(), |quotes| quotes.clone()))
}

pub(crate) async fn add(
    key: Principal,
    State(quotes): State<Quotes>,
    Json(quote): Json<Value>,
) -> (StatusCode, Json<Value>) {
    quotes.of(key.tenant(), |quotes| quotes.push(quote.clone()));
    (StatusCode::CREATED, Json(quote))
}
