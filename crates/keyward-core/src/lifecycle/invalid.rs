use keyward_store::{Formats, Scopes};
use thiserror::Error;

/// What about a key cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Error)]
#[non_exhaustive]
pub enum Invalid {
    /// The name is empty, too long, or has characters that cannot be seen.
    #[error("a key's name has 1 to 100 visible characters")]
    Name,
    /// The description is too long, or has characters that cannot be seen.
    #[error("a description has at most 1,000 visible characters")]
    Description,
    /// The environment is empty, too long, or has characters that cannot be seen.
    #[error("an environment has 1 to 64 visible characters")]
    Environment,
    /// A tag is empty, too long, or has characters that cannot be seen; or there are too many.
    #[error("a key has at most 32 tags of 1 to 64 visible characters")]
    Tags,
    /// No tenant was named, or its name is too long.
    #[error("a key belongs to a tenant, named in 1 to 255 bytes")]
    Tenant,
    /// The owner has an empty kind or id, or they are too long.
    #[error("an owner has a kind and an id of 1 to 255 bytes each")]
    Owner,
    /// The role is empty or too long, or has a zero byte.
    #[error("a role is named in 1 to 255 bytes")]
    Role,
    /// Too many scopes.
    #[error("a key has at most 64 scopes")]
    Scopes,
    /// Too many limits.
    #[error("a key has at most 8 limits")]
    Limits,
    /// Too many networks.
    #[error("a key has at most 64 networks")]
    Networks,
    /// The key would never be good.
    #[error("the expiry lies in the past")]
    ExpiryInPast,
    /// Later than RFC 3339 can write.
    #[error("the expiry lies beyond the year 9999")]
    ExpiryTooFar,
    /// The metadata is not an object, too long, or has a zero byte in it.
    #[error("metadata is a JSON object of at most 16 KiB, without zero bytes")]
    Metadata,
    /// A key was written into this field, where it would be kept and shown in the clear.
    #[error("the {0} holds a key")]
    HoldsKey(&'static str),
    /// The idempotency token is empty or too long.
    #[error("an idempotency token has 1 to 255 bytes")]
    IdempotencyToken,
    /// A filter that lets every key through is no way to revoke them.
    #[error("say whose keys, or which: by tag, prefix or age, for instance")]
    Filter,
}

impl Invalid {
    /// The field that it is about.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Description => "description",
            Self::Environment => "environment",
            Self::Tags => "tags",
            Self::Tenant => "tenant",
            Self::Owner => "owner",
            Self::Role => "role",
            Self::Scopes => "scopes",
            Self::Limits => "limits",
            Self::Networks => "networks",
            Self::ExpiryInPast | Self::ExpiryTooFar => "expiresAt",
            Self::Metadata => "metadata",
            Self::HoldsKey(field) => field,
            Self::IdempotencyToken => "idempotencyToken",
            Self::Filter => "filter",
        }
    }
}

/// Whether a text has so many characters, all of which can be seen, and some of which are no spaces.
pub(super) fn is_plain(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.chars().count())
        && !text.trim().is_empty()
        && is_visible(text)
        && !text.contains(['\n', '\r', '\t'])
}

/// Whether nothing in a text is hidden from its reader: no control characters, which also move
/// cursors and end strings, none that turn the direction of writing, and none that have no width.
pub(super) fn is_visible(text: &str) -> bool {
    let mut before = 'a';
    for char in text.chars() {
        if is_hidden(char) {
            // They join letters of some scripts, and emoji; between others they only hide.
            let joins = matches!(char, '\u{200c}' | '\u{200d}') && !before.is_ascii();
            if !joins {
                return false;
            }
        }
        before = char;
    }
    true
}

/// Control characters (Unicode's category Cc), but for line breaks and tabs, and of the format
/// characters (Cf) those of UTS #39 §3.1 that change how text around them looks, or have no look.
fn is_hidden(char: char) -> bool {
    (char.is_control() && !matches!(char, '\n' | '\r' | '\t'))
        || matches!(char,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}')
}

/// Refuses a text in which someone has pasted a key.
pub(super) fn holds_no_key(
    field: &'static str,
    text: &str,
    formats: &Formats,
) -> Result<(), Invalid> {
    let in_key = |char: char| char.is_ascii_alphanumeric() || "_-.~".contains(char);
    let is_key = |word: &str| formats.parse(word.as_bytes()).is_some();
    let mut words = text.split(|char| !in_key(char));
    // A full stop may end a sentence, or part a key.
    if words.any(|word| is_key(word) || is_key(word.trim_matches('.'))) {
        return Err(Invalid::HoldsKey(field));
    }
    Ok(())
}

/// Refuses scopes among which someone has pasted a key: whatever comes of them, they are told of in the
/// audit log.
pub(super) fn scopes_hold_no_key(
    scopes: Option<&Scopes>,
    formats: &Formats,
) -> Result<(), Invalid> {
    let mut scopes = scopes.into_iter().flat_map(Scopes::iter);
    scopes.try_for_each(|scope| holds_no_key("scopes", scope.as_str(), formats))
}

#[cfg(test)]
mod tests {
    use keyward_store::KeyFormat;

    use super::*;

    #[test]
    fn what_cannot_be_seen_is_refused() {
        for good in [
            "ci",
            "<script>alert(1)</script>",
            "naïve 日次 '\"\\",
            "👩‍👩‍👧‍👦❤️",
            "نامه\u{200c}ای",
        ] {
            assert!(is_plain(good, 100), "{good:?}");
        }
        for bad in [
            "",
            " ",
            "\u{a0}",
            "safe\u{202e}gpj.exe",
            "a\u{200b}dmin",
            "a\u{200d}dmin",
            "a\0b",
            "\u{1b}[2J",
            "a\nb",
            "a\u{2066}b",
            "\u{feff}a",
            "a\u{e0061}",
        ] {
            assert!(!is_plain(bad, 100), "{bad:?}");
        }
        assert!(is_plain(&"🔑".repeat(100), 100));
        assert!(!is_plain(&"🔑".repeat(101), 100));
    }

    #[test]
    fn a_pasted_key_is_found() {
        let format = KeyFormat::new("acme_live").unwrap();
        let key = format.generate().unwrap().plaintext;
        let formats = Formats::new([format]).unwrap();
        let key = key.expose();
        for text in [
            key.to_owned(),
            format!("my key: {key}."),
            format!("\"{key}\""),
        ] {
            let found = holds_no_key("name", &text, &formats);
            assert_eq!(found, Err(Invalid::HoldsKey("name")));
        }
        assert_eq!(holds_no_key("name", "acme_live_", &formats), Ok(()));
    }
}
