//! `000_8b7b97cc9a314220.txt`

use serde_json::json;

use crate::app::{App, On, soon, text};

const ANN: &str = "ann:admin@acme";
const BEN: &str = "ben:member@acme";
const PROMPTS: &str = "/api/v1/workspaces/acme/prompts";
const SETTINGS: &str = "/api/v1/workspaces/acme/settings";

crate::on_both_stores! {
    c1_a_key_is_scoped_to_one_workspace
    c2_a_key_has_the_permissions_of_the_member_who_created_it
    c3_keys_are_for_paid_plans
    c4_the_secret_is_shown_once_and_kept_nowhere
    c5_every_request_bears_its_key_as_a_bearer_token
    c6_a_key_can_be_restricted_to_reading
    c7_revocation_is_immediate
    c8_revoked_keys_leave_the_list_for_good
    c9_keys_are_managed_on_a_settings_page
}

async fn app(on: On) -> App {
    App::start("citatra", on).await
}

async fn c1_a_key_is_scoped_to_one_workspace(on: On) {
    let app = app(on).await;
    let ours = app.create(ANN, json!({"name": "sync"})).await;
    let theirs = app.create("eve:admin@other", json!({"name": "sync"})).await;
    let prompt = json!({"text": "hello"});
    let added = app.post(PROMPTS, prompt.clone()).key(text(&ours, "key"));
    assert_eq!(added.send().await.status, 201);

    let key = text(&theirs, "key");
    let read = app.get(PROMPTS).key(key).send().await;
    assert!([403, 404].contains(&read.status), "{}", read.status);
    assert!(!read.text.contains("hello"));
    let written = app.post(PROMPTS, prompt).key(key).send().await.status;
    assert!([403, 404].contains(&written), "{written}");
    let set = app.put(SETTINGS, json!({})).key(key).send().await.status;
    assert!([403, 404].contains(&set), "{set}");
    // Whose it is comes first, whatever is sent.
    let odd = app.request("POST", PROMPTS).form("no=json").key(key);
    assert_eq!(odd.send().await.status, read.status);
    assert_eq!(
        app.status(key, "/api/v1/workspaces/other/prompts").await,
        200
    );
    assert_eq!(app.status(text(&ours, "key"), PROMPTS).await, 200);
}

async fn c2_a_key_has_the_permissions_of_the_member_who_created_it(on: On) {
    let app = app(on).await;
    let admins = app.create(ANN, json!({"name": "admin's"})).await;
    let members = app.create(BEN, json!({"name": "member's"})).await;
    let set = |key: &str| app.put(SETTINGS, json!({"theme": "dark"})).key(key).send();
    assert_eq!(set(text(&admins, "key")).await.status, 200);
    let refused = set(text(&members, "key")).await;
    assert_eq!(refused.status, 403);
    let challenge = refused.header("www-authenticate").unwrap();
    assert!(challenge.contains("insufficient_scope") && challenge.contains("admin"));
    let add = app.post(PROMPTS, json!({})).key(text(&members, "key"));
    assert_eq!(add.send().await.status, 201);
    // A member cannot ask for more than they may do themselves.
    let more = json!({"name": "more", "scopes": ["read", "admin"]});
    let more = app.post("/api/api-keys", more).by(BEN).send().await;
    assert_eq!(more.status, 403);
    assert_eq!(app.list(BEN).await.len(), 1);
}

async fn c3_keys_are_for_paid_plans(on: On) {
    let app = app(on).await;
    let new = json!({"name": "ci"});
    let refused = app
        .post("/api/api-keys", new.clone())
        .by("eve:admin@free-eve");
    let refused = refused.send().await;
    assert_eq!(refused.status, 403);
    assert!(refused.text.contains("plan"), "{}", refused.text);
    app.plan("free-eve", "pro").await;
    let key = app.create("eve:admin@free-eve", new.clone()).await;
    let (key, path) = (text(&key, "key"), "/api/v1/workspaces/free-eve/prompts");
    for _ in 0..3 {
        assert_eq!(app.status(key, path).await, 200);
    }
    app.plan("free-eve", "free").await;
    let refused = app.get(path).key(key).send().await;
    assert_eq!(refused.status, 403);
    let problem = refused.json();
    assert_eq!(text(&problem, "code"), "not_entitled");
    let created = app.post("/api/api-keys", new).by("eve:admin@free-eve");
    assert_eq!(created.send().await.status, 403);
    app.plan("free-eve", "pro").await;
    assert_eq!(app.status(key, path).await, 200);
    if matches!(on, On::Postgres) {
        // What one instance is told, another heeds.
        let second = app.beside().await;
        assert_eq!(second.status(key, path).await, 200);
        app.plan("free-eve", "free").await;
        soon(async || second.status(key, path).await == 403).await;
        second.plan("free-eve", "pro").await;
        assert_eq!(second.status(key, path).await, 200);
        soon(async || app.status(key, path).await == 200).await;
        // It does not forget what was changed when it hears of the tenant itself.
        second
            .create("eve:admin@free-eve", json!({"name": "ci"}))
            .await;
    }
}

