//! What pages of other sites can make a browser send with the cookies of this one.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use keyward::{Actor, Owner};
use keyward_admin::Admin;
use serde_json::json;
use tower::ServiceExt;

use crate::world::{ADA, EVE, Setup, new, path, request, worlds, worlds_with};

/// A form, or a request that a script sends, with a cookie or with what else browsers add by themselves.
#[tokio::test]
async fn another_site_changes_nothing() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        let at = path(&key.key.id);
        for what in ["revoke", "suspend", "resume", "rotate"] {
            let at = format!("{at}/{what}");
            for content_type in ["application/x-www-form-urlencoded", "text/plain"] {
                let form = request(&ADA, "POST", &at).header("content-type", content_type);
                let refused = world.send(form.body(Body::empty()).unwrap()).await;
                refused.refuses(415, "unsupported_media_type");
            }
            let unnamed = request(&ADA, "POST", &at);
            let refused = world.send(unnamed.body(Body::from("{}")).unwrap()).await;
            refused.refuses(415, "unsupported_media_type");
        }
        for (method, at, body) in everything(&at) {
            for headers in [
                &[("sec-fetch-site", "cross-site")][..],
                &[("sec-fetch-site", "same-site"), ("origin", HERE)],
                // Over plain HTTP, and from old browsers.
                &[("origin", "http://evil.app.local")],
                &[("origin", "http://app.local.evil")],
                &[("origin", "http://app.local:8080")],
                &[("origin", "null")],
                &[
                    ("origin", "http://evil.app.local"),
                    ("authorization", "Basic YTpi"),
                ],
                &[
                    ("sec-fetch-site", "cross-site"),
                    ("authorization", "Negotiate YII="),
                ],
            ] {
                let refused = world.send(sent(method, &at, headers, body)).await;
                refused.refuses(403, "cross_site");
            }
        }
        assert_eq!(world.kept(&key.key.id).await.record, key.key);
        let list = world.ask(&ADA, "GET", "/api-keys").await.is(200);
        assert_eq!(list.json.as_array().unwrap().len(), 1);
    }
}

/// Every request with an effect.
fn everything(at: &str) -> Vec<(&'static str, String, &'static str)> {
    vec![
        ("POST", format!("{at}/revoke"), ""),
        ("POST", format!("{at}/suspend"), ""),
        ("POST", format!("{at}/resume"), ""),
        ("POST", format!("{at}/rotate"), ""),
        ("POST", format!("{at}/rotate"), "{}"),
        ("POST", "/api-keys".to_owned(), r#"{"name": "x"}"#),
        (
            "POST",
            "/api-keys/revoke".to_owned(),
            r#"{"owner": "user:ada"}"#,
        ),
        ("PATCH", at.to_owned(), r#"{"name": "x"}"#),
        ("DELETE", at.to_owned(), ""),
        ("DELETE", format!("{at}/rotation"), ""),
    ]
}

/// A request of Ada's browser to `app.local`.
fn sent(
    method: &str,
    at: &str,
    headers: &[(&str, &str)],
    body: &'static str,
) -> axum::http::Request<Body> {
    let mut sent = request(&ADA, method, at).header("host", "app.local");
    if !body.is_empty() {
        sent = sent.header("content-type", "application/json");
    }
    for (name, value) in headers {
        sent = sent.header(*name, *value);
    }
    sent.body(Body::from(body)).unwrap()
}

const HERE: &str = "http://app.local";

/// A page of the service itself does, and what is no browser.
#[tokio::test]
async fn its_own_pages_do() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        let at = format!("{}/suspend", path(&key.key.id));
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", HERE)],
            &[("sec-fetch-site", "none")],
            &[("origin", HERE)],
            &[("content-type", "application/json")],
        ] {
            world.send(sent("POST", &at, headers, "")).await.is(204);
        }
        // What reads is a matter of the host's, and of what it lets other origins see.
        let read = sent("GET", "/api-keys", &[("sec-fetch-site", "cross-site")], "");
        world.send(read).await.is(200);
    }
}

