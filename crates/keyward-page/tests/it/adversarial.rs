//! The cases about the page, by their names.

use axum::http::{HeaderValue, Method};
use keyward::{KeyFilter, Keyward, NewKey};

use crate::support::{Client, app, issue};

const KEYS: &str = "/settings/keys";

async fn cross(
    ada: &Client,
    path: &str,
    headers: &[(&'static str, &'static str)],
) -> (u16, String) {
    let mut request = ada.request(Method::POST, path, "name=x");
    for (name, value) in headers {
        let value = HeaderValue::from_static(value);
        request.headers_mut().insert(*name, value);
    }
    let answer = ada.send(request).await;
    (answer.status, answer.body)
}

async fn count(keys: &Keyward) -> u64 {
    keys.count(KeyFilter::all()).await.unwrap()
}

#[tokio::test]
async fn form_content_type() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "ci").await;
    let paths = ["rotate", "undo", "revoke", "suspend", "resume"];
    let mut paths: Vec<_> = paths
        .iter()
        .map(|what| format!("{KEYS}/{}/{what}", key.key.id))
        .collect();
    paths.push(KEYS.to_owned());
    paths.push(format!("{KEYS}/"));
    for path in &paths {
        for headers in [
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "https://evil.example"),
            ][..],
            &[
                ("sec-fetch-site", "same-site"),
                ("origin", "https://app.example"),
            ],
            &[("sec-fetch-site", "cross-site")],
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
        ] {
            let (status, body) = cross(&ada, path, headers).await;
            assert_eq!(status, 403, "{path} {headers:?}");
            assert!(body.contains("came from another site"), "{body}");
        }
    }
    assert_eq!(count(&keys).await, 1);
    let credential = key.secret.expose().as_bytes();
    assert!(keys.verifier().verify(credential).await.is_ok());

    for headers in [
        &[
            ("sec-fetch-site", "same-origin"),
            ("origin", "https://app.example"),
        ][..],
        &[("origin", "https://app.example")],
        // No browser, for instance curl.
        &[],
    ] {
        assert_eq!(cross(&ada, KEYS, headers).await.0, 200, "{headers:?}");
    }
    // Nothing but a form, whoever sends it.
    for kind in [
        "text/plain",
        "application/json",
        "multipart/form-data; boundary=a",
        "",
    ] {
        let mut request = ada.request(Method::POST, KEYS, "name=x");
        let kind = HeaderValue::from_static(kind);
        request.headers_mut().insert("content-type", kind);
        assert_eq!(ada.send(request).await.status, 415);
    }
    let large = format!("name={}", "x".repeat(1024 * 1024));
    assert_eq!(ada.post(KEYS, &large).await.status, 413);
}

#[tokio::test]
async fn csrf_get_revoke() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "ci").await;
    for what in ["revoke", "rotate", "undo", "suspend", "resume"] {
        let path = format!("{KEYS}/{}/{what}", key.key.id);
        let answer = ada.get(&path).await;
        assert_eq!(
            (answer.status, answer.header("allow")),
            (405, "POST"),
            "{what}"
        );
    }
    let credential = key.secret.expose().as_bytes();
    assert!(keys.verifier().verify(credential).await.is_ok());
}

#[tokio::test]
async fn settings_headers() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "ci").await.key;
    let details = format!("{KEYS}/{}", key.id);
    let answers = [
        (ada.get(KEYS).await, 200),
        (ada.get(&details).await, 200),
        (ada.post(KEYS, "name=x").await, 200),
        (ada.post(KEYS, "name=").await, 422),
        (ada.get(&format!("{details}/revoke")).await, 405),
        (ada.post(&format!("{details}/suspend"), "").await, 303),
        (ada.get("/settings/keys/none").await, 404),
        (ada.of("").get(KEYS).await, 401),
        (ada.of("ann:guest@acme").get(KEYS).await, 403),
    ];
    for (answer, status) in answers {
        assert_eq!(answer.status, status);
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "frame-ancestors 'none'",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "script-src 'self'",
        ] {
            assert!(policy.contains(part), "{status}: {part}");
        }
        for hole in ["inline", "eval", "http", "*", "data:"] {
            assert!(!policy.contains(hole), "{status}: {hole}");
        }
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "same-origin");
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.headers.get("set-cookie").is_none());
        for inline in ["<script>", "<style", " style=", " onclick", "javascript:"] {
            assert!(!answer.body.contains(inline), "{status}: {inline}");
        }
    }
}

