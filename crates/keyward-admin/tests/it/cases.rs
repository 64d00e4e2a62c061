//! The adversarial cases of kind `mgmt_api`, one test each, under their own names.

use std::time::{Duration, SystemTime};

use keyward::{AuditQuery, KeyFilter, KeyId, Limit, ListQuery, NewKey};
use keyward_testkit::Call;
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::{ADA, EVE, MANAGE, READ, VERIFY, WRITE, Who, World, new, path, request, worlds};

#[tokio::test]
async fn list_own() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        let issued = world.issue(new("a", "ada")).await;
        world.watch_digest(issued.secret.expose());
        let list = world.ask(&manager, "GET", "/api-keys").await.is(200);
        assert_eq!(list.json.as_array().unwrap().len(), 2);
        assert_eq!(list.json[0]["id"], issued.key.id.as_str());
        for member in [
            "id",
            "name",
            "prefix",
            "scopes",
            "lastUsedAt",
            "expiresAt",
            "isActive",
            "createdAt",
            "createdBy",
        ] {
            assert!(list.json[0].get(member).is_some(), "{member}");
        }
    }
}

#[tokio::test]
async fn create_own() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        let body = json!({"name": "ci", "scopes": ["docs:read"]});
        let made = create(&world, &manager, body).await.is(201);
        let members: Vec<_> = made.json.as_object().unwrap().keys().collect();
        let only = ["createdAt", "expiresAt", "id", "key", "name", "prefix"];
        assert_eq!(members, only);
        let key = made.text_of("key");
        assert_eq!(made.text.matches(key).count(), 1);
        assert!(world.accepts_text(key).await);
        // The world looks for the key in every answer but that one.
        world.watch_digest(key);
        let at = format!("/api-keys/{}", made.text_of("id"));
        world.ask(&manager, "GET", &at).await.is(200);
        world
            .ask(&manager, "GET", &format!("{at}/events"))
            .await
            .is(200);
    }
}

#[tokio::test]
async fn create_unauthenticated_with_user_id() {
    for world in worlds().await {
        let body = json!({"name": "x", "user_id": "victim"});
        create(&world, &Who::Nobody, body).await.is(401);
        assert_eq!(count(&world, KeyFilter::all()).await, 0);
    }
}

#[tokio::test]
async fn create_tenant_in_body() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for member in [
            "tenant_id",
            "tenantId",
            "tenant",
            "owner",
            "createdBy",
            "role",
        ] {
            let body = json!({"name": "x", member: "b"});
            create(&world, &manager, body).await.names(422, member);
        }
        assert_eq!(count(&world, KeyFilter::all().tenant("b")).await, 0);
    }
}

#[tokio::test]
async fn create_tenant_in_header() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        let request = request(&manager, "POST", "/api-keys")
            .header("x-tenant-id", "b")
            .header("content-type", "application/json");
        let request = request
            .body(json!({"name": "x"}).to_string().into())
            .unwrap();
        let made = world.send(request).await.is(201);
        let kept = world.kept(&id(&made)).await;
        assert_eq!(kept.record.tenant.as_str(), "a");
    }
}

#[tokio::test]
async fn create_more_scopes() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        let body = json!({"name": "x", "scopes": ["docs:read", "admin"]});
        create(&world, &manager, body).await.refuses(403, "scopes");
        assert_eq!(count(&world, KeyFilter::all()).await, 1);
    }
}

#[tokio::test]
async fn create_empty_scopes() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        let body = json!({"name": "x", "scopes": []});
        let made = create(&world, &manager, body).await.is(201);
        let powerless = Who::Key(made.text_of("key").to_owned());
        world.ask(&powerless, "GET", "/docs").await.is(403);
        world
            .ask(&powerless, "GET", "/api-keys")
            .await
            .refuses(403, "by_key");
    }
}

#[tokio::test]
async fn create_null_scopes() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for member in [
            "scopes",
            "expiresAt",
            "metadata",
            "limits",
            "readOnly",
            "name",
        ] {
            let mut body = json!({"name": "x"});
            body[member] = Value::Null;
            create(&world, &manager, body).await.names(422, member);
        }
        assert_eq!(count(&world, KeyFilter::all()).await, 1);
    }
}

