//! Every state of the page, light and dark, wide and narrow, under the eyes of axe-core.

use std::fs;
use std::time::Duration;

use keyward::NewKey;
use serde_json::{Value, json};

use crate::browser::Browser;
use crate::site::{EXPORT, READ, REFUND, Site, WRITE};

#[tokio::test(flavor = "multi_thread")]
async fn no_state_is_a_barrier() {
    let axe = fs::read_to_string(chromium::find_axe().unwrap()).unwrap();
    let site = Site::start().await;
    let browser = Browser::of(&site, "ada:admin").await;
    let looked = async |name: &str| {
        for (look, dark, width) in [
            ("", false, 1200),
            ("-dark", true, 1200),
            ("-1000", false, 1000),
            ("-320", false, 320),
            ("-320-dark", true, 320),
        ] {
            browser.dark(dark).await;
            browser.size(width, 900).await;
            let name = format!("{name}{look}");
            browser.picture(&name).await;
            let wide = "return document.documentElement.scrollWidth <= innerWidth";
            assert_eq!(browser.run(wide).await, true, "{name} is too wide");
            assert_eq!(
                violations(&browser, &axe).await,
                Vec::<String>::new(),
                "{name}"
            );
        }
        browser.dark(false).await;
        browser.size(1200, 900).await;
    };
    let url = site.url();

    browser.goto(&url).await;
    looked("empty").await;
    browser.goto(&format!("{url}?new")).await;
    looked("create").await;
    browser.click("input[value=chosen]").await;
    looked("create-scopes").await;
    browser
        .run("document.querySelector('#name').required = false; return 1")
        .await;
    browser.click("dialog button.primary").await;
    browser.find("#failure").await;
    looked("create-failed").await;
    browser.write("#name", "Laptop of Ada").await;
    browser.click("dialog button.primary").await;
    let secret = browser.text("#secret").await;
    looked("reveal").await;
    site.keys
        .verifier()
        .verify(secret.as_bytes())
        .await
        .unwrap();
    browser.click("[data-saved]").await;

    let ids = populate(&site).await;
    browser.goto(&url).await;
    looked("list").await;
    browser
        .goto(&format!(
            "{url}?q=deploy&status=all&environment=live&whose=own&unused=yes"
        ))
        .await;
    looked("no-match").await;
    browser.goto(&format!("{url}?status=all&q=e")).await;
    looked("filtered").await;
    let key = format!("{url}/{}", ids.deploy);
    browser.goto(&key).await;
    looked("details").await;
    browser.goto(&format!("{key}?rotate")).await;
    looked("rotate").await;
    browser.click("dialog button.primary").await;
    browser.find("#secret").await;
    looked("rotated").await;
    browser.client.refresh().await.unwrap();
    browser
        .until("it says so", async || {
            browser.source().await.contains("rotated already")
        })
        .await;
    looked("rotated-again").await;
    browser.goto(&key).await;
    looked("details-retiring").await;
    browser.goto(&format!("{key}?undo")).await;
    looked("undo").await;
    browser.goto(&format!("{key}?revoke")).await;
    looked("revoke").await;
    browser.goto(&format!("{url}/{}", ids.paused)).await;
    looked("details-suspended").await;
    browser.goto(&format!("{url}/nothing")).await;
    looked("failure").await;
    browser.nothing_was_forbidden().await;

    browser
        .goto(&format!("{}/as/eve:auditor", site.origin))
        .await;
    browser.goto(&url).await;
    looked("member").await;
    browser.goto(&key).await;
    looked("member-details").await;
    browser.nothing_was_forbidden().await;
    // It does find what there is to find.
    browser
        .run("document.querySelector('main').append(document.createElement('img')); return 1")
        .await;
    assert_ne!(violations(&browser, &axe).await, Vec::<String>::new());
}

struct Ids {
    deploy: keyward::KeyId,
    paused: keyward::KeyId,
}

/// Keys as a team has them.
async fn populate(site: &Site) -> Ids {
    let ada = site.ada();
    let acting = site.keys.acting_as(&ada);
    let day = Duration::from_secs(24 * 3600);
    let issue = async |new: NewKey| acting.issue(new).await.unwrap().key.id;
    let deploy = NewKey::named("Deploy to production")
        .description("Used by the pipeline that ships releases.")
        .scopes([READ, WRITE, REFUND])
        .tags(["ci", "release"])
        .environment("live");
    let deploy = issue(deploy.expires_in(300 * day)).await;
    let update = keyward::KeyUpdate::new().name("Deploy production");
    acting.update(&deploy, update).await.unwrap();
    issue(
        NewKey::named("Nightly report")
            .scopes([READ, EXPORT])
            .expires_in(5 * day)
            .environment("live"),
    )
    .await;
    issue(
        NewKey::named("Sandbox")
            .environment("test")
            .format("acme_test"),
    )
    .await;
    let paused = issue(NewKey::named("Old shop").scopes([READ]).environment("live")).await;
    acting.suspend(&paused).await.unwrap();
    let gone = issue(
        NewKey::named("Leaked on a forum")
            .scopes([WRITE])
            .environment("live"),
    )
    .await;
    acting.revoke(&gone).await.unwrap();
    Ids { deploy, paused }
}

/// What axe-core finds fault with: the rule, and where.
async fn violations(browser: &Browser, axe: &str) -> Vec<String> {
    let present = browser.run("return !!window.axe").await;
    if present != true {
        browser.client.execute(axe, Vec::new()).await.unwrap();
    }
    let run = "const done = arguments[arguments.length - 1]; \
        window.axe.run(document, { resultTypes: ['violations'] }) \
           .then((found) => done(found.violations), (e) => done([{ id: String(e), nodes: [] }]))";
    let found = browser
        .client
        .execute_async(run, vec![json!(0)])
        .await
        .unwrap();
    let found = found.as_array().unwrap().iter().map(|violation: &Value| {
        let nodes = violation["nodes"].as_array().unwrap().iter();
        let nodes: Vec<String> = nodes
            .map(|node| format!("{} {}", node["html"], node["failureSummary"]))
            .collect();
        format!("{}: {}", violation["id"], nodes.join("\n"))
    });
    found.collect()
}
