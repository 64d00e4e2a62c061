//! `001_4c46012d5777b32c.txt`, and its other capture `003_b868033f4267577d.txt`

use serde_json::json;

use crate::app::{App, On, soon, text};

const ANN: &str = "ann:admin@acme";
const ADA: &str = "ada:admin@acme";

crate::on_both_stores! {
    k1_one_key_of_the_organization_opens_every_endpoint
    k2_keys_have_a_public_id_and_a_secret
    k3_keys_are_issued_rotated_and_revoked
    k4_the_secret_is_shown_once
    k5_names_and_last_uses_can_be_reviewed
    k6_browsers_are_refused
}

async fn app(on: On) -> App {
    App::start("katalo", on).await
}

async fn k1_one_key_of_the_organization_opens_every_endpoint(on: On) {
    let app = app(on).await;
    let new = app.create(ANN, json!({"name": "Shop backend"})).await;
    let key = text(&new, "key");
    let item = app.post("/v1/items", json!({"title": "Lamp"})).key(key);
    let item = item.send().await;
    assert_eq!(item.status, 201, "{}", item.text);
    let item = format!("/v1/items/{}", item.json()["id"]);
    assert_eq!(app.status(key, &item).await, 200);
    let again = app.post(&format!("{item}/regenerate"), json!({})).key(key);
    assert_eq!(again.send().await.json()["version"], 2);
    assert_eq!(app.status(key, "/v1/billing").await, 200);
    let usage = app.get("/v1/usage").key(key).send().await.json();
    assert_eq!(usage["organization"], "acme");
    assert_eq!(usage["items"], 1);
    for path in ["/v1/usage", "/v1/billing", &*item] {
        assert_eq!(app.get(path).send().await.status, 401, "{path}");
    }

    // It belongs to nobody in particular: whoever administrates the organization manages it.
    let seen = app.list(ADA).await;
    assert_eq!(seen[0]["id"], new["id"]);
    let path = format!("/api/api-keys/{}", text(&new, "id"));
    assert_eq!(
        app.delete(&path).by("eve:admin@other").send().await.status,
        404
    );
    let others = app.create("eve:admin@other", json!({"name": "x"})).await;
    assert_eq!(app.status(text(&others, "key"), &item).await, 404);
    assert_eq!(app.delete(&path).by(ADA).send().await.status, 204);
    assert_eq!(app.status(key, "/v1/usage").await, 401);
}

async fn k2_keys_have_a_public_id_and_a_secret(on: On) {
    let app = app(on).await;
    let new = app.create(ANN, json!({"name": "Shop backend"})).await;
    let key = text(&new, "key");
    let (id, secret) = key
        .strip_prefix("kat_live_")
        .and_then(|rest| rest.split_once('.'))
        .unwrap();
    let plain = |part: &str| part.bytes().all(|b| b.is_ascii_alphanumeric());
    assert!(
        plain(id) && plain(secret) && secret.len() >= 32,
        "{}",
        key.len()
    );
    assert_eq!(app.status(key, "/v1/usage").await, 200);
    assert!(text(&new, "prefix").contains(id));
    // The same public id with another key's secret, and with none.
    let other = app.create(ANN, json!({"name": "Other"})).await;
    let (_, others) = text(&other, "key").split_once('.').unwrap();
    for wrong in [
        format!("kat_live_{id}.{others}"),
        format!("kat_live_{id}."),
        format!("kat_live_{id}"),
        format!("kat_test_{id}.{secret}"),
    ] {
        assert_eq!(app.status(&wrong, "/v1/usage").await, 401);
    }
}

