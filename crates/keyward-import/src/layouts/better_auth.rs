use std::collections::BTreeMap;
use std::time::SystemTime;

use keyward_store::{ForeignKeys, Kept, Locator, Scope};

use crate::digest::sha256;
use crate::foreign_key::{named, scope};
use crate::{Characters, ForeignKey, RowError, Spelling, Unreadable};

/// Keys of better-auth's API key plugin: a prefix and 64 letters, kept as the SHA-256 of the whole key
/// in base64url.
#[derive(Clone, Debug)]
pub struct BetterAuth {
    spellings: Vec<Spelling>,
}

/// What the table `apikey` says of a key. Make one with [`BetterAuthRow::new`] and set what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct BetterAuthRow<'a> {
    /// `id`
    pub id: &'a str,
    /// `key`, which is the digest of the key
    pub key: &'a str,
    /// `name`
    pub name: Option<&'a str>,
    /// `start`: its first characters
    pub start: Option<&'a str>,
    /// `prefix`
    pub prefix: Option<&'a str>,
    /// `enabled`
    pub enabled: bool,
    /// `permissions`: a JSON object of lists. Its scopes are `<resource>:<action>`.
    pub permissions: Option<&'a str>,
    /// `expiresAt`
    pub expires_at: Option<SystemTime>,
    /// `createdAt`
    pub created_at: Option<SystemTime>,
    /// `lastRequest`
    pub last_request: Option<SystemTime>,
}

impl<'a> BetterAuthRow<'a> {
    /// A row with this `id` and this `key`.
    #[must_use]
    pub const fn new(id: &'a str, key: &'a str) -> Self {
        Self {
            id,
            key,
            name: None,
            start: None,
            prefix: None,
            enabled: true,
            permissions: None,
            expires_at: None,
            created_at: None,
            last_request: None,
        }
    }
}

impl BetterAuth {
    /// Keys with one of these prefixes, as the plugin makes them; `""` is none.
    #[must_use]
    pub fn new<'a>(prefixes: impl IntoIterator<Item = &'a str>) -> Self {
        let spelling = |prefix| Spelling::new(prefix, Characters::Letters, 64..=64);
        Self::spelled(prefixes.into_iter().map(spelling))
    }

    /// Keys that are spelled otherwise, with a `defaultKeyLength` or a `customKeyGenerator` of the host's.
    #[must_use]
    pub fn spelled(spellings: impl IntoIterator<Item = Spelling>) -> Self {
        Self {
            spellings: spellings.into_iter().collect(),
        }
    }

    /// The key of a row.
    ///
    /// # Errors
    /// [`RowError`] names the column that makes no sense. Where the plugin was told not to hash keys,
    /// that is `key`.
    pub fn read(&self, row: &BetterAuthRow<'_>) -> Result<ForeignKey, RowError> {
        let mut kept = Kept::new(sha256(row.key).map_err(RowError::of("key"))?);
        kept.id = Some(named("better-auth", row.id).map_err(RowError::of("id"))?);
        kept.prefix = row.prefix.unwrap_or_default().to_owned();
        kept.hint = row.start.unwrap_or_default().to_owned();
        kept.created_at = row.created_at;
        kept.last_used_at = row.last_request;
        kept.suspended = !row.enabled;
        let mut key = ForeignKey::new(kept, row.name, row.expires_at);
        key.scopes = scopes(row.permissions).map_err(RowError::of("permissions"))?;
        Ok(key)
    }
}

impl ForeignKeys for BetterAuth {
    fn scheme(&self) -> &str {
        "better-auth"
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

fn scopes(permissions: Option<&str>) -> Result<Vec<Scope>, Unreadable> {
    let text = permissions.unwrap_or("null");
    let permissions: Option<BTreeMap<String, Vec<String>>> =
        serde_json::from_str(text).map_err(|_| Unreadable::Permissions)?;
    let permissions = permissions.unwrap_or_default().into_iter();
    let each = permissions.flat_map(|(resource, actions)| {
        let scope = move |action| scope(&format!("{resource}:{action}"));
        actions.into_iter().map(scope)
    });
    each.collect()
}