#[tokio::test]
async fn secret_in_redirect() {
    let (keys, ada) = app().await;
    let shown = ada.post(KEYS, "name=x").await;
    assert_eq!(shown.status, 200);
    let secret = shown.secret().to_owned();
    assert!(keys.verifier().verify(secret.as_bytes()).await.is_ok());
    assert!(shown.headers.get("location").is_none());
    for (name, value) in &shown.headers {
        assert!(!value.to_str().unwrap().contains(&secret), "{name}");
    }
    // In the body for people and in the line for a shell, and in no address or field.
    assert_eq!(shown.body.matches(&*secret).count(), 2);
    for mark in ["href=\"", "src=\"", "action=\"", "value=\"", "data-"] {
        for rest in shown.body.split(mark).skip(1) {
            let value = rest.split('"').next().unwrap();
            assert!(!value.contains(&secret), "{mark}");
        }
    }
    let id = keys.verifier().verify(secret.as_bytes()).await.unwrap();
    for path in [KEYS.to_owned(), format!("{KEYS}/{}", id.key_id())] {
        assert!(!ada.get(&path).await.body.contains(&secret[24..]), "{path}");
    }
}

/// The list, the key itself, both questions about it, the form with it and the page of its secret.
async fn pages_with(name: &str) -> Vec<String> {
    let (_, ada) = app().await;
    let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let shown = ada.post(KEYS, &format!("name={encoded}")).await;
    assert_eq!(shown.status, 200);
    let list = ada.get(KEYS).await.body;
    let href = list
        .split("<th role=\"rowheader\" scope=\"row\" class=\"key\"><a href=\"")
        .nth(1);
    let href = href.unwrap().split('"').next().unwrap().to_owned();
    let form = format!("name={encoded}&expiry=1");
    vec![
        ada.get(&href).await.body,
        ada.get(&format!("{href}?revoke")).await.body,
        ada.get(&format!("{href}?rotate")).await.body,
        ada.get(&format!("{KEYS}?q={}", &encoded[..48])).await.body,
        ada.post(KEYS, &form).await.body,
        shown.body,
        list,
    ]
}

#[tokio::test]
async fn name_script() {
    for body in pages_with("<script>alert(1)</script>").await {
        assert!(
            !body.contains("<script>") && !body.contains("alert(1)</script>"),
            "{body}"
        );
        assert!(body.contains("&#60;script&#62;"));
    }
}

#[tokio::test]
async fn name_attr_breakout() {
    for body in pages_with("\" autofocus onfocus=alert(1) x=\"").await {
        assert!(!body.contains("\" autofocus onfocus"), "{body}");
        assert!(body.contains("&#34; autofocus onfocus"));
    }
}

#[tokio::test]
async fn name_template() {
    for body in pages_with("{{7*7}}${7*7}<%= 7*7 %>").await {
        assert!(!body.contains("49"), "{body}");
        assert!(
            body.contains("{{7*7}}${7*7}&#60;%= 7*7 %&#62;")
                || body.contains("value=\"{{7*7}}${7*7}")
        );
    }
}

#[tokio::test]
async fn names_that_hide_are_refused_and_those_that_are_there_already_are_fenced() {
    let (keys, ada) = app().await;
    assert_eq!(
        ada.post(KEYS, "name=safe%E2%80%AEgpj.exe").await.status,
        422
    );
    let emoji = "🔑".repeat(80);
    keys.issue(NewKey::named(&emoji).tenant("acme"))
        .await
        .unwrap();
    let list = ada.get(KEYS).await.body;
    assert!(list.contains(&format!("<bdi>{emoji}</bdi>")));
}
