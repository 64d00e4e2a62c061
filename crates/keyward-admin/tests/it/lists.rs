//! Lists, page by page, and reports.

use std::time::{Duration, SystemTime};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use keyward::{Actor, Digest, Kept, KeyHash, NewKey, Owner};
use keyward_admin::Admin;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::answer::Answer;
use crate::world::{ADA, BEN, EVE, World, new, path, worlds};

#[tokio::test]
async fn a_list_is_read_page_by_page() {
    for world in worlds().await {
        let mut issued = Vec::new();
        for n in 0..7 {
            let owner = if n % 2 == 0 { "ada" } else { "ben" };
            issued.push(world.issue(new("a", owner)).await.key.id.to_string());
            world.issue(new("b", owner)).await;
        }
        issued.reverse();
        assert_eq!(pages(&world, "?limit=3").await, (issued.clone(), 3));
        assert_eq!(pages(&world, "?limit=7").await, (issued.clone(), 1));
        assert_eq!(pages(&world, "").await, (issued.clone(), 1));
        // The place is good for this filter, in whatever order it is said.
        let filtered = pages(&world, "?owner=user%3Aada&status=active%2Cexpired&limit=2").await;
        assert_eq!(filtered.1, 2);
        let first = world
            .ask(&ADA, "GET", "/api-keys?limit=1&tag=x")
            .await
            .is(200);
        assert_eq!(first.next(), None);
        let first = world
            .ask(&ADA, "GET", "/api-keys?limit=1&owner=user:ada")
            .await
            .is(200);
        let cursor = first.next().unwrap().split_once("cursor=").unwrap().1;
        for (query, status) in [
            (format!("owner=user:ada&cursor={cursor}"), 200),
            (format!("cursor={cursor}&limit=2&owner=user:ada"), 200),
            (format!("owner=user:ben&cursor={cursor}"), 400),
            (format!("cursor={cursor}"), 400),
            (format!("owner=user:ada&cursor={}", &cursor[1..]), 400),
            ("cursor=".to_owned(), 400),
            ("cursor=%00".to_owned(), 400),
        ] {
            let page = world.ask(&ADA, "GET", &format!("/api-keys?{query}")).await;
            page.is(status);
        }
        let report = format!("/api-keys/reports/unused?cursor={cursor}");
        world.ask(&ADA, "GET", &report).await.names(400, "cursor");
        // Keys that come meanwhile move no place.
        let first = world.ask(&ADA, "GET", "/api-keys?limit=3").await.is(200);
        world.issue(new("a", "ada")).await;
        let next = format!("/api-keys{}", first.next().unwrap());
        let second = world.ask(&ADA, "GET", &next).await.is(200);
        assert_eq!(ids(&second), issued[3..6]);
    }
}

#[tokio::test]
async fn filters_narrow_a_list() {
    for world in worlds().await {
        let key = |owner: &str| new("a", owner);
        let plain = world.issue(key("ada")).await.key.id;
        let tagged = world.issue(key("ada").tags(["x", "y"])).await.key.id;
        let live = world
            .issue(key("ben").environment("live").format("ak_test"))
            .await
            .key
            .id;
        let soon = world
            .issue(key("ben").expires_in(Duration::from_secs(3600)))
            .await
            .key
            .id;
        let revoked = world.issue(key("ben")).await.key.id;
        world.keys.revoke(&revoked).await.unwrap();
        let suspended = world.issue(key("ada")).await.key.id;
        world.keys.suspend(&suspended).await.unwrap();
        for (query, expected) in [
            ("", vec![&suspended, &soon, &live, &tagged, &plain]),
            ("?tag=x", vec![&tagged]),
            ("?environment=live", vec![&live]),
            ("?prefix=ak_test", vec![&live]),
            ("?owner=user:ben", vec![&soon, &live]),
            ("?owner=user:ben&status=all", vec![&revoked, &soon, &live]),
            ("?status=revoked", vec![&revoked]),
            ("?status=suspended,revoked", vec![&suspended, &revoked]),
            ("?endsWithin=7200", vec![&soon]),
            ("?endsWithin=60", vec![]),
            ("?endsWithin=7200&owner=user:ada", vec![]),
            ("?unusedFor=3600", vec![]),
            (
                "?unusedFor=0",
                vec![&suspended, &soon, &live, &tagged, &plain],
            ),
            ("?unusedFor=3155760000", vec![]),
        ] {
            let list = world
                .ask(&ADA, "GET", &format!("/api-keys{query}"))
                .await
                .is(200);
            let expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
            assert_eq!(ids(&list), expected, "{query}");
        }
        for (query, named) in [
            ("status=gone", "status"),
            ("status=", "status"),
            ("owner=ben", "owner"),
            ("owner=user:%00", "owner"),
            ("tag=%00", "tag"),
            ("tag=", "tag"),
            ("environment=%0a", "environment"),
            ("endsWithin=-1", "endsWithin"),
            ("endsWithin=18446744073709551615", "endsWithin"),
            ("unusedFor=3155760001", "unusedFor"),
            ("limit=%2B1", "limit"),
            ("limit=", "limit"),
            ("search=x", "search"),
        ] {
            let refused = world.ask(&ADA, "GET", &format!("/api-keys?{query}")).await;
            refused.names(400, named);
        }
    }
}

