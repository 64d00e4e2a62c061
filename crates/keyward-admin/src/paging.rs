//! Places in lists, as clients are given them.
//!
//! A cursor is good for the list that it came with: for the same tenant and the same filter. A place is no
//! secret, and a list is cut to what its reader may see at any rate; but with another list, the place
//! would be a wrong one.

use std::time::{Duration, SystemTime};

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use keyward::{Actor, Digest, KeyId, ListCursor};

use crate::problem::{FieldError, Problem};

/// One list: of one tenant, and by one filter.
pub(crate) struct List {
    /// What was asked for, but for the place.
    said: String,
    limit: usize,
    mark: [u8; MARK],
}

impl List {
    /// The list by that name, of the actor's tenant, for a query that says this.
    pub(crate) fn new(name: &str, actor: &Actor, said: String, limit: usize) -> Self {
        let tenant = actor.tenant().as_str();
        // The lengths keep the parts apart.
        let all = format!("{name} {} {tenant} {said}", tenant.len());
        let mut mark = [0; MARK];
        mark.copy_from_slice(&Digest::sha256(all.as_bytes()).as_bytes()[..MARK]);
        Self { said, limit, mark }
    }

    /// The place in a list of keys that a cursor tells.
    pub(crate) fn key(&self, cursor: Option<&str>) -> Result<Option<ListCursor>, Problem> {
        self.read(cursor, |place| {
            let (seconds, rest) = place.split_first_chunk()?;
            let (nanos, id) = rest.split_first_chunk()?;
            let (seconds, nanos) = (i64::from_be_bytes(*seconds), u32::from_be_bytes(*nanos));
            let whole = Duration::from_secs(seconds.unsigned_abs());
            let whole = match seconds < 0 {
                true => SystemTime::UNIX_EPOCH.checked_sub(whole)?,
                false => SystemTime::UNIX_EPOCH.checked_add(whole)?,
            };
            let part = Duration::from_nanos((nanos < 1_000_000_000).then_some(nanos)?.into());
            Some(ListCursor {
                created_at: whole.checked_add(part)?,
                key: KeyId::new(std::str::from_utf8(id).ok()?).ok()?,
            })
        })
    }

    /// The place in a log that a cursor tells.
    pub(crate) fn position(&self, cursor: Option<&str>) -> Result<Option<u64>, Problem> {
        self.read(cursor, |place| {
            Some(u64::from_be_bytes(place.try_into().ok()?))
        })
    }

    /// The header that leads behind this key.
    pub(crate) fn after_key(&self, place: &ListCursor) -> Option<HeaderValue> {
        let (seconds, nanos) = parts(place.created_at)?;
        let mut bytes = seconds.to_be_bytes().to_vec();
        bytes.extend_from_slice(&nanos.to_be_bytes());
        bytes.extend_from_slice(place.key.as_str().as_bytes());
        self.link(&bytes)
    }

    /// The header that leads behind this line of a log.
    pub(crate) fn after_position(&self, position: u64) -> Option<HeaderValue> {
        self.link(&position.to_be_bytes())
    }

    fn read<T>(
        &self,
        cursor: Option<&str>,
        read: impl FnOnce(&[u8]) -> Option<T>,
    ) -> Result<Option<T>, Problem> {
        let Some(cursor) = cursor else {
            return Ok(None);
        };
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let place = bytes.as_deref().and_then(|bytes| {
            let place = bytes.strip_prefix(&self.mark)?;
            read(place)
        });
        let why = "is none that this list has given";
        let bad = || Problem::bad_parameters(vec![FieldError::new("cursor", why)]);
        place.map(Some).ok_or_else(bad)
    }

    /// RFC 8288 §3: a reference that is resolved against the address of the list itself, wherever it is
    /// mounted.
    fn link(&self, place: &[u8]) -> Option<HeaderValue> {
        let mut cursor = self.mark.to_vec();
        cursor.extend_from_slice(place);
        let cursor = URL_SAFE_NO_PAD.encode(cursor);
        let and = if self.said.is_empty() { "" } else { "&" };
        let (said, limit) = (&self.said, self.limit);
        let link = format!("<?{said}{and}limit={limit}&cursor={cursor}>; rel=\"next\"");
        HeaderValue::from_str(&link).ok()
    }
}

/// Whole seconds from 1970 on, downwards, and the nanoseconds beyond them.
fn parts(time: SystemTime) -> Option<(i64, u32)> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => Some((i64::try_from(since.as_secs()).ok()?, since.subsec_nanos())),
        Err(before) => {
            let before = before.duration();
            let whole = i64::try_from(before.as_secs()).ok()?.checked_neg()?;
            match before.subsec_nanos() {
                0 => Some((whole, 0)),
                nanos => Some((whole.checked_sub(1)?, 1_000_000_000 - nanos)),
            }
        }
    }
}

/// As many bytes as make it most unlikely that two lists share a mark.
const MARK: usize = 8;

#[cfg(test)]
mod tests {
    use keyward::Owner;

    use super::*;

    fn list(tenant: &str, said: &str) -> List {
        let actor = Actor::user(Owner::new("user", "7"), tenant);
        List::new("keys", &actor, said.to_owned(), 50)
    }

    fn cursor(link: &HeaderValue) -> String {
        let link = link.to_str().unwrap();
        let (_, rest) = link.split_once("cursor=").unwrap();
        rest.split_once('>').unwrap().0.to_owned()
    }

    #[test]
    fn a_place_comes_back_exactly() {
        let list = list("acme", "status=all");
        for (after, nanos) in [(true, 0), (true, 234_567_891), (false, 1), (false, 0)] {
            let part = Duration::new(1_000, nanos);
            let created_at = match after {
                true => SystemTime::UNIX_EPOCH + part,
                false => SystemTime::UNIX_EPOCH - part,
            };
            let key = KeyId::generate();
            let place = ListCursor { created_at, key };
            let cursor = cursor(&list.after_key(&place).unwrap());
            assert_eq!(list.key(Some(&cursor)).unwrap(), Some(place));
        }
        let cursor = cursor(&list.after_position(7).unwrap());
        assert_eq!(list.position(Some(&cursor)).unwrap(), Some(7));
    }

    #[test]
    fn a_cursor_of_another_list_is_refused() {
        let ours = list("acme", "status=all");
        let cursor = cursor(&ours.after_position(7).unwrap());
        for other in [list("evil", "status=all"), list("acme", "")] {
            assert!(other.position(Some(&cursor)).is_err());
        }
        for broken in ["", "x", "!", &cursor[1..], &format!("{cursor}AAAA")] {
            assert!(ours.position(Some(broken)).is_err(), "{broken}");
            assert!(ours.key(Some(broken)).is_err(), "{broken}");
        }
    }
}
