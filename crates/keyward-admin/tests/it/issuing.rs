//! New keys, and what hosts may say of them.

use keyward::{KeyId, Scope, ScopeRule, Scopes};
use serde_json::json;

use crate::world::{ADA, BEN, MANAGE, READ, Setup, VERIFY, WRITE, Who, World, worlds, worlds_with};

#[tokio::test]
async fn a_key_is_as_it_was_asked_for() {
    for world in worlds().await {
        let body = json!({
            "name": "ci", "description": "of the build", "scopes": ["docs:read"],
            "environment": "staging", "tags": ["b", "a"], "metadata": {"team": 7},
            "networks": ["192.0.2.7", "2001:db8::/32"],
            "limits": [{"requests": 100, "perSeconds": 60}, {"requests": 5, "perSeconds": 0.5}],
            "expiresAt": "2100-01-01T00:00:00Z",
        });
        let made = world.tell(&BEN, "POST", "/api-keys", body).await.is(201);
        let at = format!("/api-keys/{}", made.text_of("id"));
        let mut shown = world.ask(&BEN, "GET", &at).await.is(200).json;
        let shown = shown.as_object_mut().unwrap();
        for (member, as_made) in [
            ("id", "id"),
            ("createdAt", "createdAt"),
            ("prefix", "prefix"),
        ] {
            assert_eq!(shown.remove(member).unwrap(), made.json[as_made]);
        }
        let shown = serde_json::to_value(shown).unwrap();
        let expected = json!({
            "name": "ci", "description": "of the build", "scopes": ["docs:read"],
            "environment": "staging", "tags": ["a", "b"], "metadata": {"team": 7},
            "networks": ["192.0.2.7/32", "2001:db8::/32"],
            "limits": [{"requests": 5, "perSeconds": 0.5}, {"requests": 100, "perSeconds": 60}],
            "expiresAt": "2100-01-01T00:00:00.000000Z", "owner": {"kind": "user", "id": "ben"},
            "role": "member", "isActive": true, "status": "active", "createdBy": "user:ben",
            "lastUsedAt": null, "suspendedAt": null, "revokedAt": null, "rotatedFrom": null,
            "replacedBy": null,
        });
        assert_eq!(shown, expected);
        assert!(made.text_of("key").starts_with("ak_live_"));
        assert!(made.text_of("key").starts_with(made.text_of("prefix")));
    }
}

/// What is shown of a key can be sent back.
#[tokio::test]
async fn a_shown_key_can_be_sent_back() {
    for world in worlds().await {
        let body = json!({"name": "ci", "limits": [{"requests": 9, "perSeconds": 1}]});
        let made = world.tell(&ADA, "POST", "/api-keys", body).await.is(201);
        let at = format!("/api-keys/{}", made.text_of("id"));
        let shown = world.ask(&ADA, "GET", &at).await.is(200).json;
        let mut back = json!({});
        for field in [
            "name",
            "description",
            "scopes",
            "expiresAt",
            "tags",
            "limits",
            "networks",
            "metadata",
        ] {
            back[field] = shown[field].clone();
        }
        let again = world.tell(&ADA, "PATCH", &at, back).await.is(200);
        assert_eq!(again.json, shown);
    }
}

#[tokio::test]
async fn fields_out_of_bounds_are_named() {
    for world in worlds().await {
        let many =
            |text: &str, n: usize| -> Vec<_> { (0..n).map(|n| format!("{text}{n}")).collect() };
        for (field, named, value) in [
            ("description", "description", json!("x".repeat(1_001))),
            ("description", "description", json!("a\0b")),
            ("environment", "environment", json!("")),
            ("tags", "tags", json!(many("tag", 33))),
            ("tags", "tags", json!([""])),
            ("tags", "tags[1]", json!(["a", 1])),
            ("tags", "tags", json!("a")),
            ("scopes", "scopes", json!(many("s", 65))),
            ("scopes", "scopes[0]", json!(["two words"])),
            ("scopes", "scopes", json!("docs:read")),
            ("limits", "limits", json!({"requests": 1, "perSeconds": 1})),
            ("limits", "limits[0]", json!([{"requests": 1}])),
            (
                "limits",
                "limits[0]",
                json!([{"requests": 1, "perSeconds": 1, "more": 1}]),
            ),
            ("networks", "networks[0]", json!(["example.com"])),
            ("networks", "networks[0]", json!(["10.0.0.0/99"])),
            ("metadata", "metadata", json!({"a": "x".repeat(20_000)})),
            ("metadata", "metadata", json!([1])),
            ("readOnly", "readOnly", json!("yes")),
        ] {
            let mut body = json!({"name": "x"});
            body[field] = value;
            let refused = world.tell(&ADA, "POST", "/api-keys", body).await;
            refused.names(422, named);
        }
        world
            .tell(&ADA, "POST", "/api-keys", json!({}))
            .await
            .names(422, "name");
        // What a database cannot keep as text is kept as JSON.
        let body = json!({"name": "x", "metadata": {"a": "\0"}});
        world.tell(&ADA, "POST", "/api-keys", body).await.is(201);
    }
}

