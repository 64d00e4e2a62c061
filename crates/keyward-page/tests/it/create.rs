//! New keys.

use std::time::{Duration, SystemTime};

use keyward::{KeyFilter, ListQuery, NewKey, Scope};
use keyward_page::Page;

use crate::support::{Client, READ, app, issue, keys, page, who};

const KEYS: &str = "/settings/keys";

#[tokio::test]
async fn a_key_is_made_shown_once_and_good() {
    let (keys, ada) = app().await;
    let form = ada.get("/settings/keys?new").await;
    assert_eq!(form.status, 200);
    let fields = format!("token={}&name=ci&expiry=2592000&access=read", form.token());
    let shown = ada.post(KEYS, &fields).await;
    assert_eq!(shown.status, 200, "{}", shown.body);
    let principal = keys
        .verifier()
        .verify(shown.secret().as_bytes())
        .await
        .unwrap();
    assert!(principal.require(&READ).is_ok());
    assert_eq!(principal.scopes().len(), 1);
    let month = Duration::from_secs(30 * 24 * 3600);
    let left = principal
        .expires_at()
        .unwrap()
        .duration_since(SystemTime::now())
        .unwrap();
    assert!(
        left <= month && left > month - Duration::from_secs(60),
        "{left:?}"
    );

    let list = ada.get(KEYS).await;
    assert!(list.body.contains(">ci<") && list.body.contains("orders:read"));
    assert!(!list.body.contains(shown.secret()));
    let details = ada.get(&format!("{KEYS}/{}", principal.key_id())).await;
    assert!(details.body.contains("<strong>Created</strong>"));
    assert!(!details.body.contains(shown.secret()));
}

#[tokio::test]
async fn a_form_that_is_sent_twice_makes_one_key() {
    let (keys, ada) = app().await;
    let form = ada.get("/settings/keys?new").await;
    let fields = format!("token={}&name=ci", form.token());
    let first = ada.post(KEYS, &fields).await;
    let again = ada.post(KEYS, &fields).await;
    assert_eq!((first.status, again.status), (200, 409));
    assert!(!again.body.contains(first.secret()));
    assert!(again.body.contains("was created already"));
    assert_eq!(keys.count(KeyFilter::all()).await.unwrap(), 1);
    // Another form makes another.
    let form = ada.get("/settings/keys?new").await;
    let fields = format!("token={}&name=ci", form.token());
    assert_eq!(ada.post(KEYS, &fields).await.status, 200);
}

#[tokio::test]
async fn a_form_of_last_week_makes_no_key_and_can_be_sent_anew() {
    let (keys, ada) = app().await;
    // Version 7, made in 2023.
    let old = "018c2b5e-0000-7000-8000-000000000000";
    let answer = ada.post(KEYS, &format!("token={old}&name=build")).await;
    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("This form is too old"));
    assert!(answer.body.contains("value=\"build\""));
    assert_eq!(keys.count(KeyFilter::all()).await.unwrap(), 0);
    let fields = format!("token={}&name=build", answer.token());
    assert_eq!(ada.post(KEYS, &fields).await.status, 200);
}

#[tokio::test]
async fn what_cannot_be_is_said_beside_the_form_which_keeps_the_rest() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "other").await;
    ada.watch.issued(&key);
    let pasted = format!("name={}", key.secret.expose());
    for (fields, text) in [
        ("name=", "A name has 1 to 100"),
        ("name=%20", "A name has 1 to 100"),
        ("name=a%E2%80%AEb", "A name has 1 to 100"),
        (&*pasted, "This looks like a key"),
        ("name=a&expiry=5", "Please choose"),
        ("name=a&expiry=soon", "Please choose"),
        ("name=a&scope=a%22b", "Please choose"),
        ("name=a&token=x", "Please choose"),
    ] {
        let answer = ada.post(KEYS, &format!("{fields}&expiry=7776000")).await;
        assert_eq!(answer.status, 422, "{fields}");
        assert!(answer.body.contains(text), "{fields}: {}", answer.body);
        assert!(!answer.body.contains(key.secret.expose()), "{fields}");
    }
    let answer = ada.post(KEYS, "name=&expiry=7776000").await;
    assert!(answer.body.contains("value=\"7776000\" selected"));
    assert_eq!(keys.count(KeyFilter::all()).await.unwrap(), 1);
}