#[tokio::test]
async fn create_expiry_longer_than_own() {
    for world in worlds().await {
        let hour = Duration::from_secs(3600);
        let maker = NewKey::named("maker")
            .tenant("a")
            .scopes([MANAGE])
            .expires_in(hour);
        let maker = Who::key(&world.issue(maker).await.secret);
        let body = json!({"name": "x", "expiresIn": 31_536_000});
        create(&world, &maker, body).await.refuses(403, "expiry");
        let body = json!({"name": "x", "expiresIn": 60});
        create(&world, &maker, body).await.is(201);
        // Where nothing is said, it ends with its maker.
        let made = create(&world, &maker, json!({"name": "x"})).await.is(201);
        assert!(made.json["expiresAt"].is_string());
    }
}

#[tokio::test]
async fn create_limits_higher_than_own() {
    for world in worlds().await {
        let limit = Limit::new(10, Duration::from_secs(1)).unwrap();
        let maker = NewKey::named("maker")
            .tenant("a")
            .scopes([MANAGE])
            .limits([limit]);
        let maker = Who::key(&world.issue(maker).await.secret);
        let limited =
            |requests| json!({"name": "x", "limits": [{"requests": requests, "perSeconds": 1}]});
        let more = create(&world, &maker, limited(1_000_000)).await;
        more.refuses(403, "limits");
        let made = create(&world, &maker, limited(5)).await.is(201);
        let kept = world.kept(&id(&made)).await;
        assert_eq!(
            kept.record.limits,
            [Limit::new(5, Duration::from_secs(1)).unwrap()]
        );
        let none = json!({"name": "x", "limits": []});
        create(&world, &maker, none).await.refuses(403, "limits");
    }
}

#[tokio::test]
async fn create_server_fields() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        let body = json!({"name": "x", "id": "1", "digest": "00", "created_at": "2000-01-01",
            "last_used_at": "x", "revoked_at": null});
        let refused = create(&world, &manager, body).await.refuses(422, "invalid");
        let named = refused.json["errors"].as_array().unwrap().iter();
        let named: Vec<_> = named
            .map(|error| error["field"].as_str().unwrap())
            .collect();
        assert_eq!(
            named,
            ["created_at", "digest", "id", "last_used_at", "revoked_at"]
        );
        assert_eq!(count(&world, KeyFilter::all()).await, 1);
    }
}

#[tokio::test]
async fn update_scopes_up() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        let own = world.issue(new("a", "ada")).await.key;
        let body = json!({"scopes": ["admin"]});
        let refused = world.tell(&manager, "PATCH", &path(&own.id), body).await;
        refused.refuses(403, "scopes");
        assert_eq!(world.kept(&own.id).await.record, own);
    }
}

#[tokio::test]
async fn update_own_key_self() {
    for world in worlds().await {
        let day = Duration::from_secs(24 * 3600);
        let own = NewKey::named("self")
            .tenant("a")
            .scopes([MANAGE])
            .expires_in(day);
        let own = world.issue(own).await;
        let itself = Who::key(&own.secret);
        for body in [json!({"expiresAt": null}), json!({"name": "other"})] {
            let refused = world.tell(&itself, "PATCH", &path(&own.key.id), body).await;
            refused.refuses(403, "own_key");
        }
        let suspend = format!("{}/suspend", path(&own.key.id));
        world
            .ask(&itself, "POST", &suspend)
            .await
            .refuses(403, "own_key");
        assert_eq!(world.kept(&own.key.id).await.record, own.key);
    }
}

#[tokio::test]
async fn get_foreign() {
    foreign(&[("GET", "", None), ("GET", "/events", None)]).await;
}

#[tokio::test]
async fn revoke_foreign() {
    foreign(&[("POST", "/revoke", None)]).await;
}

#[tokio::test]
async fn delete_foreign() {
    foreign(&[("DELETE", "", None), ("DELETE", "/rotation", None)]).await;
}