/// Nobody but a client itself adds a token. An `ApiKeyLayer` would take it away, so here is none.
#[tokio::test]
async fn what_comes_with_a_token_was_meant() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await.key;
        let ada = Actor::user(Owner::new("user", "ada"), "a").role("admin");
        let admin = Admin::new(world.keys.clone(), move |_: &Parts| {
            Ok::<_, StatusCode>(ada.clone())
        });
        for (authorization, status) in [
            ("Bearer token", 204),
            ("bearer token", 204),
            ("Bearer", 403),
            ("Bearers token", 403),
            ("Basic YTpi", 403),
        ] {
            let headers = [
                ("origin", "http://evil.app.local"),
                ("authorization", authorization),
            ];
            let at = format!("{}/suspend", path(&key.id));
            let sent = sent("POST", &at, &headers, "");
            let answer = admin.router::<()>().oneshot(sent).await.unwrap();
            assert_eq!(answer.status(), status, "{authorization}");
        }
    }
}

/// Pages of an origin that the host trusts do, and of no other.
#[tokio::test]
async fn trusted_origins_do() {
    let setup = || Setup {
        set: |admin| admin.trust("https://pages.example").unwrap(),
        ..Setup::default()
    };
    for world in worlds_with(setup).await {
        let key = world.issue(new("a", "ada")).await;
        let at = format!("{}/suspend", path(&key.key.id));
        let from = |origin| [("sec-fetch-site", "cross-site"), ("origin", origin)];
        let trusted = sent("POST", &at, &from("https://pages.example"), "");
        world.send(trusted).await.is(204);
        let other = sent("POST", &at, &from("http://pages.example"), "");
        world.send(other).await.refuses(403, "cross_site");
    }
}

/// Nobody keeps an answer, whoever gives it, and one that changes something is no GET.
#[tokio::test]
async fn no_answer_is_kept() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await.key;
        let at = path(&key.id);
        for (method, path) in [
            ("PUT", "/api-keys".to_owned()),
            ("GET", "/api-keys/revoke".to_owned()),
            ("GET", format!("{at}/revoke")),
            ("GET", format!("{at}/rotate")),
            ("POST", at.clone()),
        ] {
            let refused = world.ask(&ADA, method, &path).await;
            let refused = refused.refuses(405, "method_not_allowed");
            assert_eq!(refused.header("cache-control"), "no-store");
            assert_ne!(refused.header("allow"), "");
        }
        world
            .ask(&crate::world::Who::Nobody, "GET", &at)
            .await
            .is(401);
        assert_eq!(world.kept(&key.id).await.record, key);
    }
}

/// A body that says more than nothing, or a parameter, is not passed over in silence.
#[tokio::test]
async fn what_is_not_heeded_is_refused() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await.key;
        let at = path(&key.id);
        let body = json!({"reason": "leaked"});
        let refused = world
            .tell(&ADA, "POST", &format!("{at}/revoke"), body)
            .await;
        refused.names(422, "reason");
        let dry = world
            .ask(&ADA, "DELETE", &format!("{at}?dryRun=true"))
            .await;
        dry.names(400, "dryRun");
        let body = json!({"overlap": 60});
        let refused = world
            .tell(&ADA, "POST", &format!("{at}/rotate"), body)
            .await;
        refused.names(422, "overlap");
        let many = (0..1_000).map(|n| (format!("f{n}"), n.into())).collect();
        let many = serde_json::Value::Object(many);
        let refused = world.tell(&ADA, "PATCH", &at, many).await.is(422);
        assert_eq!(refused.json["errors"].as_array().unwrap().len(), 16);
        assert!(refused.text.len() < 4_000);
        let refused = world.tell(&ADA, "PATCH", &at, json!([])).await;
        refused.names(422, "body");
        let refused = world.tell(&EVE, "PATCH", &at, json!({})).await;
        refused.refuses(404, "not_found");
        assert_eq!(world.kept(&key.id).await.record, key);
    }
}
