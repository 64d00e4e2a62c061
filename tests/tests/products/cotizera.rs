//! `002_27f27147050704ed.txt`

use std::time::{Duration, SystemTime};

use serde_json::{Value, json};

use crate::app::{App, On, soon, text};

const OLGA: &str = "olga:owner@acme";
const MAX: &str = "max:member@acme";
const KEYS: &str = "/api/api-keys";
const QUOTES: &str = "/api/v1/quotes";

crate::on_both_stores! {
    z1_keys_are_ctza_and_forty_hexadecimal_digits
    z2_keys_with_bcrypt_hashes_go_on_working
    z3_a_key_has_the_role_and_tenant_of_its_creator
    z4_owners_list_the_keys
    z5_owners_create_keys
    z6_revocation_answers_success_and_is_immediate
    z7_keys_expire
    z8_the_quotes_are_there_with_a_key
}

async fn app(on: On) -> App {
    App::start("cotizera", on).await
}

async fn z1_keys_are_ctza_and_forty_hexadecimal_digits(on: On) {
    let app = app(on).await;
    let new = app.create(OLGA, json!({"name": "Zapier"})).await;
    let secret = text(&new, "key").strip_prefix("ctza_").unwrap();
    let is_hex = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
    assert!(secret.len() == 40 && secret.bytes().all(is_hex));
    assert_eq!(text(&new, "prefix"), &text(&new, "key")[..9]);
}

