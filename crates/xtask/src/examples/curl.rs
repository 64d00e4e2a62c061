use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::table::{Key, Request};
use crate::Result;
use crate::running::{Read, Running};

/// Longer than any example takes to answer, shorter than anybody's patience.
const ANSWER: Duration = Duration::from_secs(20);

/// A curl line as an example printed it, and what it asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CurlLine {
    line: String,
    method: String,
    path: String,
    key: Key,
}

impl CurlLine {
    /// Understands a printed line; `None` when it is not a curl line.
    ///
    /// The id of the key, in a path, is one of many: the table calls it `{id}`.
    pub(super) fn parse(line: &str, key: &str, id: Option<&str>) -> Option<Self> {
        let line = line.trim_start();
        let arguments = line.strip_prefix("curl ")?;
        let words: Vec<&str> = arguments
            .split_whitespace()
            .map(|word| word.trim_matches(['\'', '"']))
            .collect();
        let url = words.iter().find_map(|word| word.strip_prefix("http://"))?;
        let path = url.find('/').map_or("/", |slash| &url[slash..]);
        Some(Self {
            method: method(&words).to_owned(),
            path: id.map_or_else(|| path.to_owned(), |id| path.replace(id, "{id}")),
            key: match line.matches(key).count() {
                0 => Key::Missing,
                1 => Key::Sent,
                _ => Key::SentTwice,
            },
            line: line.to_owned(),
        })
    }

    /// The line for a request that needs no key.
    pub(super) fn without_key(request: &Request, port: u16) -> Self {
        let Request { method, path, .. } = request;
        Self {
            line: format!("curl -i -X {method} http://127.0.0.1:{port}{path}"),
            method: (*method).to_owned(),
            path: (*path).to_owned(),
            key: Key::Missing,
        }
    }

    /// Whether the line asks for the same as a request of the table.
    pub(super) fn asks(&self, request: &Request) -> bool {
        self.method == request.method && self.path == request.path && self.key == request.key
    }

    /// What it asks for, without the key.
    pub(super) fn title(&self) -> String {
        let Self { method, path, .. } = self;
        match self.key {
            Key::Sent => format!("{method} {path} with the key"),
            Key::SentTwice => format!("{method} {path} with the key in two places"),
            Key::Missing => format!("{method} {path} without the key"),
        }
    }

    /// Runs the line as printed, as a person who copied it would, and returns the status.
    pub(super) fn status(&self, directory: &Path) -> Result<u16> {
        let shell = OsStr::new("sh");
        let mut curl = Running::start(shell, &["-c", &self.line], directory, &[], Stdio::null())?;
        if curl.read_until(ANSWER, |_| false) == Read::TimedOut {
            return Err(format!("no answer within {} s", ANSWER.as_secs()).into());
        }
        let status = curl.lines().iter().find_map(|line| status(line));
        let end = curl.finish()?;
        if !end.success() {
            return Err(format!("curl failed: {end}").into());
        }
        status.ok_or_else(|| "curl printed no status line; the printed line needs `-i`".into())
    }
}

/// Fails, with the way to get it, when curl is not there.
pub(super) fn ensure() -> Result<()> {
    let there = Command::new("curl")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    match there {
        Ok(status) if status.success() => Ok(()),
        _ => Err("curl is missing, and the examples print curl lines; \
                  install it, for example with `apt-get install curl` or `brew install curl`"
            .into()),
    }
}

/// The method that curl uses for these arguments.
fn method<'a>(words: &[&'a str]) -> &'a str {
    let follows = |option: &str| words.iter().skip_while(|word| **word != option).nth(1);
    let joined = || words.iter().find_map(|word| word.strip_prefix("-X"));
    if let Some(method) = follows("-X").or_else(|| follows("--request")) {
        return method;
    }
    if let Some(method) = joined() {
        return method;
    }
    let sends_data = |word: &&str| *word == "-d" || word.starts_with("--data");
    if words.iter().any(sends_data) {
        "POST"
    } else {
        "GET"
    }
}

/// Reads the status from `HTTP/1.1 200 OK`. The answer before a final one, a 1xx, is passed over.
pub(super) fn status(line: &str) -> Option<u16> {
    let code = line.strip_prefix("HTTP/")?.split(' ').nth(1)?;
    code.parse().ok().filter(|code| *code >= 200)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "acme_live_abc";

    fn parsed(line: &str) -> (String, String, Key) {
        let line = CurlLine::parse(line, KEY, Some("7f3")).unwrap();
        (line.method, line.path, line.key)
    }

    #[test]
    fn lines_are_understood_as_curl_understands_them() {
        let own = |method: &str, path: &str, key| (method.to_owned(), path.to_owned(), key);
        assert_eq!(
            parsed("curl -i http://127.0.0.1:3000/healthz"),
            own("GET", "/healthz", Key::Missing)
        );
        assert_eq!(
            parsed("  curl -i -H 'Authorization: Bearer acme_live_abc' 'http://127.0.0.1:3000'"),
            own("GET", "/", Key::Sent)
        );
        assert_eq!(
            parsed(&format!(
                "curl -i -H 'X-Api-Key: {KEY}' -H 'Authorization: Bearer {KEY}' http://[::1]:1/"
            )),
            own("GET", "/", Key::SentTwice)
        );
        assert_eq!(
            parsed("curl -i -X DELETE http://127.0.0.1:3000/keys/7f3?confirm=everywhere"),
            own("DELETE", "/keys/{id}?confirm=everywhere", Key::Missing)
        );
        let post = own("POST", "/reports", Key::Sent);
        for method in [
            "-X POST",
            "-XPOST",
            "--request POST",
            "-d x",
            "--data-raw x",
        ] {
            let line =
                format!("curl -i {method} -H \"X-Api-Key: {KEY}\" http://localhost:1/reports");
            assert_eq!(parsed(&line), post);
        }
    }

    #[test]
    fn other_lines_are_not_curl_lines() {
        assert_eq!(CurlLine::parse("key: acme_live_abc", KEY, None), None);
        assert_eq!(
            CurlLine::parse("curling http://127.0.0.1/", KEY, None),
            None
        );
    }

    #[test]
    fn the_final_status_counts() {
        assert_eq!(status("HTTP/1.1 403 Forbidden"), Some(403));
        assert_eq!(status("HTTP/2 200"), Some(200));
        assert_eq!(status("HTTP/1.1 100 Continue"), None);
        assert_eq!(status("content-type: HTTP/1.1 200"), None);
    }

    #[test]
    fn titles_hold_no_key() {
        let line = format!("curl -i -H 'X-Api-Key: {KEY}' http://127.0.0.1:3000/whoami");
        let title = CurlLine::parse(&line, KEY, None).unwrap().title();
        assert_eq!(title, "GET /whoami with the key");
    }
}