#[tokio::test]
async fn rotate_foreign() {
    let overlap = json!({"overlapSeconds": 60});
    foreign(&[
        ("POST", "/rotate", None),
        ("POST", "/rotate", Some(overlap)),
    ])
    .await;
}

#[tokio::test]
async fn patch_foreign() {
    foreign(&[("PATCH", "", Some(json!({"name": "x"})))]).await;
}

/// To a key of another tenant the answer is the one to no key at all, letter for letter, with as many
/// looks at the store; and it is as before.
async fn foreign(requests: &[(&str, &str, Option<Value>)]) {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        let theirs = world.issue(new("b", "eve")).await;
        for (method, what, body) in requests {
            let mut answers = Vec::new();
            for id in [&theirs.key.id, &KeyId::generate()] {
                let before = world.faults.calls(Call::Find);
                let at = format!("{}{what}", path(id));
                let answer = match body {
                    None => world.ask(&manager, method, &at).await,
                    Some(body) => world.tell(&manager, method, &at, body.clone()).await,
                };
                let answer = answer.refuses(404, "not_found");
                let looks = world.faults.calls(Call::Find) - before;
                answers.push((answer.text, answer.headers, looks));
            }
            assert_eq!(answers[0], answers[1]);
        }
        assert_eq!(world.kept(&theirs.key.id).await.record, theirs.key);
        assert!(world.accepts(&theirs.secret).await);
    }
}

#[tokio::test]
async fn list_foreign_cursor() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for tenant in ["a", "b"] {
            for _ in 0..3 {
                world.issue(new(tenant, "someone")).await;
            }
        }
        let theirs = world.ask(&EVE, "GET", "/api-keys?limit=1").await.is(200);
        let theirs = format!("/api-keys{}", theirs.next().unwrap());
        world.ask(&EVE, "GET", &theirs).await.is(200);
        world
            .ask(&manager, "GET", &theirs)
            .await
            .names(400, "cursor");
    }
}

#[tokio::test]
async fn list_filter_injection() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        world.issue(new("b", "eve")).await;
        for query in [
            "filter=tenant_id%3Db",
            "tenant=b",
            "tenantId=b",
            "limit=1&limit=2",
        ] {
            let refused = world
                .ask(&manager, "GET", &format!("/api-keys?{query}"))
                .await;
            refused.refuses(400, "bad_parameter");
        }
        // Nor can a filter break out of its place.
        for query in [
            "tag=x'%20OR%20'1'='1",
            "prefix=%25",
            "owner=user:%27--",
            "environment=%5C",
        ] {
            let list = world
                .ask(&manager, "GET", &format!("/api-keys?{query}"))
                .await;
            assert_eq!(list.is(200).json, json!([]), "{query}");
        }
    }
}

#[tokio::test]
async fn list_limit_0() {
    bad_limit(&["0"]).await;
}

#[tokio::test]
async fn list_limit_neg() {
    bad_limit(&["-1"]).await;
}

#[tokio::test]
async fn list_limit_huge() {
    bad_limit(&["4294967296", "18446744073709551616", "101"]).await;
}

async fn bad_limit(limits: &[&str]) {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for limit in limits {
            let list = format!("/api-keys?limit={limit}");
            let refused = world.ask(&manager, "GET", &list).await;
            refused.names(400, "limit");
        }
    }
}

#[tokio::test]
async fn id_not_uuid() {
    no_such_id(&["abc"]).await;
}

#[tokio::test]
async fn id_nul() {
    no_such_id(&["%00", "a%00b", "%ff"]).await;
}

#[tokio::test]
async fn id_traversal() {
    no_such_id(&["..%2f..%2fadmin"]).await;
}

#[tokio::test]
async fn id_long() {
    no_such_id(&[&"9".repeat(1_000), &"9".repeat(64)]).await;
}

async fn no_such_id(ids: &[&str]) {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for id in ids {
            for (method, what) in [
                ("GET", ""),
                ("DELETE", ""),
                ("POST", "/rotate"),
                ("GET", "/events"),
            ] {
                let at = format!("/api-keys/{id}{what}");
                let answer = world.ask(&manager, method, &at).await;
                answer.refuses(404, "not_found");
            }
        }
    }
}

