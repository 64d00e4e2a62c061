//! Other sites, and names that mean harm.

use axum::Router;
use axum::response::Html;
use axum::routing::get;
use keyward::KeyFilter;

use crate::browser::Browser;
use crate::site::{Site, serve};

#[tokio::test(flavor = "multi_thread")]
async fn a_form_of_another_origin_is_refused_and_makes_nothing() {
    let site = Site::start().await;
    let key = site.issue("CI").await;
    let browser = Browser::of(&site, "ada:admin").await;
    // Another port is another origin of the same site: the session comes along.
    let targets = [site.url(), format!("{}/{}/revoke", site.url(), key.key.id)];
    for target in targets {
        let form = format!(
            "<!doctype html><title>evil</title><form method=post action='{target}'>\
             <input name=name value=evil><button>win</button></form>"
        );
        let evil = Router::new().route("/", get(async move || Html(form)));
        let evil = serve(evil).await;
        browser.goto(&evil).await;
        browser.click("button").await;
        let said = browser.text("[role=alert]").await;
        assert!(said.contains("came from another site"), "{said}");
        browser.goto(&evil.replace("127.0.0.1", "localhost")).await;
        browser.click("button").await;
        let said = browser.text("[role=alert]").await;
        assert!(said.contains("came from another site"), "{said}");
    }
    assert_eq!(site.keys.count(KeyFilter::all()).await.unwrap(), 1);
    let credential = key.secret.expose().as_bytes();
    assert!(site.keys.verifier().verify(credential).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_puts_the_page_into_a_frame() {
    let site = Site::start().await;
    site.issue("CI").await;
    let browser = Browser::of(&site, "ada:admin").await;
    let frame = format!(
        "<!doctype html><title>evil</title><iframe src='{}'></iframe>",
        site.url()
    );
    let evil = serve(Router::new().route("/", get(async move || Html(frame)))).await;
    browser.goto(&evil).await;
    browser.client.enter_frame(0).await.unwrap();
    assert!(!browser.has("tbody tr").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_are_shown_and_never_run() {
    let site = Site::start().await;
    let emoji = "🔑".repeat(80);
    let names = [
        "<script>document.title='owned'</script>",
        "\" autofocus onfocus=\"document.title='owned'\" x=\"",
        "<img src=x onerror=document.title='owned'>",
        "{{7*7}}${7*7}<%= 7*7 %>",
        &emoji,
        "مفتاح الخادم",
    ];
    let browser = Browser::of(&site, "ada:admin").await;
    for name in names {
        let id = site.issue(name).await.key.id;
        for path in [
            String::new(),
            format!("/{id}"),
            format!("/{id}?revoke"),
            format!("/{id}?rotate"),
        ] {
            browser.goto(&format!("{}{path}", site.url())).await;
            let found = browser
                .client
                .find_all(fantoccini::Locator::Css("bdi"))
                .await
                .unwrap();
            let mut texts = Vec::new();
            for element in found {
                texts.push(element.prop("textContent").await.unwrap().unwrap());
            }
            assert!(texts.iter().any(|text| text == name), "{path}: {texts:?}");
            let strange = "[onfocus], [onerror], img, script:not([src])";
            assert!(!browser.has(strange).await, "{path}");
            assert_ne!(browser.client.title().await.unwrap(), "owned");
            let wide = "return document.documentElement.scrollWidth <= innerWidth";
            assert_eq!(
                browser.run(wide).await,
                true,
                "{name} is too wide at {path}"
            );
        }
    }
    browser.goto(&site.url()).await;
    browser.picture("names").await;
    // One that turns the direction of writing is refused, and told why.
    browser.goto(&format!("{}?new", site.url())).await;
    let turned = "document.querySelector('#name').value = 'safe\\u202Egpj.exe'; return 1";
    browser.run(turned).await;
    browser.click("dialog button.primary").await;
    assert!(
        browser
            .text("#failure")
            .await
            .contains("visible characters")
    );
    assert_eq!(site.keys.count(KeyFilter::all()).await.unwrap(), 6);
    browser.nothing_was_forbidden().await;
}
