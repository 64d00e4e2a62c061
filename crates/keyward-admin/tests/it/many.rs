//! Many keys revoked at once.

use serde_json::json;

use crate::world::{ADA, BEN, EVE, MANAGE, READ, new, worlds};

#[tokio::test]
async fn those_are_revoked_that_are_meant() {
    for world in worlds().await {
        let mut leaked = Vec::new();
        for owner in ["ada", "ben"] {
            leaked.push(world.issue(new("a", owner).tags(["leaked"])).await);
        }
        let other = world.issue(new("a", "ben")).await;
        let theirs = world.issue(new("b", "eve").tags(["leaked"])).await;
        let revoke = "/api-keys/revoke";
        let dry = json!({"tag": "leaked", "dryRun": true});
        let counted = world.tell(&ADA, "POST", revoke, dry.clone()).await.is(200);
        assert_eq!(counted.json, json!({"count": 2, "dryRun": true}));
        // A member reaches their own.
        let counted = world.tell(&BEN, "POST", revoke, dry).await.is(200);
        assert_eq!(counted.json["count"], 1);
        for key in leaked.iter().chain([&other, &theirs]) {
            assert!(world.accepts(&key.secret).await);
        }
        let body = json!({"tag": "leaked"});
        let done = world.tell(&ADA, "POST", revoke, body.clone()).await.is(200);
        assert_eq!(done.json, json!({"count": 2, "dryRun": false}));
        for key in &leaked {
            assert!(!world.accepts(&key.secret).await);
        }
        for key in [&other, &theirs] {
            assert!(world.accepts(&key.secret).await);
        }
        let again = world.tell(&ADA, "POST", revoke, body).await.is(200);
        assert_eq!(again.json["count"], 0);
    }
}

#[tokio::test]
async fn each_way_to_name_them() {
    for world in worlds().await {
        let revoke = "/api-keys/revoke";
        world
            .issue(new("a", "ben").environment("live").tags(["t"]))
            .await;
        for (body, count) in [
            (json!({"owner": "user:ben"}), 1),
            (json!({"owner": "user:ada"}), 0),
            (
                json!({"tag": "t", "environment": "live", "prefix": "ak_live"}),
                1,
            ),
            (json!({"prefix": "ak_test"}), 0),
            (json!({"environment": "test"}), 0),
            (json!({"createdBefore": "2100-01-01T00:00:00Z"}), 1),
            (json!({"createdBefore": "2001-01-01T00:00:00Z"}), 0),
            (json!({"unusedForSeconds": 0}), 1),
            (json!({"unusedForSeconds": 3600}), 0),
            (json!({"unusedForSeconds": u64::MAX}), 0),
        ] {
            let mut dry = body.clone();
            dry["dryRun"] = true.into();
            let counted = world.tell(&ADA, "POST", revoke, dry).await.is(200);
            assert_eq!(counted.json["count"], count, "{body}");
        }
        for (body, named) in [
            (json!({}), "body"),
            (json!({"dryRun": true}), "body"),
            (json!({"dryRun": "yes", "tag": "t"}), "dryRun"),
            (json!({"tag": null}), "tag"),
            (json!({"tag": "a\0"}), "tag"),
            (json!({"owner": "ben"}), "owner"),
            (json!({"createdBefore": "yesterday"}), "createdBefore"),
            (json!({"unusedForSeconds": -1}), "unusedForSeconds"),
            (json!({"tenant": "b"}), "tenant"),
            (json!({"tag": "t", "dry_run": true}), "dry_run"),
        ] {
            world
                .tell(&ADA, "POST", revoke, body)
                .await
                .names(422, named);
        }
        let list = world.ask(&ADA, "GET", "/api-keys").await.is(200);
        assert_eq!(list.json.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn whom_it_is_not_for_it_does_nothing() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada").tags(["t"])).await;
        let revoke = "/api-keys/revoke";
        let reader = world.bearer(&[READ]).await;
        let refused = world
            .tell(&reader, "POST", revoke, json!({"tag": "t"}))
            .await;
        refused.refuses(403, "by_key");
        let refused = world
            .tell(&BEN, "POST", revoke, json!({"owner": "user:ada"}))
            .await;
        refused.refuses(403, "owner");
        let theirs = world
            .tell(&EVE, "POST", revoke, json!({"owner": "user:ada"}))
            .await
            .is(200);
        assert_eq!(theirs.json["count"], 0);
        assert!(world.accepts(&key.secret).await);
        let manager = world.bearer(&[MANAGE]).await;
        let done = world
            .tell(&manager, "POST", revoke, json!({"tag": "t"}))
            .await
            .is(200);
        assert_eq!(done.json["count"], 1);
    }
}