async fn k3_keys_are_issued_rotated_and_revoked(on: On) {
    let app = app(on).await;
    let test = json!({"name": "Staging", "environment": "test"});
    let test = app.create(ANN, test).await;
    assert!(text(&test, "key").starts_with("kat_test_"));
    let live = json!({"name": "Shop backend", "environment": "live"});
    let live = app.create(ANN, live).await;
    let (id, old) = (text(&live, "id"), text(&live, "key"));
    assert!(old.starts_with("kat_live_"));
    let odd = json!({"name": "x", "environment": "moon"});
    let odd = app.post("/api/api-keys", odd).by(ANN).send().await;
    assert_eq!(odd.status, 422);

    // With an overlap both are good.
    let rotate = |id: &str, overlap: u64| {
        let body = json!({"overlapSeconds": overlap});
        let path = format!("/api/api-keys/{id}/rotate");
        app.post(&path, body).by(ANN).send()
    };
    let rotated = rotate(id, 3600).await;
    assert_eq!(rotated.status, 201, "{}", rotated.text);
    let rotated = rotated.json();
    let new = text(&rotated, "key");
    assert!(new.starts_with("kat_live_") && new != old);
    assert_eq!(rotated["name"], "Shop backend");
    assert_eq!(app.status(old, "/v1/usage").await, 200);
    assert_eq!(app.status(new, "/v1/usage").await, 200);

    // Without one, the old key is over at once.
    let again = rotate(text(&rotated, "id"), 0).await.json();
    let newest = text(&again, "key");
    assert_eq!(app.status(new, "/v1/usage").await, 401);
    assert_eq!(app.status(newest, "/v1/usage").await, 200);

    let path = format!("/api/api-keys/{}", text(&again, "id"));
    assert_eq!(app.delete(&path).by(ANN).send().await.status, 204);
    assert_eq!(app.status(newest, "/v1/usage").await, 401);
    assert_eq!(app.status(text(&test, "key"), "/v1/usage").await, 200);
}

async fn k4_the_secret_is_shown_once(on: On) {
    let app = app(on).await;
    let new = app.create(ANN, json!({"name": "Shop backend"})).await;
    let (_, secret) = text(&new, "key").split_once('.').unwrap();
    let id = text(&new, "id");
    for path in [
        "/api/api-keys".to_owned(),
        format!("/api/api-keys/{id}"),
        format!("/api/api-keys/{id}/events"),
        "/settings/api-keys".to_owned(),
    ] {
        let answer = app.get(&path).by(ANN).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains(secret), "{path}");
    }
    // Whoever has lost it issues another one.
    let other = app.create(ANN, json!({"name": "Shop backend"})).await;
    assert_ne!(other["key"], new["key"]);
    if matches!(on, On::Postgres) {
        let kept = app.all_rows().await;
        assert!(kept.contains(id) && !kept.contains(secret));
    }
}

async fn k5_names_and_last_uses_can_be_reviewed(on: On) {
    let app = app(on).await;
    let used = app.create(ANN, json!({"name": "In use"})).await;
    app.create(ANN, json!({"name": "Forgotten"})).await;
    assert_eq!(app.status(text(&used, "key"), "/v1/usage").await, 200);
    // Uses are written once a second, not with each request.
    soon(async || {
        let list = app.list(ANN).await;
        let named = |name: &str| list.iter().find(|key| key["name"] == name).unwrap();
        assert!(named("Forgotten")["lastUsedAt"].is_null());
        named("In use")["lastUsedAt"].is_string()
    })
    .await;
    let unused = app.get("/api/api-keys/reports/unused?days=90").by(ANN);
    let unused = unused.send().await;
    assert_eq!(unused.status, 200, "{}", unused.text);
}

async fn k6_browsers_are_refused(on: On) {
    let app = app(on).await;
    let new = app.create(ANN, json!({"name": "Shop backend"})).await;
    let key = text(&new, "key");
    for (header, value) in [
        ("Origin", "https://shop.example"),
        ("Sec-Fetch-Site", "same-origin"),
        ("Sec-Fetch-Site", "cross-site"),
    ] {
        let answer = app.get("/v1/usage").key(key).header(header, value);
        let answer = answer.send().await;
        assert_eq!(answer.status, 403, "{header}: {value}");
        assert!(answer.text.contains("browser"), "{}", answer.text);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    assert_eq!(app.status(key, "/v1/usage").await, 200);
    let post = app.post("/v1/items", json!({})).key(key);
    let post = post.header("Origin", "https://shop.example").send().await;
    assert_eq!(post.status, 403);
    // A preflight finds nobody who would let it pass.
    let preflight = app.request("OPTIONS", "/v1/items");
    let preflight = preflight
        .header("Origin", "https://shop.example")
        .header("Access-Control-Request-Method", "POST")
        .header("Access-Control-Request-Headers", "authorization");
    let preflight = preflight.send().await;
    assert_eq!(preflight.header("access-control-allow-origin"), None);
}