/// A member sees their own, and a tenant nothing of another.
#[tokio::test]
async fn everyone_sees_what_is_theirs() {
    for world in worlds().await {
        let ada = world.issue(new("a", "ada")).await.key.id.to_string();
        let ben = world.issue(new("a", "ben")).await.key.id.to_string();
        let eve = world.issue(new("b", "eve")).await.key.id.to_string();
        for (who, expected) in [
            (&ADA, vec![ben.clone(), ada.clone()]),
            (&BEN, vec![ben]),
            (&EVE, vec![eve]),
        ] {
            let list = world.ask(who, "GET", "/api-keys").await.is(200);
            assert_eq!(ids(&list), expected);
        }
        let list = world.ask(&BEN, "GET", "/api-keys?owner=user:ada").await;
        list.refuses(403, "owner");
        let list = world
            .ask(&EVE, "GET", "/api-keys?owner=user:ada")
            .await
            .is(200);
        assert_eq!(list.json, json!([]));
    }
}

#[tokio::test]
async fn reports_find_what_is_old_and_what_ends() {
    for world in worlds().await {
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        let mut kept = Kept::new(KeyHash::Sha256(Digest::sha256(b"a key of long ago")));
        kept.prefix = "ak_live".to_owned();
        kept.created_at = Some(SystemTime::now() - days(200));
        let old = NewKey::named("old")
            .tenant("a")
            .owner(Owner::new("user", "ben"));
        let old = world.keys.import(old, kept).await.unwrap().id.to_string();
        let soon = world
            .issue(new("a", "ben").expires_in(days(10)))
            .await
            .key
            .id
            .to_string();
        for (report, expected) in [
            ("unused", vec![old.clone()]),
            ("unused?days=199", vec![old.clone()]),
            ("unused?days=201", vec![]),
            ("expiring", vec![soon.clone()]),
            ("expiring?days=11", vec![soon.clone()]),
            ("expiring?days=9", vec![]),
        ] {
            for who in [&ADA, &BEN] {
                let at = format!("/api-keys/reports/{report}");
                let list = world.ask(who, "GET", &at).await.is(200);
                assert_eq!(ids(&list), expected, "{report}");
            }
            let at = format!("/api-keys/reports/{report}");
            assert_eq!(world.ask(&EVE, "GET", &at).await.is(200).json, json!([]));
        }
        for days in ["0", "-1", "36501", "1.5", ""] {
            for report in ["unused", "expiring"] {
                let at = format!("/api-keys/reports/{report}?days={days}");
                world.ask(&ADA, "GET", &at).await.names(400, "days");
            }
        }
        world
            .ask(&ADA, "GET", "/api-keys/reports/other")
            .await
            .is(404);
    }
}

/// The routes are wherever the host puts them, in a router with a state of its own and with parameters of
/// its own before them; and so is the next page.
#[tokio::test]
async fn routes_are_where_the_host_puts_them() {
    #[derive(Clone)]
    struct App;
    for world in worlds().await {
        for _ in 0..3 {
            world.issue(new("a", "ada")).await;
        }
        let who = |_: &Parts| -> Result<Actor, StatusCode> {
            Ok(Actor::user(Owner::new("user", "ada"), "a").role("admin"))
        };
        let admin = Admin::new(world.keys.clone(), who);
        let inner: Router<App> = Router::new().nest("/orgs/{org}", admin.router());
        let app = inner.with_state(App);
        let get = async |at: String| -> (StatusCode, Option<String>, Value) {
            let request = Request::get(at).body(Body::empty()).unwrap();
            let response = app.clone().oneshot(request).await.unwrap();
            let link = response.headers().get("link");
            let link = link.map(|link| link.to_str().unwrap().to_owned());
            let status = response.status();
            let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
            (status, link, serde_json::from_slice(&body).unwrap())
        };
        let (status, link, _) = get("/orgs/7/api-keys?limit=2".to_owned()).await;
        assert_eq!(status, 200);
        let link = link.unwrap();
        let next = link.strip_prefix('<').unwrap().split_once('>').unwrap().0;
        let (status, link, keys) = get(format!("/orgs/7/api-keys{next}")).await;
        assert_eq!((status, link), (StatusCode::OK, None));
        let id = keys[0]["id"].as_str().unwrap();
        let (status, _, key) = get(format!("/orgs/7/api-keys/{id}")).await;
        assert_eq!((status, &key), (StatusCode::OK, &keys[0]));
    }
}

/// The ids of a list, from the first page to the last, and how many pages there are.
async fn pages(world: &World, query: &str) -> (Vec<String>, usize) {
    let (mut seen, mut count) = (Vec::new(), 0);
    let mut at = format!("/api-keys{query}");
    loop {
        let page = world.ask(&ADA, "GET", &at).await.is(200);
        seen.extend(ids(&page));
        count += 1;
        match page.next() {
            Some(next) => at = format!("/api-keys{next}"),
            None => return (seen, count),
        }
    }
}

fn ids(list: &Answer) -> Vec<String> {
    let keys = list.json.as_array().unwrap().iter();
    keys.map(|key| key["id"].as_str().unwrap().to_owned())
        .collect()
}

/// A path is what the world's own makes of an id.
#[tokio::test]
async fn a_listed_key_is_found_under_its_id() {
    for world in worlds().await {
        let key = world.issue(new("a", "ada")).await.key;
        let list = world.ask(&ADA, "GET", "/api-keys").await.is(200);
        let one = world.ask(&ADA, "GET", &path(&key.id)).await.is(200);
        assert_eq!(list.json, json!([one.json]));
    }
}
