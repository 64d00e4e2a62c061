use std::time::SystemTime;

use keyward_store::{ForeignKeys, Kept, Locator};

use crate::digest::sha256;
use crate::foreign_key::named;
use crate::{Characters, ForeignKey, RowError, Spelling};

/// Keys of Unkey: a prefix, `_` and some base58, kept as the SHA-256 of the whole key in base64.
#[derive(Clone, Debug)]
pub struct Unkey {
    spellings: Vec<Spelling>,
}

/// What Unkey says of a key. Make one with [`UnkeyRow::new`] and set what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct UnkeyRow<'a> {
    /// `id`
    pub id: &'a str,
    /// `hash`
    pub hash: &'a str,
    /// `start`: its first characters
    pub start: Option<&'a str>,
    /// `name`
    pub name: Option<&'a str>,
    /// `enabled`
    pub enabled: bool,
    /// `deleted_at`, or whatever else means that the key is deleted
    pub deleted: bool,
    /// `expires`
    pub expires: Option<SystemTime>,
    /// `created_at`
    pub created_at: Option<SystemTime>,
    /// When it was used last.
    pub last_used_at: Option<SystemTime>,
}

impl<'a> UnkeyRow<'a> {
    /// A row with this `id` and this `hash`.
    #[must_use]
    pub const fn new(id: &'a str, hash: &'a str) -> Self {
        Self {
            id,
            hash,
            start: None,
            name: None,
            enabled: true,
            deleted: false,
            expires: None,
            created_at: None,
            last_used_at: None,
        }
    }
}

impl Unkey {
    /// Keys with one of these prefixes, without the `_` behind them; `""` is none.
    #[must_use]
    pub fn new<'a>(prefixes: impl IntoIterator<Item = &'a str>) -> Self {
        let spelling = |prefix: &str| {
            let prefix = match prefix {
                "" => String::new(),
                prefix => format!("{prefix}_"),
            };
            // From 8 random bytes on; a whole key has 255 bytes at most.
            Spelling::new(prefix, Characters::Base58, 11..=255)
        };
        Self {
            spellings: prefixes.into_iter().map(spelling).collect(),
        }
    }

    /// The key of a row.
    ///
    /// # Errors
    /// [`RowError`] names the column that makes no sense.
    pub fn read(&self, row: &UnkeyRow<'_>) -> Result<ForeignKey, RowError> {
        let mut kept = Kept::new(sha256(row.hash).map_err(RowError::of("hash"))?);
        kept.id = Some(named("unkey", row.id).map_err(RowError::of("id"))?);
        kept.hint = row.start.unwrap_or_default().to_owned();
        kept.created_at = row.created_at;
        kept.last_used_at = row.last_used_at;
        kept.suspended = !row.enabled;
        kept.revoked = row.deleted;
        Ok(ForeignKey::new(kept, row.name, row.expires))
    }
}

impl ForeignKeys for Unkey {
    fn scheme(&self) -> &str {
        "unkey"
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let mut spellings = self.spellings.iter();
        let spelled = spellings.any(|spelling| spelling.spells(credential));
        spelled.then_some(Locator::Sha256)
    }

    fn reads(&self, _hash: &str) -> bool {
        // They are kept as our own keys are, and none under the name of this scheme.
        false
    }

    fn proves(&self, _credential: &[u8], _hash: &str) -> bool {
        false
    }

    fn is_slow(&self, _hash: &str) -> bool {
        false
    }
}