#[tokio::test]
async fn read_only_is_what_the_host_says() {
    let setup = |rule| {
        move || Setup {
            rule,
            set: |admin| admin.read_only([READ, VERIFY]),
            ..Setup::default()
        }
    };
    for rule in [ScopeRule::Chosen, ScopeRule::Inherited] {
        for world in worlds_with(setup(rule)).await {
            let body = json!({"name": "x", "readOnly": true});
            // What a member may not give, nobody gets of it.
            assert_eq!(made(&world, &BEN, body.clone()).await, [READ]);
            assert_eq!(made(&world, &ADA, body.clone()).await, [READ, VERIFY]);
            let key = world.bearer(&[MANAGE, READ, WRITE]).await;
            assert_eq!(made(&world, &key, body).await, [READ]);
            let body = json!({"name": "x", "readOnly": false, "scopes": ["docs:write"]});
            assert_eq!(made(&world, &BEN, body).await, [WRITE]);
            let body = json!({"name": "x", "readOnly": true, "scopes": ["docs:read"]});
            let both = world.tell(&BEN, "POST", "/api-keys", body).await;
            both.names(422, "readOnly");
            // A ceiling narrows it further.
            world
                .keys
                .tenant("a")
                .ceiling(Some(Scopes::from([VERIFY])))
                .await
                .unwrap();
            let body = json!({"name": "x", "readOnly": true});
            assert_eq!(made(&world, &ADA, body).await, [VERIFY]);
        }
    }
    for world in worlds().await {
        let body = json!({"name": "x", "readOnly": true});
        world
            .tell(&BEN, "POST", "/api-keys", body)
            .await
            .names(422, "readOnly");
    }
}

/// The scopes of a key that is made so.
async fn made(world: &World, who: &Who, body: serde_json::Value) -> Vec<Scope> {
    let made = world.tell(who, "POST", "/api-keys", body).await.is(201);
    let id = KeyId::new(made.text_of("id")).unwrap();
    world
        .kept(&id)
        .await
        .record
        .scopes
        .iter()
        .cloned()
        .collect()
}

#[tokio::test]
async fn an_environment_has_its_format() {
    let setup = || Setup {
        set: |admin| {
            admin
                .environment("live", "ak_live")
                .environment("test", "ak_test")
        },
        ..Setup::default()
    };
    for world in worlds_with(setup).await {
        for (environment, prefix) in [("live", "ak_live_"), ("test", "ak_test_")] {
            let body = json!({"name": "x", "environment": environment});
            let made = world.tell(&BEN, "POST", "/api-keys", body).await.is(201);
            assert!(made.text_of("key").starts_with(prefix));
            let listed = format!("/api-keys?environment={environment}");
            let listed = world.ask(&BEN, "GET", &listed).await.is(200);
            assert_eq!(listed.json.as_array().unwrap().len(), 1);
        }
        let body = json!({"name": "x", "environment": "moon"});
        world
            .tell(&BEN, "POST", "/api-keys", body)
            .await
            .names(422, "environment");
        let made = world
            .tell(&BEN, "POST", "/api-keys", json!({"name": "x"}))
            .await;
        assert!(made.is(201).text_of("key").starts_with("ak_live_"));
    }
}

#[tokio::test]
async fn a_cap_is_told() {
    let setup = || Setup {
        keys_per_tenant: Some(2),
        ..Setup::default()
    };
    for world in worlds_with(setup).await {
        let body = json!({"name": "x"});
        for _ in 0..2 {
            world
                .tell(&BEN, "POST", "/api-keys", body.clone())
                .await
                .is(201);
        }
        let refused = world.tell(&BEN, "POST", "/api-keys", body).await;
        refused.refuses(409, "cap_reached");
    }
}

/// Who is suspended, or whose plan has no keys, gets none; and what there is is not active.
#[tokio::test]
async fn a_standing_is_heeded() {
    for world in worlds().await {
        let body = json!({"name": "x"});
        world
            .tell(&BEN, "POST", "/api-keys", body.clone())
            .await
            .is(201);
        world.keys.tenant("a").entitle(false).await.unwrap();
        let refused = world.tell(&BEN, "POST", "/api-keys", body.clone()).await;
        refused.refuses(403, "not_entitled");
        let listed = world.ask(&BEN, "GET", "/api-keys").await.is(200);
        assert_eq!(listed.json[0]["isActive"], false);
        assert_eq!(listed.json[0]["status"], "active");
        world.keys.tenant("a").suspend().await.unwrap();
        let refused = world.tell(&BEN, "POST", "/api-keys", body).await;
        refused.refuses(403, "suspended");
    }
}
