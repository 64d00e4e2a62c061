//! The description of the routes.

use std::collections::{BTreeSet, HashSet};

use axum::http::StatusCode;
use axum::http::request::Parts;
use keyward::{Actor, KeyFormat, Keyward, RequireScopes};
use keyward_admin::{Admin, bearer_scheme, security_of};
use keyward_memory::MemoryStore;
use serde_json::{Value, json};
use utoipa::openapi::OpenApi;

use crate::world::{READ, VERIFY, WRITE};

async fn admin() -> Admin {
    let keys = Keyward::builder(MemoryStore::default())
        .format(KeyFormat::new("ak_live").unwrap())
        .start();
    let nobody = |_: &Parts| -> Result<Actor, StatusCode> { Err(StatusCode::UNAUTHORIZED) };
    Admin::new(keys.await.unwrap(), nobody).introspection(VERIFY)
}

#[tokio::test]
async fn every_route_is_in_it() {
    let document = serde_json::to_value(admin().await.openapi()).unwrap();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["title"], "API keys");
    assert_eq!(document["info"]["contact"], Value::Null);
    let mut routes = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in item.as_object().unwrap().keys() {
            routes.insert(format!("{method} {path}"));
        }
    }
    let expected = [
        "delete /api-keys/{id}",
        "delete /api-keys/{id}/rotation",
        "get /api-keys",
        "get /api-keys/reports/expiring",
        "get /api-keys/reports/unused",
        "get /api-keys/{id}",
        "get /api-keys/{id}/events",
        "patch /api-keys/{id}",
        "post /api-keys",
        "post /api-keys/revoke",
        "post /api-keys/verify",
        "post /api-keys/{id}/resume",
        "post /api-keys/{id}/revoke",
        "post /api-keys/{id}/rotate",
        "post /api-keys/{id}/suspend",
    ];
    assert_eq!(routes.iter().collect::<Vec<_>>(), expected);
}

/// What OpenAPI and JSON Schema ask for and these documents could miss: references that lead somewhere,
/// path parameters that are there, operations with names of their own, answers with descriptions.
#[tokio::test]
async fn it_holds_together() {
    let document = serde_json::to_value(admin().await.openapi()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let mut named = HashSet::new();
    references(&document, &mut named);
    for name in &named {
        let name = name.strip_prefix("#/components/schemas/").unwrap();
        assert!(schemas.contains_key(name), "{name}");
    }
    for name in schemas.keys() {
        let reference = format!("#/components/schemas/{name}");
        assert!(named.contains(&reference), "nothing is a {name}");
    }
    let mut operations = HashSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            assert!(operations.insert(operation["operationId"].as_str().unwrap()));
            let parameters = operation["parameters"].as_array();
            let mut in_path = parameters.into_iter().flatten();
            let has_id = in_path.any(|one| one["in"] == "path" && one["name"] == "id");
            assert_eq!(has_id, path.contains("{id}"), "{path}");
            for (status, response) in operation["responses"].as_object().unwrap() {
                assert!(response["description"].is_string(), "{path} {status}");
            }
        }
    }
}

fn references(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                found.insert(reference.clone());
            }
            members
                .values()
                .for_each(|member| references(member, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn it_merges_into_the_hosts() {
    let mut host = OpenApi::default();
    host.info.title = "The host".to_owned();
    let nested = host.clone().nest("/v1", admin().await.openapi());
    assert!(nested.paths.paths.contains_key("/v1/api-keys/{id}/rotate"));
    let merged = host.merge_from(admin().await.openapi());
    assert!(merged.paths.paths.contains_key("/api-keys/{id}/rotate"));
    for document in [nested, merged] {
        assert_eq!(document.info.title, "The host");
        let schemas = document.components.unwrap().schemas;
        assert!(schemas.contains_key("NewApiKey") && schemas.contains_key("Problem"));
    }
}

#[test]
fn a_guard_tells_what_a_route_needs() {
    let told = |guard| serde_json::to_value(security_of("apiKey", &guard)).unwrap();
    let all = told(RequireScopes::all([WRITE, READ]));
    assert_eq!(all, json!([{"apiKey": ["docs:read", "docs:write"]}]));
    let any = told(RequireScopes::any([WRITE, READ]));
    assert_eq!(
        any,
        json!([{"apiKey": ["docs:read"]}, {"apiKey": ["docs:write"]}])
    );
    let scheme = serde_json::to_value(bearer_scheme("ak_live_…")).unwrap();
    let expected = json!({"type": "http", "scheme": "bearer", "bearerFormat": "ak_live_…"});
    assert_eq!(scheme, expected);
}
