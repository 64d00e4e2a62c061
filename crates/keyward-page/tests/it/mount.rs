//! Where the page is mounted, how it looks, and in what language it speaks.

use axum::Router;
use axum::http::Method;
use axum::http::request::Parts;
use axum::routing::get;
use keyward::{Actor, Owner};
use keyward_page::{Messages, Page};

use crate::support::{Client, actor, issue, keys, page};

/// Every address in it that the browser may ask for.
fn addresses(body: &str) -> Vec<&str> {
    let marks = ["href=\"", "src=\"", "action=\""];
    let found = marks.iter().flat_map(|mark| body.split(mark).skip(1));
    let found = found.filter_map(|rest| rest.split('"').next());
    found.filter(|path| !path.starts_with('#')).collect()
}

#[tokio::test]
async fn it_works_wherever_it_is_mounted() {
    let keys = keys().await;
    issue(&keys, "ci").await;
    let at = |path: &str| page(&keys).at::<()>(path);
    for (app, paths, base) in [
        (
            at("/settings/keys"),
            &["/settings/keys", "/settings/keys/"][..],
            "/settings/keys",
        ),
        (
            at("settings/keys/"),
            &["/settings/keys", "/settings/keys/"],
            "/settings/keys",
        ),
        (at("/"), &["/", ""], ""),
        (
            Router::new().nest("/a/b", at("/c")),
            &["/a/b/c", "/a/b/c/"],
            "/a/b/c",
        ),
        (
            Router::new().nest("/a", page(&keys).router()),
            &["/a"],
            "/a",
        ),
        (
            page(&keys).behind("/billing/").at("/keys"),
            &["/keys", "/keys/"],
            "/billing/keys",
        ),
    ] {
        let ada = Client::new(app);
        for path in paths {
            let list = ada.get(if path.is_empty() { "/" } else { path }).await;
            assert_eq!(list.status, 200, "{path}");
            let found = addresses(&list.body);
            assert!(found.len() > 6);
            for address in found {
                assert!(
                    address.starts_with(&format!("{base}/"))
                        || address == base
                        || address.starts_with(&format!("{base}?")),
                    "{address} at {path}"
                );
                let inner = address.strip_prefix("/billing").unwrap_or(address);
                assert_eq!(ada.get(inner).await.status, 200, "{address} at {path}");
            }
        }
    }
}

#[tokio::test]
async fn a_capture_of_the_host_says_whose_keys() {
    let keys = keys().await;
    let key = issue(&keys, "ci").await.key;
    let by_path = |parts: &Parts| {
        let team = parts.uri.path();
        let asked: Option<&axum::extract::OriginalUri> = parts.extensions.get();
        let team = asked.map_or(team, |asked| asked.path()).split('/').nth(2);
        let team = team.unwrap_or_default().to_owned();
        Ok::<_, ()>(Actor::user(Owner::new("user", "ada"), team).role("admin"))
            .map_err(|()| axum::http::StatusCode::FORBIDDEN)
    };
    let ada = Client::new(Page::new(keys.clone(), by_path).at("/teams/{team}/keys"));
    let list = ada.get("/teams/acme/keys").await.body;
    assert!(
        list.contains("<bdi>ci</bdi>")
            && list.contains(&format!("\"/teams/acme/keys/{}\"", key.id))
    );
    assert_eq!(
        ada.get(&format!("/teams/acme/keys/{}", key.id))
            .await
            .status,
        200
    );
    assert_eq!(
        ada.get(&format!("/teams/other/keys/{}", key.id))
            .await
            .status,
        404
    );
    let style = addresses(&list)[0];
    assert_eq!(
        ada.get(style).await.header("content-type"),
        "text/css; charset=utf-8"
    );
}

/// The host's own answers do not stand in the way of who signs in next, whatever they say.
#[tokio::test]
async fn no_answer_of_the_host_is_kept() {
    let keys = keys().await;
    let nobody = |_: &Parts| -> Result<Actor, _> {
        Err(([("cache-control", "public, max-age=60")], "sign in"))
    };
    let page = Page::new(keys, nobody).at("/keys");
    let answer = Client::new(page).get("/keys").await;
    let told = (&*answer.body, answer.header("cache-control"));
    assert_eq!(told, ("sign in", "no-store"));
}

#[tokio::test]
async fn files_are_kept_by_browsers_under_names_that_change() {
    let keys = keys().await;
    let ada = Client::new(page(&keys).at("/keys"));
    let list = ada.get("/keys").await;
    let files: Vec<_> = addresses(&list.body);
    let files: Vec<_> = files
        .into_iter()
        .filter(|path| path.contains("/assets/"))
        .collect();
    assert_eq!(files.len(), 2);
    for file in files {
        // For these nobody need have signed in.
        let answer = ada.of("").get(file).await;
        assert!(
            answer.header("cache-control").contains("immutable"),
            "{file}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
    }
    let missing = ada.get("/keys/assets/style-0.css").await;
    assert_eq!(
        (missing.status, missing.header("cache-control")),
        (404, "no-store")
    );
}

#[tokio::test]
async fn every_text_can_be_replaced() {
    let keys = keys().await;
    issue(&keys, "ci").await;
    let mut german = Messages::default();
    german.lang = "de".into();
    german.title = "API-Schlüssel".into();
    german.now = "gerade eben".into();
    german.revoke = "Widerrufen".into();
    german.other_site = "Von einer anderen Seite.".into();
    let page = page(&keys)
        .messages(german)
        .stylesheet("/brand.css")
        .back_to("Acme <Inc>", "/home");
    let ada = Client::new(page.at("/keys"));
    let list = ada.get("/keys").await.body;
    assert!(list.contains("<html lang=\"de\" dir=\"ltr\">"));
    for text in [
        "<h1>API-Schlüssel</h1>",
        "gerade eben",
        "Widerrufen",
        "Acme &#60;Inc&#62;",
    ] {
        assert!(list.contains(text), "{text}");
    }
    let own = list.find("/assets/style-").unwrap();
    assert!(
        list.find("/brand.css").unwrap() > own,
        "the host's style sheet is the last"
    );
    let mut request = ada.request(Method::POST, "/keys", "name=a");
    let site = "cross-site".parse().unwrap();
    request.headers_mut().insert("sec-fetch-site", site);
    assert!(
        ada.send(request)
            .await
            .body
            .contains("Von einer anderen Seite.")
    );
}

#[tokio::test]
async fn the_host_answers_those_whom_it_does_not_know() {
    use axum::response::Redirect;
    let keys = keys().await;
    let sign_in = |parts: &Parts| {
        let user = parts
            .headers
            .get("test-user")
            .and_then(|user| user.to_str().ok());
        user.and_then(actor).ok_or(Redirect::to("/sign-in"))
    };
    let app: Router = Router::new()
        .route("/", get(async || "home"))
        .merge(Page::new(keys, sign_in).at("/keys"));
    let ada = Client::new(app);
    assert_eq!(ada.get("/").await.body, "home");
    let nobody = ada.of("").get("/keys").await;
    assert_eq!(
        (nobody.status, nobody.header("location")),
        (303, "/sign-in")
    );
    let missing = ada.get("/keys/a/b/c").await;
    assert_eq!(missing.status, 404);
    assert!(missing.body.contains("There is no such page."));
}