#[tokio::test]
async fn name_rtl() {
    bad_name("safe\u{202e}gpj.exe").await;
}

#[tokio::test]
async fn name_zero_width() {
    bad_name("a\u{200b}dmin").await;
}

#[tokio::test]
async fn name_nul() {
    bad_name("a\0b").await;
}

#[tokio::test]
async fn name_ansi() {
    bad_name("\u{1b}[2J").await;
}

#[tokio::test]
async fn name_empty() {
    bad_name("").await;
}

#[tokio::test]
async fn name_256() {
    bad_name(&"x".repeat(256)).await;
}

#[tokio::test]
async fn name_secret() {
    for world in worlds().await {
        let pasted = world.issue(new("a", "ada")).await.secret;
        let manager = world.bearer(&[MANAGE]).await;
        let key = pasted.expose();
        for body in [
            json!({"name": key}),
            json!({"name": "x", "description": format!("it is {key}.")}),
            json!({"name": "x", "tags": [key]}),
            json!({"name": "x", "metadata": {"key": key}}),
            json!({"name": "x", "scopes": [key]}),
            json!({"name": "x", "environment": key}),
            json!({"name": "x", key: 1}),
        ] {
            // The world looks for the key in the answer.
            create(&world, &manager, body).await.refuses(422, "invalid");
        }
        let at = format!("/api-keys?{key}={key}");
        world.ask(&manager, "GET", &at).await.is(400);
        let missing = path(&KeyId::generate());
        let body = json!({"scopes": [key]});
        let refused = world.tell(&manager, "PATCH", &missing, body).await;
        refused.names(422, "scopes");
        assert_eq!(count(&world, KeyFilter::all()).await, 2);
        let lines = world.keys.audit(&AuditQuery::default()).await.unwrap();
        assert!(
            !format!("{lines:?}").contains(key),
            "the audit log holds a key"
        );
    }
}

async fn bad_name(name: &str) {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        create(&world, &manager, json!({"name": name}))
            .await
            .names(422, "name");
        let own = world.issue(new("a", "ada")).await.key;
        let body = json!({"name": name});
        let refused = world.tell(&manager, "PATCH", &path(&own.id), body).await;
        refused.names(422, "name");
        assert_eq!(world.kept(&own.id).await.record, own);
    }
}

#[tokio::test]
async fn name_1mb() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        let body = format!("{{\"name\": \"{}\"}}", "x".repeat(1 << 20));
        let refused = world.say(&manager, "POST", "/api-keys", body).await;
        refused.refuses(413, "too_large");
    }
}

#[tokio::test]
async fn json_dup_keys() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for body in [
            r#"{"name":"a","scopes":[],"scopes":["admin"]}"#,
            r#"{"name":"a","metadata":{"a":1,"a":2}}"#,
        ] {
            let refused = world
                .say(&manager, "POST", "/api-keys", body.to_owned())
                .await;
            refused.refuses(400, "malformed");
        }
        assert_eq!(count(&world, KeyFilter::all()).await, 1);
    }
}

#[tokio::test]
async fn json_deep() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        let deep = |depth| {
            format!(
                "{{\"name\":\"x\",\"metadata\":{{\"a\":{}",
                "[".repeat(depth)
            )
        };
        let refused = world.say(&manager, "POST", "/api-keys", deep(60_000)).await;
        refused.refuses(400, "malformed");
        // So many do not even fit.
        let refused = world
            .say(&manager, "POST", "/api-keys", deep(100_000))
            .await;
        refused.refuses(413, "too_large");
    }
}

