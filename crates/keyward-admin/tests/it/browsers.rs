//! What pages of other sites can make a browser send with the cookies of this one.

use axum::body::Body;
use serde_json::json;

use crate::world::{ADA, EVE, new, path, request, worlds};

/// A form, or a request that a script sends without being let to.
#[tokio::test]
async fn another_site_changes_nothing() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        for what in ["revoke", "suspend", "resume", "rotate"] {
            let at = format!("{}/{what}", path(&key.key.id));
            for content_type in ["application/x-www-form-urlencoded", "text/plain"] {
                let form = request(&ADA, "POST", &at).header("content-type", content_type);
                let refused = world.send(form.body(Body::empty()).unwrap()).await;
                refused.refuses(415, "unsupported_media_type");
            }
            for site in ["cross-site", "same-site"] {
                let script = request(&ADA, "POST", &at).header("sec-fetch-site", site);
                let refused = world.send(script.body(Body::empty()).unwrap()).await;
                refused.refuses(403, "cross_site");
            }
            let unnamed = request(&ADA, "POST", &at);
            let refused = world.send(unnamed.body(Body::from("{}")).unwrap()).await;
            refused.refuses(415, "unsupported_media_type");
        }
        assert_eq!(world.kept(&key.key.id).await.record, key.key);
    }
}

/// A page of the service itself does, and one of another site that the browser has asked for.
#[tokio::test]
async fn its_own_pages_do() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await;
        let at = format!("{}/suspend", path(&key.key.id));
        for (name, value) in [
            ("sec-fetch-site", "same-origin"),
            ("sec-fetch-site", "none"),
            ("content-type", "application/json"),
        ] {
            let own = request(&ADA, "POST", &at).header(name, value);
            world.send(own.body(Body::empty()).unwrap()).await.is(204);
        }
        let asked = request(&ADA, "POST", &at)
            .header("sec-fetch-site", "cross-site")
            .header("content-type", "application/json");
        world
            .send(asked.body(Body::from("{}")).unwrap())
            .await
            .is(204);
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
        let refused = world.tell(&ADA, "PATCH", &at, json!([])).await;
        refused.names(422, "body");
        let refused = world.tell(&EVE, "PATCH", &at, json!({})).await;
        refused.refuses(404, "not_found");
        assert_eq!(world.kept(&key.id).await.record, key);
    }
}
