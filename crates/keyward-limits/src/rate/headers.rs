//! What answers say of limits: draft-ietf-httpapi-ratelimit-headers-10.

use std::fmt::Write as _;

use http::{HeaderMap, HeaderName, HeaderValue};
use keyward::Limit;

use super::buckets::Counted;
use super::gcra::Quota;

/// Which answers say what of limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) on_success: bool,
    pub(crate) x_headers: bool,
}

/// A limit of an answer, by its name, and what is left of it.
pub(crate) struct Line<'a> {
    pub(crate) rule: &'a str,
    /// Whether the rule has several limits, which its name alone does not tell apart.
    pub(crate) several: bool,
    pub(crate) limit: Limit,
    pub(crate) quota: Quota,
}

/// The limits with what is left of them.
pub(crate) fn lines<'a>(counted: &'a [Counted], quotas: &'a [Quota]) -> Vec<Line<'a>> {
    let limits = counted.iter().flat_map(|counted| {
        let several = counted.limits.len() > 1;
        let limits = counted.limits.iter();
        limits.map(move |(limit, _)| (&*counted.subject.rule, several, *limit))
    });
    limits
        .zip(quotas)
        .map(|((rule, several, limit), quota)| Line {
            rule,
            several,
            limit,
            quota: *quota,
        })
        .collect()
}

/// Puts the fields into an answer.
pub(crate) fn tell(headers: &mut HeaderMap, lines: &[Line<'_>], x_headers: bool) {
    let (mut policy, mut state) = (String::new(), String::new());
    for line in lines {
        let separator = if policy.is_empty() { "" } else { ", " };
        let name = line.name();
        let _ = write!(policy, "{separator}{name};q={}", line.limit.requests());
        // Seconds alone can be told.
        let millis = line.limit.per().as_millis();
        if millis.is_multiple_of(1_000) {
            let _ = write!(policy, ";w={}", millis / 1_000);
        }
        let Quota { remaining, .. } = line.quota;
        let _ = write!(
            state,
            "{separator}{name};r={remaining};t={}",
            line.reset_seconds()
        );
    }
    put(headers, RATE_LIMIT_POLICY, &policy);
    put(headers, RATE_LIMIT, &state);
    if x_headers && let Some(line) = tightest(lines) {
        put(headers, X_LIMIT, &line.limit.requests().to_string());
        put(headers, X_REMAINING, &line.quota.remaining.to_string());
        put(headers, X_RESET, &line.reset_seconds().to_string());
    }
}

impl Line<'_> {
    /// A string of RFC 9651 §3.3.3.
    fn name(&self) -> String {
        let mut name = String::from("\"");
        for char in self.rule.chars() {
            match char {
                '"' | '\\' => name.extend(['\\', char]),
                ' '..='~' => name.push(char),
                _ => name.push('?'),
            }
        }
        if self.several {
            let per = self.limit.per();
            let _ = match per.subsec_millis() {
                0 => write!(name, "/{}s", per.as_secs()),
                _ => write!(name, "/{}ms", per.as_millis()),
            };
        }
        name.push('"');
        name
    }

    /// Not less than it takes.
    fn reset_seconds(&self) -> u64 {
        self.quota.reset_nanos.div_ceil(1_000_000_000)
    }
}

/// The limit of which the least is left.
fn tightest<'a, 'b>(lines: &'a [Line<'b>]) -> Option<&'a Line<'b>> {
    let key = |line: &&Line<'_>| {
        let Quota {
            remaining,
            reset_nanos,
        } = line.quota;
        (remaining, u64::MAX - reset_nanos)
    };
    lines.iter().min_by_key(key)
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const X_LIMIT: HeaderName = HeaderName::from_static("x-ratelimit-limit");
const X_REMAINING: HeaderName = HeaderName::from_static("x-ratelimit-remaining");
const X_RESET: HeaderName = HeaderName::from_static("x-ratelimit-reset");