#[tokio::test]
async fn json_number_overflow() {
    bad_limit_of_a_key(&[r#"{"requests": 18446744073709551616, "perSeconds": 1}"#]).await;
}

#[tokio::test]
async fn json_window_zero() {
    bad_limit_of_a_key(&[r#"{"requests": 1, "perSeconds": 0}"#]).await;
}

#[tokio::test]
async fn json_float() {
    bad_limit_of_a_key(&[
        r#"{"requests": 1e308, "perSeconds": 1}"#,
        r#"{"requests": 1, "perSeconds": 1e308}"#,
        r#"{"requests": 1.5, "perSeconds": 1}"#,
        r#"{"requests": -1, "perSeconds": 1}"#,
    ])
    .await;
}

async fn bad_limit_of_a_key(limits: &[&str]) {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for limit in limits {
            let body = format!("{{\"name\": \"x\", \"limits\": [{limit}]}}");
            let refused = world.say(&manager, "POST", "/api-keys", body).await;
            refused.names(422, "limits[0]");
        }
        assert_eq!(count(&world, KeyFilter::all()).await, 1);
    }
}

#[tokio::test]
async fn wrong_content_type() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        for content_type in [
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/jsonp"),
            None,
        ] {
            let mut request = request(&manager, "POST", "/api-keys");
            if let Some(content_type) = content_type {
                request = request.header("content-type", content_type);
            }
            let request = request
                .body(json!({"name": "x"}).to_string().into())
                .unwrap();
            let refused = world.send(request).await;
            refused.refuses(415, "unsupported_media_type");
        }
        let utf8 = request(&manager, "POST", "/api-keys")
            .header("content-type", "Application/JSON; charset=utf-8");
        let request = utf8.body(json!({"name": "x"}).to_string().into()).unwrap();
        world.send(request).await.is(201);
    }
}

#[tokio::test]
async fn idempotency_replay() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE]).await;
        let other = world.bearer(&[MANAGE]).await;
        let ask = async |who: &Who, token: &str| {
            let request = request(who, "POST", "/api-keys")
                .header("content-type", "application/json")
                .header("idempotency-key", token);
            let body = json!({"name": "x"}).to_string().into();
            world.send(request.body(body).unwrap()).await
        };
        let first = ask(&manager, "once").await.is(201);
        for token in ["once", "\"once\""] {
            let again = ask(&manager, token).await.refuses(409, "already_issued");
            assert_eq!(again.text_of("keyId"), first.text_of("id"));
        }
        ask(&manager, "twice").await.is(201);
        // The token of someone else is another one.
        ask(&other, "once").await.is(201);
        for bad in ["", "\"\"", &"x".repeat(256)] {
            ask(&manager, bad).await.names(400, "Idempotency-Key");
        }
        assert_eq!(count(&world, KeyFilter::all()).await, 5);
    }
}

#[tokio::test]
async fn rotate_concurrent() {
    for world in worlds().await {
        let own = world.issue(new("a", "ada")).await;
        let rotate = format!("{}/rotate", path(&own.key.id));
        let body = json!({"overlapSeconds": 60});
        let (one, other) = tokio::join!(
            world.tell(&ADA, "POST", &rotate, body.clone()),
            world.tell(&ADA, "POST", &rotate, body.clone()),
        );
        let (won, lost) = match one.status {
            201 => (one, other),
            _ => (other, one),
        };
        let (won, lost) = (won.is(201), lost.refuses(409, "replaced"));
        assert_eq!(lost.text_of("keyId"), won.text_of("id"));
        assert!(world.accepts(&own.secret).await);
        assert!(world.accepts_text(won.text_of("key")).await);
        assert_eq!(count(&world, KeyFilter::all()).await, 2);
    }
}

#[tokio::test]
async fn introspect_foreign() {
    for world in worlds().await {
        let verifier = world.bearer(&[VERIFY]).await;
        let theirs = world.issue(new("b", "eve")).await.secret;
        let ours = world.issue(new("a", "ada")).await.secret;
        for (key, valid) in [(&ours, true), (&theirs, false)] {
            let body = json!({"key": key.expose()});
            let answer = world
                .tell(&verifier, "POST", "/api-keys/verify", body)
                .await;
            assert_eq!(answer.is(200).json, json!({"valid": valid}));
        }
        // It manages no key for that.
        world
            .ask(&verifier, "GET", "/api-keys")
            .await
            .refuses(403, "by_key");
    }
}

