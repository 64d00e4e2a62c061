//! What becomes of a key, and what is told of it.

use keyward::KeyId;
use serde_json::json;

use crate::world::{ADA, BEN, EVE, Who, new, path, worlds};

#[tokio::test]
async fn a_rotation_and_its_undoing() {
    for world in worlds().await {
        let old = world.issue(new("a", "ben")).await;
        let at = path(&old.key.id);
        let rotate = format!("{at}/rotate");
        let body = json!({"overlapSeconds": 3600});
        let made = world.tell(&BEN, "POST", &rotate, body).await.is(201);
        let members: Vec<_> = made.json.as_object().unwrap().keys().collect();
        assert_eq!(
            members,
            ["createdAt", "expiresAt", "id", "key", "name", "prefix"]
        );
        assert!(world.accepts(&old.secret).await);
        assert!(world.accepts_text(made.text_of("key")).await);
        let shown = world.ask(&BEN, "GET", &at).await.is(200);
        assert_eq!(shown.json["status"], "retiring");
        assert_eq!(shown.json["isActive"], true);
        assert_eq!(shown.json["replacedBy"]["id"], made.json["id"]);
        let new_at = format!("/api-keys/{}", made.text_of("id"));
        let shown = world.ask(&BEN, "GET", &new_at).await.is(200);
        assert_eq!(shown.json["rotatedFrom"], old.key.id.as_str());
        let undo = format!("{new_at}/rotation");
        world.ask(&BEN, "DELETE", &undo).await.is(204);
        assert!(world.accepts(&old.secret).await);
        assert!(!world.accepts_text(made.text_of("key")).await);
        let again = world.ask(&BEN, "DELETE", &undo).await;
        again.refuses(409, "nothing_to_undo");
        // Without a body, and with one that says nothing, there is no overlap.
        let made = world.ask(&BEN, "POST", &rotate).await.is(201);
        assert!(!world.accepts(&old.secret).await);
        let rotate = format!("/api-keys/{}/rotate", made.text_of("id"));
        world.tell(&BEN, "POST", &rotate, json!({})).await.is(201);
        assert!(!world.accepts_text(made.text_of("key")).await);
    }
}

#[tokio::test]
async fn an_overlap_out_of_bounds_is_named() {
    for world in worlds().await {
        let key = world.issue(new("a", "ben")).await.key;
        let rotate = format!("{}/rotate", path(&key.id));
        for overlap in [
            json!(-1),
            json!(1.5),
            json!("1"),
            json!(null),
            json!(u64::MAX),
        ] {
            let body = json!({"overlapSeconds": overlap});
            let refused = world.tell(&BEN, "POST", &rotate, body).await;
            refused.names(422, "overlapSeconds");
        }
        assert_eq!(world.kept(&key.id).await.record, key);
    }
}

#[tokio::test]
async fn a_suspension_and_its_end() {
    for world in worlds().await {
        let key = world.issue(new("a", "ben")).await;
        let at = path(&key.key.id);
        for _ in 0..2 {
            world
                .ask(&BEN, "POST", &format!("{at}/suspend"))
                .await
                .is(204);
            assert!(!world.accepts(&key.secret).await);
        }
        let shown = world.ask(&BEN, "GET", &at).await.is(200);
        assert_eq!(
            (&shown.json["status"], &shown.json["isActive"]),
            (&json!("suspended"), &json!(false))
        );
        let rotated = world.ask(&BEN, "POST", &format!("{at}/rotate")).await;
        rotated.refuses(409, "is_suspended");
        for _ in 0..2 {
            world
                .ask(&BEN, "POST", &format!("{at}/resume"))
                .await
                .is(204);
            assert!(world.accepts(&key.secret).await);
        }
    }
}

#[tokio::test]
async fn a_revocation_is_final() {
    for world in worlds().await {
        let key = world.issue(new("a", "ben")).await;
        let at = path(&key.key.id);
        world.ask(&BEN, "DELETE", &at).await.is(204);
        assert!(!world.accepts(&key.secret).await);
        world.ask(&BEN, "DELETE", &at).await.is(204);
        world
            .ask(&BEN, "POST", &format!("{at}/revoke"))
            .await
            .is(204);
        for what in ["rotate", "suspend", "resume"] {
            let refused = world.ask(&BEN, "POST", &format!("{at}/{what}")).await;
            refused.refuses(409, "is_revoked");
        }
        let refused = world.tell(&BEN, "PATCH", &at, json!({"name": "x"})).await;
        refused.refuses(409, "is_revoked");
        // It is shown, but not in the list.
        let shown = world.ask(&BEN, "GET", &at).await.is(200);
        assert_eq!(
            (&shown.json["status"], &shown.json["isActive"]),
            (&json!("revoked"), &json!(false))
        );
        let list = world.ask(&BEN, "GET", "/api-keys").await.is(200);
        assert_eq!(list.json, json!([]));
    }
}

