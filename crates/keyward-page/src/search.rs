//! Keys by what is written on them.

use std::time::SystemTime;

use keyward::{
    Acting, Formats, KeyFilter, KeyFormat, KeyRecord, KeySnapshot, LifecycleError, ListCursor,
    ListQuery, Scope,
};

/// The longest text that is looked for, but for a hint. It is short since it ends up in an address, and
/// since a key may be pasted: one of another system that was imported is not known by its spelling.
const MAX_SEARCH: usize = 16;
/// How many keys one request looks at.
const MAX_LOOKED_AT: usize = 5_000;

/// A page of keys.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) keys: Vec<KeySnapshot>,
    pub(crate) next: Option<ListCursor>,
    /// How many were looked at, if that is why there are no more.
    pub(crate) looked_at: Option<usize>,
}

/// What is looked for: of a text that holds a key, or the beginning of one, what its hint shows.
pub(crate) fn sought<'a>(formats: &Formats, text: &'a str) -> &'a str {
    formats.hint_in(text).unwrap_or_else(|| {
        let end = text.char_indices().nth(MAX_SEARCH);
        let cut = end.map_or(text, |(end, _)| text.get(..end).unwrap_or_default());
        cut.trim_end()
    })
}

/// The longest text that the field takes: of a key that is pasted there, its whole hint.
pub(crate) fn longest(formats: &Formats) -> usize {
    let hints = formats.iter().map(KeyFormat::hint_len);
    hints.fold(MAX_SEARCH, usize::max)
}

/// The newest keys behind a place, at most so many; those on which the text is written, if there is one.
///
/// A store lists by fields and knows no part of a name. So the keys of one tenant are looked at here, so
/// many at a time that the answer does not keep anybody waiting; the next page goes on from there.
pub(crate) async fn find(
    acting: &Acting<'_>,
    filter: KeyFilter,
    text: Option<&str>,
    after: Option<ListCursor>,
    most: usize,
) -> Result<Found, LifecycleError> {
    let mut query = ListQuery::new(filter);
    query.after = after;
    let Some(text) = text else {
        let page = acting.list(&query.limit(most)).await?;
        return Ok(Found {
            keys: page.keys,
            next: page.next,
            looked_at: None,
        });
    };
    let wanted = text.to_lowercase();
    let mut query = query.limit(ListQuery::MAX_LIMIT);
    let (mut keys, mut looked_at) = (Vec::new(), 0);
    loop {
        let page = acting.list(&query).await?;
        looked_at += page.keys.len();
        let mut fitting = page
            .keys
            .into_iter()
            .filter(|key| fits(&key.record, &wanted));
        keys.extend(fitting.by_ref().take(most - keys.len()));
        let more = fitting.next().is_some();
        if more && let Some(last) = keys.last() {
            let next = Some(place(&last.record));
            return Ok(Found {
                keys,
                next,
                looked_at: None,
            });
        }
        let Some(next) = page.next else {
            return Ok(Found {
                keys,
                ..Found::default()
            });
        };
        if looked_at >= MAX_LOOKED_AT {
            return Ok(Found {
                keys,
                next: Some(next),
                looked_at: Some(looked_at),
            });
        }
        query.after = Some(next);
    }
}

/// Whether a text in lower case is written on the key.
fn fits(key: &KeyRecord, wanted: &str) -> bool {
    let holds = |text: &str| text.to_lowercase().contains(wanted);
    let hint = key.hint.to_lowercase();
    holds(&key.name)
        || hint.contains(wanted)
        // More of the key than is kept of it.
        || !hint.is_empty() && wanted.starts_with(&hint)
        || key.id.as_str() == wanted
        || key.scopes.iter().map(Scope::as_str).any(holds)
        || key.tags.iter().any(|tag| holds(tag))
}

fn place(key: &KeyRecord) -> ListCursor {
    ListCursor {
        created_at: key.created_at,
        key: key.id.clone(),
    }
}

/// A place as the address has it: nanoseconds from 1970, and the name of the key. It opens nothing: a
/// list holds what its reader may see, wherever it starts.
pub(crate) fn spell(place: &ListCursor) -> String {
    let since = match place.created_at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => since.as_nanos().to_string(),
        Err(before) => format!("-{}", before.duration().as_nanos()),
    };
    format!("{since}.{}", place.key)
}

/// The place, if the text is one.
pub(crate) fn read(text: &str) -> Option<ListCursor> {
    let (nanos, key) = text.split_once('.')?;
    let key = keyward::KeyId::new(key).ok()?;
    let (before, nanos) = match nanos.strip_prefix('-') {
        Some(nanos) => (true, nanos),
        None => (false, nanos),
    };
    let nanos: u128 = nanos.parse().ok()?;
    let seconds = u64::try_from(nanos / NANOS).ok()?;
    let part = u32::try_from(nanos % NANOS).ok()?;
    let length = std::time::Duration::new(seconds, part);
    let created_at = if before {
        SystemTime::UNIX_EPOCH.checked_sub(length)?
    } else {
        SystemTime::UNIX_EPOCH.checked_add(length)?
    };
    Some(ListCursor { created_at, key })
}

const NANOS: u128 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use keyward::{Digest, KeyHash, KeyId};

    use super::*;

    #[test]
    fn places_come_back() {
        for nanos in [0, 1, 1_800_000_000_123_456_789] {
            let length = Duration::from_nanos(nanos);
            for created_at in [
                SystemTime::UNIX_EPOCH + length,
                SystemTime::UNIX_EPOCH - length,
            ] {
                let key = KeyId::new("a.b").unwrap();
                let place = ListCursor { created_at, key };
                assert_eq!(read(&spell(&place)), Some(place));
            }
        }
        for text in [
            "",
            "1",
            "1.",
            ".a",
            "x.a",
            "--1.a",
            "1.a b",
            "99999999999999999999999999999999.a",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_key_is_known_by_what_is_written_on_it() {
        let hash = KeyHash::Sha256(Digest::sha256(b"a key"));
        let mut key = KeyRecord::new(KeyId::new("7").unwrap(), "t", hash);
        key.name = "Ünïted CI".to_owned();
        key.hint = "acme_live_0000000aB1c".to_owned();
        key.tags = vec!["nightly".to_owned()];
        for text in [
            "ünï",
            "ci",
            "0000000ab1c",
            "acme_live_0000000ab1c_7q",
            "7",
            "night",
        ] {
            assert!(fits(&key, text), "{text}");
        }
        for text in ["orders", "acme_test", "77"] {
            assert!(!fits(&key, text), "{text}");
        }
    }
}