#[tokio::test]
async fn nobody_gives_what_they_lack() {
    let (keys, ada) = app().await;
    let answer = ada.post(KEYS, "name=a&access=chosen&scope=admin").await;
    assert_eq!(answer.status, 403);
    let auditor = ada.of("eve:auditor@acme");
    assert_eq!(auditor.post(KEYS, "name=a").await.status, 403);
    assert_eq!(ada.of("").post(KEYS, "name=a").await.status, 401);
    assert_eq!(keys.count(KeyFilter::all()).await.unwrap(), 0);
}

#[tokio::test]
async fn all_chosen_and_no_scopes() {
    let (keys, ada) = app().await;
    for (fields, scopes) in [
        ("name=a&access=all", &["orders:read", "orders:write"][..]),
        (
            "name=a&access=chosen&scope=orders%3Awrite",
            &["orders:write"],
        ),
        ("name=a&access=chosen", &[]),
        ("name=a&access=read&scope=orders%3Awrite", &["orders:read"]),
        ("name=a", &[]),
    ] {
        let shown = ada.post(KEYS, fields).await;
        let principal = keys
            .verifier()
            .verify(shown.secret().as_bytes())
            .await
            .unwrap();
        let found: Vec<_> = principal.scopes().iter().map(Scope::as_str).collect();
        assert_eq!(found, scopes, "{fields}");
    }
}

#[tokio::test]
async fn an_environment_has_its_format() {
    let keys = keys().await;
    let page = page(&keys)
        .environment("live", "acme_live")
        .environment("test", "acme_test");
    let ada = Client::new(page.at(KEYS));
    for (fields, beginning, environment) in [
        ("name=a", "acme_live_", "live"),
        ("name=b&environment=test", "acme_test_", "test"),
    ] {
        let shown = ada.post(KEYS, fields).await;
        assert!(shown.secret().starts_with(beginning), "{fields}");
        let found = ListQuery::new(KeyFilter::all().environment(environment));
        assert_eq!(keys.list(&found).await.unwrap().keys.len(), 1);
    }
    let answer = ada.post(KEYS, "name=c&environment=moon").await;
    assert_eq!(answer.status, 422);
    let list = ada.get("/settings/keys?environment=test").await;
    assert!(list.body.contains(">b<") && !list.body.contains(">a<"));
}

#[tokio::test]
async fn only_offered_lengths_of_life_are_taken() {
    let keys = keys().await;
    let day = Duration::from_secs(24 * 3600);
    let page = Page::new(keys.clone(), who).expiries([Some(day)]);
    let ada = Client::new(page.at(KEYS));
    assert_eq!(ada.post(KEYS, "name=a&expiry=never").await.status, 422);
    assert_eq!(ada.post(KEYS, "name=a").await.status, 200);
    let page = keys.list(&ListQuery::all()).await.unwrap();
    assert!(page.keys[0].record.expires_at.is_some());
}

#[tokio::test]
async fn too_many_keys_are_said_to_be() {
    use keyward::{KeyFormat, Keyward, Policy, Reach, Role};
    let policy = Policy::new().role(Role::named("admin").manages(Reach::Tenant));
    let keys = Keyward::builder(keyward_memory::MemoryStore::default())
        .format(KeyFormat::new("acme_live").unwrap())
        .policy(policy)
        .keys_per_tenant(1)
        .start()
        .await
        .unwrap();
    keys.issue(NewKey::named("a").tenant("acme")).await.unwrap();
    let ada = Client::new(page(&keys).at(KEYS));
    let answer = ada.post(KEYS, "name=b").await;
    assert_eq!(answer.status, 409);
    assert!(answer.body.contains("There are 1 keys already"));
}