async fn c4_the_secret_is_shown_once_and_kept_nowhere(on: On) {
    let app = app(on).await;
    let answer = app.post("/api/api-keys", json!({"name": "sync"})).by(ANN);
    let answer = answer.send().await;
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let key = answer.json();
    let (id, secret) = (text(&key, "id"), text(&key, "key"));
    assert_eq!(app.status(secret, PROMPTS).await, 200);
    for path in [
        "/api/api-keys".to_owned(),
        format!("/api/api-keys/{id}"),
        format!("/api/api-keys/{id}/events"),
        "/settings/api-keys".to_owned(),
    ] {
        let answer = app.get(&path).by(ANN).send().await;
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.text.contains(secret), "{path}");
        assert!(!answer.text.contains("hash") && !answer.text.contains("digest"));
    }
    if matches!(on, On::Postgres) {
        let kept = app.all_rows().await;
        assert!(kept.contains(id) && !kept.contains(secret));
    }
}

async fn c5_every_request_bears_its_key_as_a_bearer_token(on: On) {
    let app = app(on).await;
    let key = app.create(ANN, json!({"name": "sync"})).await;
    for path in [PROMPTS, SETTINGS, "/api/v1", "/api/v1/nothing/of/this/name"] {
        let answer = app.get(path).send().await;
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer
                .header("www-authenticate")
                .unwrap()
                .starts_with("Bearer")
        );
        assert_eq!(app.status("citatra_wrong", path).await, 401, "{path}");
        // A session is no key.
        assert_eq!(app.get(path).by(ANN).send().await.status, 401, "{path}");
    }
    assert_eq!(app.status(text(&key, "key"), PROMPTS).await, 200);
    assert_eq!(app.status(text(&key, "key"), "/api/v1/nothing").await, 404);
}

async fn c6_a_key_can_be_restricted_to_reading(on: On) {
    let app = app(on).await;
    let key = app
        .create(ANN, json!({"name": "board", "readOnly": true}))
        .await;
    let key = text(&key, "key");
    assert_eq!(app.status(key, PROMPTS).await, 200);
    let add = app.post(PROMPTS, json!({})).key(key).send().await;
    assert_eq!(add.status, 403);
    let set = app.put(SETTINGS, json!({})).key(key).send().await;
    assert_eq!(set.status, 403);
    assert_eq!(app.list(ANN).await[0]["scopes"], json!(["read"]));
}

async fn c7_revocation_is_immediate(on: On) {
    let app = app(on).await;
    // With several instances, each has the key in its cache.
    let second = match on {
        On::Memory => None,
        On::Postgres => Some(app.beside().await),
    };
    let new = app.create(ANN, json!({"name": "sync"})).await;
    let (id, key) = (text(&new, "id"), text(&new, "key"));
    for app in [Some(&app), second.as_ref()].into_iter().flatten() {
        for _ in 0..3 {
            assert_eq!(app.status(key, PROMPTS).await, 200);
        }
    }
    let revoke = app.delete(&format!("/api/api-keys/{id}")).by(ANN);
    assert_eq!(revoke.send().await.status, 204);
    assert_eq!(app.status(key, PROMPTS).await, 401);
    if let Some(second) = second {
        soon(async || second.status(key, PROMPTS).await == 401).await;
    }
}

async fn c8_revoked_keys_leave_the_list_for_good(on: On) {
    let app = app(on).await;
    let new = app.create(ANN, json!({"name": "sync"})).await;
    let id = text(&new, "id");
    let path = format!("/api/api-keys/{id}");
    assert_eq!(app.list(ANN).await.len(), 1);
    assert_eq!(app.delete(&path).by(ANN).send().await.status, 204);
    assert!(app.list(ANN).await.is_empty());
    for way in ["resume", "rotate", "suspend"] {
        let back = app.post(&format!("{path}/{way}"), json!({})).by(ANN);
        let status = back.send().await.status;
        assert!((400..500).contains(&status), "{way}: {status}");
    }
    assert_eq!(app.status(text(&new, "key"), PROMPTS).await, 401);
    // It is kept for the audit.
    let events = app.get(&format!("{path}/events")).by(ANN).send().await;
    assert_eq!(events.status, 200);
    assert!(events.text.contains("revoked"), "{}", events.text);
}

async fn c9_keys_are_managed_on_a_settings_page(on: On) {
    let app = app(on).await;
    let login = app.get("/demo/login?as=ann:admin@acme").send().await;
    assert_eq!(login.status, 303);
    let cookie = login.header("set-cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap();
    let settings = login.header("location").unwrap();
    let page = app.get(settings).header("Cookie", cookie).send().await;
    assert_eq!(page.status, 200);
    assert!(
        page.header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    crate::page::create_and_revoke(&app, cookie, settings, "Data warehouse sync").await;
}