#[tokio::test]
async fn error_body_secret() {
    for world in worlds().await {
        let gone = world.issue(new("a", "ada")).await;
        world.keys.revoke(&gone.key.id).await.unwrap();
        // The world looks for the key in the answer and its headers.
        let refused = world.ask(&Who::key(&gone.secret), "GET", "/docs").await;
        let refused = refused.refuses(401, "invalid_token");
        assert_eq!(refused.json["status"], 401);
        assert_eq!(refused.text_of("title"), "Unauthorized");
        assert_eq!(refused.json.get("type"), None);
    }
}

/// A tenant goes, and whoever deletes it suspends it, and revokes what it has.
#[tokio::test]
async fn tenant_delete() {
    for world in worlds().await {
        let mut secrets = Vec::new();
        for _ in 0..3 {
            secrets.push(world.issue(new("a", "ada")).await.secret);
        }
        let theirs = world.issue(new("b", "eve")).await.secret;
        // One of them is not cached.
        for secret in &secrets[1..] {
            assert!(world.accepts(secret).await);
        }
        world.keys.tenant("a").suspend().await.unwrap();
        for secret in &secrets {
            assert!(!world.accepts(secret).await);
        }
        world
            .keys
            .revoke_all(KeyFilter::all().tenant("a"))
            .await
            .unwrap();
        world.keys.tenant("a").resume().await.unwrap();
        for secret in &secrets {
            assert!(!world.accepts(secret).await);
        }
        assert!(world.accepts(&theirs).await);
    }
}

/// What was refused is in the audit log, with who wanted it.
#[tokio::test]
async fn what_is_refused_is_told_of() {
    for world in worlds().await {
        let manager = world.bearer(&[MANAGE, READ]).await;
        let body = json!({"name": "x", "scopes": ["docs:write"]});
        create(&world, &manager, body).await.is(403);
        let lines = world
            .keys
            .audit(&AuditQuery::tenant("a").newest_first())
            .await;
        let line = lines.unwrap().remove(0).record;
        assert_eq!(line.refusal.as_deref(), Some("scopes"));
        assert!(line.actor.unwrap().starts_with("key:"));
        assert!(line.after.unwrap().contains(WRITE.as_str()));
    }
}

/// An expiry in the past is refused under the name by which it came.
#[tokio::test]
async fn an_expiry_in_the_past_is_refused() {
    for world in worlds().await {
        let own = world.issue(new("a", "ada")).await.key;
        for (expiry, field) in [
            (json!({"expiresAt": "2001-01-01T00:00:00Z"}), "expiresAt"),
            (json!({"expiresAt": "tomorrow"}), "expiresAt"),
            (json!({"expiresAt": 4_000_000_000_u64}), "expiresAt"),
            (json!({"expiresIn": 0}), "expiresIn"),
            (json!({"expiresIn": -1}), "expiresIn"),
            (json!({"expiresIn": u64::MAX}), "expiresIn"),
            (json!({"expiresIn": 1e300}), "expiresIn"),
            (
                json!({"expiresIn": 9, "expiresAt": "2100-01-01T00:00:00Z"}),
                "expiresIn",
            ),
        ] {
            let mut body = expiry.clone();
            let refused = world.tell(&ADA, "PATCH", &path(&own.id), expiry).await;
            refused.names(422, field);
            body["name"] = "x".into();
            create(&world, &ADA, body).await.names(422, field);
        }
        let body = json!({"name": "x", "expiresAt": "2100-01-01T02:00:00.5+02:00"});
        let made = create(&world, &ADA, body).await.is(201);
        assert_eq!(made.text_of("expiresAt"), "2100-01-01T00:00:00.500000Z");
        let kept = world.kept(&id(&made)).await.record;
        assert!(kept.expires_at > Some(SystemTime::now()));
    }
}

async fn create(world: &World, who: &Who, body: Value) -> Answer {
    world.tell(who, "POST", "/api-keys", body).await
}

fn id(made: &Answer) -> KeyId {
    KeyId::new(made.text_of("id")).unwrap()
}

async fn count(world: &World, filter: KeyFilter) -> usize {
    let query = ListQuery::new(filter).limit(ListQuery::MAX_LIMIT);
    world.keys.list(&query).await.unwrap().keys.len()
}
