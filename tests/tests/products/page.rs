//! The settings page, as a browser without scripts uses it.

use crate::app::{Answer, App};

/// Settings → API Keys → New API Key → name → Create; then Revoke beside the key.
pub(crate) async fn create_and_revoke(app: &App, cookie: &str, settings: &str, name: &str) {
    let get = |path: String| app.get(&path).header("Cookie", cookie).send();
    let post = |path: &str, form: String| {
        let request = app.request("POST", path).header("Cookie", cookie);
        request.form(&form).send()
    };
    let form = get(format!("{settings}?new")).await;
    assert_eq!(form.status, 200);
    let token = value(&form, "name=\"token\" value=\"");
    let expiry = value(&form, "<option value=\"");
    let filled = format!("token={token}&name={name}&expiry={expiry}&access=all");
    let revealed = post(settings, filled.replace(' ', "+")).await;
    assert_eq!(revealed.status, 200, "{}", revealed.text);
    assert_eq!(revealed.header("cache-control"), Some("no-store"));
    let secret = secret(&revealed.text);
    assert_eq!(revealed.text.matches(name).count().min(1), 1);

    let list = get(settings.to_owned()).await;
    assert!(list.text.contains(name) && !list.text.contains(secret));
    let key = value(&list, &format!("href=\"{settings}/"));
    let key = key.split('?').next().unwrap();
    let asked = get(format!("{settings}/{key}?revoke")).await;
    assert_eq!(asked.status, 200);
    let done = post(&format!("{settings}/{key}/revoke"), String::new()).await;
    assert!(done.status == 303 || done.status == 200, "{}", done.text);
    assert!(!get(settings.to_owned()).await.text.contains(name));
}

/// The first value after a text.
fn value<'a>(answer: &'a Answer, before: &str) -> &'a str {
    let mut after = answer.text.split(before).skip(1);
    let after = after.find(|after| !after.starts_with("assets"));
    let after = after.unwrap_or_else(|| panic!("no {before}: {}", answer.text));
    after.split('"').next().unwrap()
}

/// The key of Citatra's that stands in a text.
fn secret(text: &str) -> &str {
    let (_, key) = text.split_once("citatra_").unwrap();
    let end = key.find(|char: char| !char.is_ascii_alphanumeric() && char != '_');
    let (secret, _) = key.split_at(end.unwrap());
    assert!(secret.len() > 20, "it is not revealed");
    secret
}
