use std::time::SystemTime;

use keyward_store::{ForeignHash, ForeignKeys, Kept, KeyHash, Locator, PublicId, Scope};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::encoding::{hexadecimal, to_hexadecimal};
use crate::foreign_key::scope;
use crate::{ForeignKey, RowError, Unreadable};

/// Tokens of Laravel Sanctum: `<id>|<token>`. The id is that of the row, and of the token the SHA-256
/// was kept. Ids are numbers; a token that is sent without its id is not found.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct Sanctum;

/// What the table `personal_access_tokens` says of a token. Make one with [`SanctumRow::new`] and set
/// what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SanctumRow<'a> {
    /// `id`
    pub id: u64,
    /// `token`, which is its digest
    pub token: &'a str,
    /// `name`
    pub name: Option<&'a str>,
    /// `abilities`: a JSON list. Each is a scope of that name; `*`, which is every ability there, has no
    /// other meaning here than its name.
    pub abilities: Option<&'a str>,
    /// `expires_at`
    pub expires_at: Option<SystemTime>,
    /// `created_at`
    pub created_at: Option<SystemTime>,
    /// `last_used_at`
    pub last_used_at: Option<SystemTime>,
}

impl<'a> SanctumRow<'a> {
    /// A row with this `id` and this `token`.
    #[must_use]
    pub const fn new(id: u64, token: &'a str) -> Self {
        Self {
            id,
            token,
            name: None,
            abilities: None,
            expires_at: None,
            created_at: None,
            last_used_at: None,
        }
    }
}

impl Sanctum {
    const SCHEME: &str = "sanctum";

    /// Tokens as Sanctum makes them, of any prefix.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }

    /// The key of a row.
    ///
    /// # Errors
    /// [`RowError`] names the column that makes no sense.
    pub fn read(&self, row: &SanctumRow<'_>) -> Result<ForeignKey, RowError> {
        let digest = hexadecimal::<32>(row.token).ok_or(Unreadable::Hash);
        let digest = digest.map_err(RowError::of("token"))?;
        let hash = ForeignHash::new(Self::SCHEME, to_hexadecimal(&digest));
        let mut kept = Kept::new(KeyHash::Foreign(hash));
        let id = PublicId::new(&row.id.to_string()).ok_or(Unreadable::PublicId);
        kept.public_id = Some(id.map_err(RowError::of("id"))?);
        kept.prefix = Self::SCHEME.to_owned();
        kept.hint = format!("{}|", row.id);
        kept.created_at = row.created_at;
        kept.last_used_at = row.last_used_at;
        let mut key = ForeignKey::new(kept, row.name, row.expires_at);
        key.scopes = scopes(row.abilities).map_err(RowError::of("abilities"))?;
        Ok(key)
    }

    fn split(credential: &[u8]) -> Option<(&str, &str)> {
        let (id, token) = std::str::from_utf8(credential).ok()?.split_once('|')?;
        let canonical = !id.starts_with('0') && id.bytes().all(|byte| byte.is_ascii_digit());
        (canonical && !token.is_empty()).then_some((id, token))
    }
}

impl ForeignKeys for Sanctum {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let (id, _) = Self::split(credential)?;
        Some(Locator::PublicId {
            prefix: Self::SCHEME.into(),
            id: PublicId::new(id)?,
        })
    }

    fn reads(&self, hash: &str) -> bool {
        hexadecimal::<32>(hash).is_some()
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let kept: Option<[u8; 32]> = hexadecimal(hash);
        let (Some(kept), Some((_, token))) = (kept, Self::split(credential)) else {
            return false;
        };
        Sha256::digest(token).ct_eq(&kept[..]).into()
    }

    fn is_slow(&self, _hash: &str) -> bool {
        false
    }
}

fn scopes(abilities: Option<&str>) -> Result<Vec<Scope>, Unreadable> {
    let text = abilities.unwrap_or("null");
    let abilities: Option<Vec<String>> =
        serde_json::from_str(text).map_err(|_| Unreadable::Permissions)?;
    let abilities = abilities.unwrap_or_default();
    abilities.iter().map(|ability| scope(ability)).collect()
}
