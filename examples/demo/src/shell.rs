//! Lines for a shell, which the examples print.

/// Someone who has signed in, to curl.
#[must_use]
pub fn by(who: &str) -> String {
    format!("-H 'Demo-User: {who}' -H 'Content-Type: application/json'")
}

/// Has someone create a key, and keeps it in `KEY` and its id in `ID`.
#[must_use]
pub fn create(who: &str, body: &str, url: &str) -> String {
    let by = by(who);
    let field = |name| format!(r#"$(echo "$NEW" | sed 's/.*"{name}":"\([^"]*\).*/\1/')"#);
    let (id, key) = (field("id"), field("key"));
    format!("NEW=$(curl -s {by} -d '{body}' {url})\nID={id}\nKEY={key}")
}

/// Whoever bears that key, to curl.
pub const BEARER: &str = r#"-H "Authorization: Bearer $KEY""#;
