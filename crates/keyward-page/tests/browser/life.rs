//! What people do: without scripts, without a mouse, wherever the page is mounted.

use fantoccini::key::Key;
use keyward::{KeyFilter, NewKey};

use crate::browser::Browser;
use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_works_without_scripts() {
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    browser.without_scripts().await;
    browser.goto(&site.url()).await;
    browser.click("main a.primary").await;
    browser.write("#name", "CI").await;
    browser.click("input[value=chosen]").await;
    browser
        .click("input[name=scope][value='orders:write']")
        .await;
    browser.click("dialog button.primary").await;
    let secret = browser.text("#secret").await;
    let principal = site
        .keys
        .verifier()
        .verify(secret.as_bytes())
        .await
        .unwrap();
    let scopes: Vec<_> = principal.scopes().iter().map(ToString::to_string).collect();
    assert_eq!(scopes, ["orders:write"]);
    // What needs a script is not there.
    assert!(
        !browser
            .find("[data-copy=secret]")
            .await
            .is_displayed()
            .await
            .unwrap()
    );
    browser.picture("reveal-without-scripts").await;
    browser.click("[data-saved]").await;

    browser.click("tbody .actions a").await;
    browser.picture("rotate-without-scripts").await;
    browser.click("dialog button.primary").await;
    let second = browser.text("#secret").await;
    for secret in [&secret, &second] {
        assert!(site.keys.verifier().verify(secret.as_bytes()).await.is_ok());
    }
    browser.click("[data-saved]").await;
    browser.write("#q", "nothing like it").await;
    browser.click(".filters button").await;
    assert_eq!(browser.text("#empty-title").await, "No key fits");
    browser.click(".filters a").await;
    browser.click("tbody .actions a.bad").await;
    browser.click("dialog button.filled").await;
    assert_eq!(browser.text(".notice.good").await, "The key was revoked.");
    for secret in [&secret, &second] {
        assert!(
            site.keys
                .verifier()
                .verify(secret.as_bytes())
                .await
                .is_err()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_of_it_works_by_keyboard() {
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    site.issue("before").await;
    browser.goto(&site.url()).await;
    // To the control that says so, at most so many steps away.
    let to = async |what: &str| {
        for _ in 0..40 {
            browser.press(&[Key::Tab]).await;
            let script = "const e = document.activeElement; return (e.innerText || e.name || e.value || '').trim()";
            if browser
                .run(script)
                .await
                .as_str()
                .unwrap_or_default()
                .starts_with(what)
            {
                let seen =
                    "const s = getComputedStyle(document.activeElement); return s.outlineStyle";
                assert_ne!(
                    browser.run(seen).await,
                    "none",
                    "{what} has no visible focus"
                );
                return;
            }
        }
        panic!("no way to {what}: {}", browser.source().await);
    };
    to("Skip to the content").await;
    to("Create key").await;
    browser.press(&[Key::Enter]).await;
    browser.find("dialog").await;
    let focused = browser.run("return document.activeElement.id").await;
    assert_eq!(focused, "name");
    let name = browser.client.active_element().await.unwrap();
    name.send_keys("By keyboard").await.unwrap();
    to("Create key").await;
    browser.press(&[Key::Enter]).await;
    let secret = browser.text("#secret").await;
    to("Copy").await;
    browser.press(&[Key::Enter]).await;
    browser
        .until("it is copied", async || browser.clipboard().await == secret)
        .await;
    to("I have saved it").await;
    browser.press(&[Key::Enter]).await;
    browser.find("tbody tr:nth-child(2)").await;

    // A question is left by Escape, and the key is as it was.
    to("Revoke").await;
    browser.press(&[Key::Enter]).await;
    browser.find("#ask-title").await;
    // The safe answer is at hand.
    let focused = browser.run("return document.activeElement.innerText").await;
    assert_eq!(focused, "Cancel");
    browser.press(&[Key::Escape]).await;
    browser
        .until("it is left", async || !browser.has("dialog").await)
        .await;
    assert!(site.keys.verifier().verify(secret.as_bytes()).await.is_ok());
    to("Revoke").await;
    browser.press(&[Key::Enter]).await;
    browser.find("#ask-title").await;
    to("Revoke key").await;
    browser.press(&[Key::Enter]).await;
    assert_eq!(browser.text(".notice.good").await, "The key was revoked.");
    assert!(
        site.keys
            .verifier()
            .verify(secret.as_bytes())
            .await
            .is_err()
    );
    browser.nothing_was_forbidden().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_works_in_the_depth_of_a_product_and_with_a_slash() {
    let site = Site::at("/a/b/keys", |page| page).await;
    let browser = Browser::of(&site, "ada:admin").await;
    for start in [site.url(), format!("{}/", site.url())] {
        browser.goto(&start).await;
        browser.click("main a.primary").await;
        browser.write("#name", "CI").await;
        browser.click("dialog button.primary").await;
        browser.click("[data-saved]").await;
        browser.click("tbody a").await;
        browser.click(".head a.bad").await;
        browser.click("dialog button.filled").await;
        assert_eq!(browser.text(".notice.good").await, "The key was revoked.");
        let family = "return getComputedStyle(document.body).fontFamily";
        assert!(
            browser
                .run(family)
                .await
                .as_str()
                .unwrap()
                .contains("system-ui")
        );
    }
    browser.nothing_was_forbidden().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_keys_can_be_paged_through_and_searched() {
    let site = Site::start().await;
    let ada = site.ada();
    for n in 0..1_000 {
        let new = NewKey::named(format!("Worker {n:03}"));
        site.keys.acting_as(&ada).issue(new).await.unwrap();
    }
    assert_eq!(site.keys.count(KeyFilter::all()).await.unwrap(), 1_000);
    let browser = Browser::of(&site, "ada:admin").await;
    browser.goto(&site.url()).await;
    assert_eq!(browser.text("tbody tr:last-child th a").await, "Worker 950");
    browser.picture("thousand").await;
    browser.click("a[rel=next]").await;
    browser
        .until("the next page", async || {
            browser.text("tbody tr:last-child th a").await == "Worker 900"
        })
        .await;
    browser.write("#q", "worker 123").await;
    browser.press(&[Key::Enter]).await;
    browser
        .until("one is found", async || {
            !browser.has("tbody tr:nth-child(2)").await
        })
        .await;
    assert_eq!(browser.text("tbody th a").await, "Worker 123");
    browser.nothing_was_forbidden().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_only_look_finds_nothing_to_press() {
    let site = Site::start().await;
    let key = site.issue("CI").await.key;
    let browser = Browser::of(&site, "eve:auditor").await;
    browser.goto(&site.url()).await;
    assert_eq!(browser.text("tbody th a").await, "CI");
    assert!(
        browser
            .text(".notice")
            .await
            .contains("You can look at these keys")
    );
    let details = format!("{}/{}", site.url(), key.id);
    for url in [
        site.url(),
        details.clone(),
        format!("{details}?revoke"),
        format!("{}?new", site.url()),
    ] {
        browser.goto(&url).await;
        assert!(
            !browser
                .has("form[method=post], dialog, main a[href*='?']")
                .await,
            "{url}"
        );
    }
}
