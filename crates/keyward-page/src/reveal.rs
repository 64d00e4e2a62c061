use std::time::SystemTime;

use askama::Template;
use axum::response::Response;
use keyward::Issued;

use crate::asker::Asker;
use crate::failure::shown;
use crate::messages::Messages;
use crate::page::Page;
use crate::router::Frame;
use crate::time::When;

/// The only page that holds a secret. `old_until` is when the key that was rotated ends.
pub(crate) fn reveal(
    page: &Page,
    asker: &Asker,
    issued: &Issued,
    old_until: Option<SystemTime>,
) -> Response {
    let m = &page.messages;
    let now = page.keys.now();
    let rotated = issued.key.rotated_from.is_some();
    let title = if rotated {
        &m.reveal_rotated_title
    } else {
        &m.reveal_title
    };
    let secret = issued.secret.expose();
    shown(&RevealTemplate {
        frame: Frame::new(page, &asker.base, title),
        m,
        title,
        rotated,
        overlap: old_until.map(|until| When::new(until, now, m)),
        name: &issued.key.name,
        secret,
        curl: curl(secret, &page.try_at),
        list: asker.base.list(),
    })
}

/// A line for a shell; what is quoted cannot end its quotes.
fn curl(secret: &str, url: &str) -> String {
    let quoted = |text: &str| format!("'{}'", text.replace('\'', r"'\''"));
    let header = quoted(&format!("Authorization: Bearer {secret}"));
    format!("curl -H {header} {}", quoted(url))
}

#[derive(Template)]
#[template(path = "reveal.html")]
struct RevealTemplate<'a> {
    frame: Frame<'a>,
    m: &'a Messages,
    title: &'a str,
    rotated: bool,
    overlap: Option<When>,
    name: &'a str,
    secret: &'a str,
    curl: String,
    list: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_the_quotes() {
        let line = curl("acme_1", "http://a/?q='; rm -rf /");
        let expected = r"curl -H 'Authorization: Bearer acme_1' 'http://a/?q='\''; rm -rf /'";
        assert_eq!(line, expected);
    }
}
