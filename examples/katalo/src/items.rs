//! What the product is about.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use keyward::Principal;
use serde_json::{Value, json};

/// Items by organization and environment; those of one are not there for others.
#[derive(Clone, Default)]
pub(crate) struct Items(Arc<Mutex<BTreeMap<(String, String), Shelf>>>);

#[derive(Default)]
struct Shelf {
    items: BTreeMap<u64, Item>,
    requests: u64,
}

#[derive(Clone)]
struct Item {
    about: Value,
    version: u64,
}

impl Items {
    /// What the bearer of a key does, which counts as one use.
    fn of<T>(&self, key: &Principal, then: impl FnOnce(&mut Shelf) -> T) -> T {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let environment = key.environment().unwrap_or("live").to_owned();
        let shelf = all
            .entry((key.tenant().to_owned(), environment))
            .or_default();
        shelf.requests += 1;
        then(shelf)
    }
}

type Answer = Result<Json<Value>, StatusCode>;

pub(crate) async fn create(
    key: Principal,
    State(items): State<Items>,
    Json(about): Json<Value>,
) -> (StatusCode, Json<Value>) {
    let item = items.of(&key, |shelf| {
        let id = shelf.items.keys().last().map_or(1, |last| last + 1);
        let item = Item { about, version: 1 };
        shelf.items.insert(id, item.clone());
        shown(id, &item)
    });
    (StatusCode::CREATED, Json(item))
}

pub(crate) async fn read(
    key: Principal,
    State(items): State<Items>,
    Path(id): Path<u64>,
) -> Answer {
    let item = items.of(&key, |shelf| shelf.items.get(&id).cloned());
    let item = item.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(shown(id, &item)))
}

pub(crate) async fn regenerate(
    key: Principal,
    State(items): State<Items>,
    Path(id): Path<u64>,
) -> Answer {
    let item = items.of(&key, |shelf| {
        let item = shelf.items.get_mut(&id)?;
        item.version += 1;
        Some(item.clone())
    });
    let item = item.ok_or(StatusCode::NOT_FOUND)?;
    Ok(Json(shown(id, &item)))
}

pub(crate) async fn usage(key: Principal, State(items): State<Items>) -> Json<Value> {
    let (requests, count) = items.of(&key, |shelf| (shelf.requests, shelf.items.len()));
    Json(json!({
        "organization": key.tenant(), "environment": key.environment(),
        "requests": requests, "items": count,
    }))
}

pub(crate) async fn billing(key: Principal, State(items): State<Items>) -> Json<Value> {
    let requests = items.of(&key, |shelf| shelf.requests);
    Json(json!({ "organization": key.tenant(), "currency": "EUR", "cents": requests }))
}

fn shown(id: u64, item: &Item) -> Value {
    json!({ "id": id, "item": item.about, "version": item.version })
}