#[tokio::test]
async fn a_change_and_what_stays() {
    for world in worlds().await {
        let description = new("a", "ben").description("of the build").tags(["old"]);
        let key = world.issue(description).await.key;
        let at = path(&key.id);
        let body = json!({"name": "other", "tags": ["x"], "expiresIn": 3600, "metadata": {"n": 1}});
        let changed = world.tell(&BEN, "PATCH", &at, body).await.is(200);
        assert_eq!(changed.json["name"], "other");
        assert_eq!(changed.json["description"], "of the build");
        assert_eq!(changed.json["scopes"], json!(["docs:read"]));
        assert_eq!(changed.json["metadata"], json!({"n": 1}));
        assert!(changed.json["expiresAt"].is_string());
        let body = json!({"description": null, "expiresAt": null, "metadata": null, "tags": [], "scopes": []});
        let changed = world.tell(&BEN, "PATCH", &at, body).await.is(200);
        for member in ["description", "expiresAt", "metadata"] {
            assert_eq!(changed.json[member], json!(null), "{member}");
        }
        assert_eq!(changed.json["tags"], json!([]));
        assert_eq!(changed.json["scopes"], json!([]));
        let same = world.tell(&BEN, "PATCH", &at, json!({})).await.is(200);
        assert_eq!(same.json, changed.json);
        // Nobody moves a key to another environment or owner.
        for member in ["environment", "owner", "prefix", "readOnly", "id"] {
            let body = json!({member: "x"});
            world
                .tell(&BEN, "PATCH", &at, body)
                .await
                .names(422, member);
        }
    }
}

#[tokio::test]
async fn events_tell_what_happened_page_by_page() {
    for world in worlds().await {
        let key = world.issue(new("a", "ben")).await.key;
        let at = path(&key.id);
        for what in ["suspend", "resume", "suspend", "resume"] {
            world
                .ask(&BEN, "POST", &format!("{at}/{what}"))
                .await
                .is(204);
        }
        let body = json!({"name": "other"});
        world.tell(&ADA, "PATCH", &at, body).await.is(200);
        let (mut page, mut seen, mut pages) = (format!("{at}/events?limit=2"), Vec::new(), 0);
        loop {
            let events = world.ask(&BEN, "GET", &page).await.is(200);
            seen.extend(events.json.as_array().unwrap().clone());
            pages += 1;
            match events.next() {
                Some(next) => page = format!("{at}/events{next}"),
                None => break,
            }
        }
        let actions: Vec<_> = seen
            .iter()
            .map(|event| event["action"].as_str().unwrap())
            .collect();
        let expected = [
            "updated",
            "resumed",
            "suspended",
            "resumed",
            "suspended",
            "issued",
        ];
        assert_eq!((actions.as_slice(), pages), (expected.as_slice(), 3));
        assert_eq!(seen[0]["actor"], "user:ada");
        assert_eq!(seen[0]["before"], json!({"name": "ci"}));
        assert_eq!(seen[0]["after"], json!({"name": "other"}));
        assert_eq!(seen[5]["actor"], json!(null));
        // The place is one in the events of this key alone.
        let other = world.issue(new("a", "ben")).await.key;
        let first = world
            .ask(&BEN, "GET", &format!("{at}/events?limit=1"))
            .await
            .is(200);
        let elsewhere = format!("{}/events{}", path(&other.id), first.next().unwrap());
        world
            .ask(&BEN, "GET", &elsewhere)
            .await
            .names(400, "cursor");
        let list = format!("/api-keys{}", first.next().unwrap());
        world.ask(&BEN, "GET", &list).await.names(400, "cursor");
        world
            .ask(&EVE, "GET", &format!("{at}/events"))
            .await
            .refuses(404, "not_found");
    }
}

/// Both halves of a rotation, and the use of a key, are told.
#[tokio::test]
async fn a_use_is_shown() {
    for world in worlds().await {
        let key = world.issue(new("a", "ben")).await;
        let at = path(&key.key.id);
        let unused = world.ask(&BEN, "GET", &at).await.is(200);
        assert_eq!(unused.json["lastUsedAt"], json!(null));
        world
            .ask(&Who::key(&key.secret), "GET", "/docs")
            .await
            .is(200);
        let written = async {
            loop {
                let used = world.ask(&BEN, "GET", &at).await.is(200);
                if used.json["lastUsedAt"].is_string() {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(50)).await;
            }
        };
        let limit = std::time::Duration::from_secs(10);
        tokio::time::timeout(limit, written).await.unwrap();
    }
}

/// A name that could be a key's, and is none.
#[tokio::test]
async fn a_key_that_is_not_there_is_not_found() {
    for world in worlds().await {
        for id in [
            KeyId::generate().as_str(),
            "7",
            "reports",
            "a%2eb",
            "%27%3b--",
        ] {
            for (method, what) in [
                ("GET", ""),
                ("DELETE", ""),
                ("POST", "/revoke"),
                ("POST", "/rotate"),
                ("DELETE", "/rotation"),
                ("POST", "/suspend"),
                ("POST", "/resume"),
                ("GET", "/events"),
            ] {
                let at = format!("/api-keys/{id}{what}");
                world.ask(&ADA, method, &at).await.refuses(404, "not_found");
            }
        }
    }
}
