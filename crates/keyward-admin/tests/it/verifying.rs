//! Whether a key is good, for whoever may ask.

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use keyward::Actor;
use keyward_admin::Admin;
use serde_json::json;
use tower::ServiceExt;

use crate::world::{ADA, BEN, READ, Who, new, request, worlds};

const VERIFY: &str = "/api-keys/verify";

#[tokio::test]
async fn a_verdict_tells_good_from_bad_and_nothing_else() {
    for world in worlds().await {
        let good = world.issue(new("a", "ben")).await;
        let gone = world.issue(new("a", "ben")).await;
        world.keys.revoke(&gone.key.id).await.unwrap();
        let long = "x".repeat(10_000);
        for (key, valid) in [
            (good.secret.expose(), true),
            (gone.secret.expose(), false),
            (
                "ak_live_0000000aB1c_7Qp2ZkV0xR9tB4mWc8LhYs3GfN6dJa2XSF2S",
                false,
            ),
            ("", false),
            ("a\0b", false),
            (&long, false),
        ] {
            let answer = world
                .tell(&ADA, "POST", VERIFY, json!({"key": key}))
                .await
                .is(200);
            assert_eq!(answer.json, json!({"valid": valid}));
        }
        for (body, field) in [
            (json!({}), "key"),
            (json!({"key": 1}), "key"),
            (json!({"key": "x", "tenant": "b"}), "tenant"),
        ] {
            world
                .tell(&ADA, "POST", VERIFY, body)
                .await
                .names(422, field);
        }
    }
}

#[tokio::test]
async fn only_those_may_ask_who_could_give_the_scope() {
    for world in worlds().await {
        let key = world.issue(new("a", "ben")).await;
        let body = json!({"key": key.secret.expose()});
        let reader = world.bearer(&[READ]).await;
        for (who, status, code) in [(&BEN, 403, "role"), (&reader, 403, "by_key")] {
            let refused = world.tell(who, "POST", VERIFY, body.clone()).await;
            refused.refuses(status, code);
        }
        world.tell(&Who::Nobody, "POST", VERIFY, body).await.is(401);
    }
}

/// Where it is not wanted, there is no such route, and none in the document.
#[tokio::test]
async fn it_is_there_only_where_it_is_wanted() {
    let [world, _] = worlds().await;
    let nobody = |_: &Parts| -> Result<Actor, StatusCode> { Err(StatusCode::UNAUTHORIZED) };
    let admin = Admin::new(world.keys.clone(), nobody);
    assert!(!admin.openapi().paths.paths.contains_key(VERIFY));
    let request = request(&ADA, "POST", VERIFY).body(Body::empty()).unwrap();
    let answer = admin.router::<()>().oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::METHOD_NOT_ALLOWED);
}