/// The hash is one that PyPI's bcrypt 5.0.0 has made:
/// `bcrypt.hashpw(b"ctza_…", bcrypt.gensalt(10))`.
async fn z2_keys_with_bcrypt_hashes_go_on_working(on: On) {
    let folder = std::env::temp_dir().join(format!("cotizera-{}-{on:?}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("keys.jsonl");
    let line = json!({
        "name": "An old one", "prefix": &OLD[..9], "hash": HASH,
        "tenant": "acme", "user": "max", "role": "member",
    });
    let bad = json!({
        "name": "A bad one", "prefix": "ctza_ffff", "hash": "$2b$10$nothing",
        "tenant": "acme", "user": "max", "role": "member",
    });
    let owners = json!({
        "name": "An old one", "prefix": &OWNERS[..9], "hash": OWNERS_HASH,
        "tenant": "acme", "user": "olga", "role": "owner",
    });
    std::fs::write(&file, format!("{line}\n{bad}\nno json\n{owners}\n")).unwrap();
    let import = [("IMPORT", file.to_str().unwrap())];
    let app = App::with("cotizera", on, &import).await;
    let printed = app.printed();
    assert!(printed.contains("2 keys are imported"), "{printed}");
    assert!(
        printed.contains("line 2") && printed.contains("line 3"),
        "{printed}"
    );
    assert!(!printed.contains("$2b$"), "{printed}");

    for _ in 0..3 {
        assert_eq!(app.status(OLD, QUOTES).await, 200);
    }
    let wrong = format!("{}1", &OLD[..OLD.len() - 1]);
    assert_eq!(app.status(&wrong, QUOTES).await, 401);
    // With the rights of the user who created it there.
    let add = app.post(QUOTES, json!({})).key(OLD).send().await;
    assert_eq!(add.status, 403);
    let add = app.post(QUOTES, json!({})).key(OWNERS).send().await;
    assert_eq!(add.status, 201);
    let list = app.list(OLGA).await;
    let old = list.iter().find(|key| key["prefix"] == OLD[..9]).unwrap();
    assert_eq!(list.len(), 2);
    if matches!(on, On::Postgres) {
        // Once used, it moves to a faster hash, and is known again by a second import.
        soon(async || !app.all_rows().await.contains("$2")).await;
        assert_eq!(app.status(OLD, QUOTES).await, 200);
        let second = app.beside_with(&import).await;
        assert_eq!(second.list(OLGA).await.len(), 2);
        assert_eq!(second.status(OLD, QUOTES).await, 200);
    }
    let id = text(old, "id");
    let revoke = app.delete(&format!("{KEYS}/{id}")).by(OLGA).send().await;
    assert_eq!(revoke.status, 200);
    assert_eq!(app.status(OLD, QUOTES).await, 401);
    std::fs::remove_dir_all(folder).unwrap();
}

const OLD: &str = "ctza_a1b2c3d4e5f6a7b8c9d0e1f2a3b4c5d6e7f8a9b0";
/// The same, by `gensalt(12, prefix=b"2a")`.
const OWNERS: &str = "ctza_00ff11ee22dd33cc44bb55aa6699778800112233";
const OWNERS_HASH: &str = "$2a$12$5RkgctUuaGUcoHVxVUMX0On3yQhSUSAuiHKrCh4HibSksLAy2xSzS";
const HASH: &str = "$2b$10$8N1lEQUk7XyLxokUPePAU.jRAQkaG0xQXW06kXAop234x8qWM7cRa";

async fn z3_a_key_has_the_role_and_tenant_of_its_creator(on: On) {
    let app = app(on).await;
    let ours = app.create(OLGA, json!({"name": "Zapier"})).await;
    let theirs = app
        .create("otto:owner@other", json!({"name": "Zapier"}))
        .await;
    let add = |key: &Value| {
        let quote = json!({"of": text(key, "prefix")});
        app.post(QUOTES, quote).key(text(key, "key")).send()
    };
    assert_eq!(add(&ours).await.status, 201);
    let seen = app.get(QUOTES).key(text(&theirs, "key")).send().await;
    assert_eq!((seen.status, seen.json()), (200, json!([])));
    let seen = app.get(QUOTES).key(text(&ours, "key")).send().await;
    assert_eq!(seen.json().as_array().unwrap().len(), 1);
    // Members have no keys of their own to make.
    let new = json!({"name": "mine"});
    assert_eq!(app.post(KEYS, new).by(MAX).send().await.status, 403);
}

async fn z4_owners_list_the_keys(on: On) {
    let app = app(on).await;
    let new = app
        .create(OLGA, json!({"name": "Zapier Integration"}))
        .await;
    let answer = app.get(KEYS).by(OLGA).send().await;
    assert_eq!(answer.status, 200);
    assert!(!answer.text.contains("hash") && !answer.text.contains("digest"));
    let list = answer.json();
    let key = &list.as_array().unwrap()[0];
    assert_eq!(key["id"], new["id"]);
    assert_eq!(key["name"], "Zapier Integration");
    let prefix = text(key, "prefix");
    assert!(prefix.len() == 9 && prefix.starts_with("ctza_"), "{prefix}");
    assert!(key["lastUsedAt"].is_null() && key["expiresAt"].is_null());
    assert!(key.as_object().unwrap().contains_key("expiresAt"));
    assert_eq!(key["isActive"], true);
    assert!(text(key, "createdAt").ends_with('Z'));
    let fields: Vec<&str> = key
        .as_object()
        .unwrap()
        .keys()
        .map(|name| &**name)
        .collect();
    let mut promised = [
        "id",
        "name",
        "prefix",
        "lastUsedAt",
        "expiresAt",
        "isActive",
        "createdAt",
    ];
    promised.sort_unstable();
    assert_eq!(fields, promised);
    for (who, status) in [(MAX, 403), ("otto:owner@other", 200)] {
        let answer = app.get(KEYS).by(who).send().await;
        assert_eq!(answer.status, status, "{who}: {}", answer.text);
        assert!(!answer.text.contains(text(&new, "id")));
    }
    assert_eq!(app.get(KEYS).send().await.status, 401);
    // All of them, however many.
    for n in 0..120 {
        app.create("otto:owner@many", json!({"name": n.to_string()}))
            .await;
    }
    assert_eq!(app.list("otto:owner@many").await.len(), 120);
}

async fn z5_owners_create_keys(on: On) {
    let app = app(on).await;
    let new = json!({"name": "My integration", "expiresAt": "2031-01-01T00:00:00.000Z"});
    let answer = app.post(KEYS, new).by(OLGA).send().await;
    assert_eq!(answer.status, 201);
    let key = answer.json();
    let fields: Vec<&str> = key
        .as_object()
        .unwrap()
        .keys()
        .map(|name| &**name)
        .collect();
    let mut expected = ["id", "name", "prefix", "key", "expiresAt", "createdAt"];
    expected.sort_unstable();
    assert_eq!(fields, expected);
    assert!(text(&key, "expiresAt").starts_with("2031-01-01T00:00:00"));

    for (body, field) in [
        (json!({}), "name"),
        (json!({"name": ""}), "name"),
        (json!({"name": "x".repeat(101)}), "name"),
        (json!({"name": 7}), "name"),
        (json!({"name": "x", "expiresAt": "tomorrow"}), "expiresAt"),
        (
            json!({"name": "x", "expiresAt": "2001-01-01T00:00:00Z"}),
            "expiresAt",
        ),
        (json!({"name": "x", "tenant": "other"}), "tenant"),
    ] {
        let answer = app.post(KEYS, body.clone()).by(OLGA).send().await;
        assert!(
            (400..500).contains(&answer.status),
            "{body}: {}",
            answer.status
        );
        assert!(answer.text.contains(field), "{body}: {}", answer.text);
    }
    let longest = json!({"name": "ä".repeat(100)});
    assert_eq!(app.post(KEYS, longest).by(OLGA).send().await.status, 201);
    assert_eq!(app.list(OLGA).await.len(), 2);
}

async fn z6_revocation_answers_success_and_is_immediate(on: On) {
    let app = app(on).await;
    let second = match on {
        On::Memory => None,
        On::Postgres => Some(app.beside().await),
    };
    let new = app.create(OLGA, json!({"name": "Zapier"})).await;
    let (id, key) = (text(&new, "id"), text(&new, "key"));
    for app in [Some(&app), second.as_ref()].into_iter().flatten() {
        for _ in 0..3 {
            assert_eq!(app.status(key, QUOTES).await, 200);
        }
    }
    let path = format!("{KEYS}/{id}");
    let stranger = app.delete(&path).by("otto:owner@other").send().await;
    assert_eq!(stranger.status, 404);
    assert_eq!(app.delete(&path).by(MAX).send().await.status / 100, 4);
    assert_eq!(app.status(key, QUOTES).await, 200);
    let answer = app.delete(&path).by(OLGA).send().await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"success": true}))
    );
    assert_eq!(app.status(key, QUOTES).await, 401);
    if let Some(second) = second {
        soon(async || second.status(key, QUOTES).await == 401).await;
    }
    // Softly: it is kept for the audit, and not listed.
    assert!(app.list(OLGA).await.is_empty());
    let events = app.get(&format!("{path}/events")).by(OLGA).send().await;
    assert!(events.status == 200 && events.text.contains("revoked"));
}

async fn z7_keys_expire(on: On) {
    let app = app(on).await;
    let in_two = SystemTime::now() + Duration::from_secs(2);
    let at = humantime::format_rfc3339_millis(in_two).to_string();
    let new = app
        .create(OLGA, json!({"name": "ci", "expiresAt": at}))
        .await;
    let key = text(&new, "key");
    while SystemTime::now() < in_two - Duration::from_millis(200) {
        assert_eq!(app.status(key, QUOTES).await, 200);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    tokio::time::sleep(Duration::from_millis(400)).await;
    // From the cache it is refused all the same.
    assert_eq!(app.status(key, QUOTES).await, 401);
}

async fn z8_the_quotes_are_there_with_a_key(on: On) {
    let app = app(on).await;
    let new = app.create(OLGA, json!({"name": "Zapier"})).await;
    assert_eq!(app.status(text(&new, "key"), QUOTES).await, 200);
    assert_eq!(app.get(QUOTES).send().await.status, 401);
    let wrong = format!("ctza_{}", "0".repeat(40));
    assert_eq!(app.status(&wrong, QUOTES).await, 401);
}
