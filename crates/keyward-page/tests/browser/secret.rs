//! A secret is shown once, and cannot be lost by a slip of the hand.

use fantoccini::key::Key;
use keyward::{KeyFilter, ListQuery};

use crate::browser::Browser;
use crate::site::Site;

/// From the list to the page that shows the secret; gives the secret.
async fn create(browser: &Browser, site: &Site, name: &str) -> String {
    browser.goto(&site.url()).await;
    browser.click("main a.primary").await;
    browser.write("#name", name).await;
    browser.click("dialog button.primary").await;
    browser.text("#secret").await
}

/// Whether the text is anywhere in what the browser shows or keeps of the page.
async fn is_kept(browser: &Browser, secret: &str) -> bool {
    let script = "return JSON.stringify([document.documentElement.outerHTML, document.cookie, \
        location.href, document.referrer, JSON.stringify(history.state), document.title, name, \
        JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})])";
    let everything = serde_json::json!({ "depth": -1, "pierce": true });
    let document = browser.devtools("DOM.getDocument", everything).await;
    // On a page of the browser's own, such as the question whether to send a form again, no script runs.
    let kept = browser.client.execute(script, Vec::new()).await;
    let kept = kept.map(|kept| kept.to_string()).unwrap_or_default();
    kept.contains(secret) || document.to_string().contains(secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn create_reveal_copy_and_the_row() {
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    let secret = create(&browser, &site, "CI").await;
    let principal = site
        .keys
        .verifier()
        .verify(secret.as_bytes())
        .await
        .unwrap();
    assert_eq!(principal.scopes().len(), 1);
    assert!(!browser.url().await.contains(&secret[..24]));
    assert!(
        is_kept(&browser, &secret[24..]).await,
        "it is seen where it is"
    );

    browser.click("[data-copy=secret]").await;
    browser
        .until("it says so", async || {
            browser.text("[data-copy=secret]").await == "Copied"
        })
        .await;
    assert_eq!(browser.text("[data-said]").await.trim(), "Copied");
    assert_eq!(browser.clipboard().await, secret);
    browser.click("[data-copy=curl]").await;
    let line =
        format!("curl -H 'Authorization: Bearer {secret}' 'https://api.acme.example/v1/orders'");
    browser
        .until("the line", async || browser.clipboard().await == line)
        .await;

    browser.click("[data-saved]").await;
    browser.find("tbody tr").await;
    assert_eq!(browser.url().await, site.url());
    let row = browser.text("tbody tr").await;
    for text in [
        "CI",
        "acme_live_",
        "orders:read",
        "user:ada",
        "Active",
        "in 30 days",
    ] {
        assert!(row.contains(text), "{text}: {row}");
    }
    assert!(!is_kept(&browser, &secret[24..]).await);
    // Neither behind nor before.
    for _ in 0..4 {
        browser.client.back().await.unwrap();
        assert!(
            !is_kept(&browser, &secret[24..]).await,
            "{}",
            browser.url().await
        );
    }
    for _ in 0..5 {
        browser.client.forward().await.unwrap();
        assert!(
            !is_kept(&browser, &secret[24..]).await,
            "{}",
            browser.url().await
        );
    }
    browser.goto(&site.url()).await;
    browser.click("tbody a").await;
    browser.find("#history").await;
    assert!(!is_kept(&browser, &secret[24..]).await);
    browser.nothing_was_forbidden().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_having_saved_it_closes_the_secret() {
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    let secret = create(&browser, &site, "CI").await;
    let is_shown = async || {
        let modal = browser
            .run("return !!document.querySelector('dialog:modal')")
            .await;
        modal == true && browser.text("#secret").await == secret
    };
    assert!(is_shown().await);
    for _ in 0..4 {
        browser.press(&[Key::Escape]).await;
        assert!(is_shown().await);
    }
    // The backdrop, and what lies behind it.
    let corner = "document.elementFromPoint(5, 5).click(); return true";
    browser.run(corner).await;
    for (x, y) in [(5, 5), (600, 880)] {
        for kind in ["mousePressed", "mouseReleased"] {
            let event = serde_json::json!({
                "type": kind, "x": x, "y": y, "button": "left", "clickCount": 1,
            });
            browser.devtools("Input.dispatchMouseEvent", event).await;
        }
        assert!(is_shown().await);
    }
    // What closes it by force opens it again.
    browser
        .run("document.querySelector('dialog').close(); return true")
        .await;
    browser.until("it is back", is_shown).await;
    browser.nothing_was_forbidden().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reload_makes_no_second_key_and_back_shows_no_secret() {
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    let secret = create(&browser, &site, "CI").await;
    browser.client.refresh().await.unwrap();
    browser
        .until("it says so", async || {
            browser.source().await.contains("was created already")
        })
        .await;
    assert!(!is_kept(&browser, &secret[24..]).await);
    let all = async || {
        site.keys
            .list(&ListQuery::new(KeyFilter::all()))
            .await
            .unwrap()
            .keys
    };
    assert_eq!(all().await.len(), 1);

    let second = create(&browser, &site, "another").await;
    browser.client.back().await.unwrap();
    assert!(!is_kept(&browser, &second[24..]).await);
    browser.client.forward().await.unwrap();
    assert!(
        !is_kept(&browser, &second[24..]).await,
        "{}",
        browser.source().await
    );
    assert_eq!(all().await.len(), 2);
    // From the form that comes back, another key can be made.
    create(&browser, &site, "third").await;
    assert_eq!(all().await.len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clicks_make_one_key_and_show_it() {
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    browser.goto(&format!("{}?new", site.url())).await;
    browser.write("#name", "CI").await;
    let twice =
        "const b = document.querySelector('dialog button.primary'); b.click(); b.click(); return 1";
    browser.run(twice).await;
    let secret = browser.text("#secret").await;
    assert!(site.keys.verifier().verify(secret.as_bytes()).await.is_ok());
    assert_eq!(site.keys.count(KeyFilter::all()).await.unwrap(), 1);
}
