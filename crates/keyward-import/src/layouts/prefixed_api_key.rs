use std::sync::Arc;
use std::time::SystemTime;

use keyward_store::{ForeignHash, ForeignKeys, Kept, KeyHash, Locator, PublicId};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq;

use crate::encoding::{bytes, hexadecimal, to_hexadecimal};
use crate::{Characters, ForeignKey, RowError, Unreadable};

/// Keys of Seam's prefixed-api-key: `<prefix>_<short token>_<long token>`. The short token finds the
/// record, and of the long token the SHA-256 was kept.
#[derive(Clone, Debug)]
pub struct PrefixedApiKey {
    prefix: Arc<str>,
}

/// What a table of such keys says of one. Make one with [`PrefixedApiKeyRow::new`] and set what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PrefixedApiKeyRow<'a> {
    /// `shortToken`
    pub short_token: &'a str,
    /// `longTokenHash`
    pub long_token_hash: &'a str,
    /// What its owner calls it.
    pub name: Option<&'a str>,
    /// When it expires.
    pub expires_at: Option<SystemTime>,
    /// When it was issued.
    pub created_at: Option<SystemTime>,
    /// When it was used last.
    pub last_used_at: Option<SystemTime>,
}

impl<'a> PrefixedApiKeyRow<'a> {
    /// A row with this `shortToken` and this `longTokenHash`.
    #[must_use]
    pub const fn new(short_token: &'a str, long_token_hash: &'a str) -> Self {
        Self {
            short_token,
            long_token_hash,
            name: None,
            expires_at: None,
            created_at: None,
            last_used_at: None,
        }
    }
}

impl PrefixedApiKey {
    const SCHEME: &str = "prefixed-api-key";

    /// Keys with this prefix, without the `_` behind it.
    #[must_use]
    pub fn new(prefix: impl Into<Arc<str>>) -> Self {
        Self {
            prefix: prefix.into(),
        }
    }

    /// The key of a row.
    ///
    /// # Errors
    /// [`RowError`] names the column that makes no sense.
    pub fn read(&self, row: &PrefixedApiKeyRow<'_>) -> Result<ForeignKey, RowError> {
        let digest = bytes::<32>(row.long_token_hash).ok_or(Unreadable::Hash);
        let digest = digest.map_err(RowError::of("longTokenHash"))?;
        let hash = ForeignHash::new(Self::SCHEME, to_hexadecimal(&digest));
        let mut kept = Kept::new(KeyHash::Foreign(hash));
        let id = PublicId::new(row.short_token).ok_or(Unreadable::PublicId);
        kept.public_id = Some(id.map_err(RowError::of("shortToken"))?);
        kept.prefix = self.prefix.to_string();
        kept.hint = format!("{}_{}", self.prefix, row.short_token);
        kept.created_at = row.created_at;
        kept.last_used_at = row.last_used_at;
        Ok(ForeignKey::new(kept, row.name, row.expires_at))
    }

    fn split<'a>(&self, credential: &'a [u8]) -> Option<(&'a str, &'a str)> {
        let rest = std::str::from_utf8(credential).ok()?;
        let rest = rest.strip_prefix(&*self.prefix)?.strip_prefix('_')?;
        let (short, long) = rest.split_once('_')?;
        let spelled = !long.is_empty() && Characters::Base62.spell(long.as_bytes());
        spelled.then_some((short, long))
    }
}

impl ForeignKeys for PrefixedApiKey {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let (short, _) = self.split(credential)?;
        Some(Locator::PublicId {
            prefix: self.prefix.clone(),
            id: PublicId::new(short)?,
        })
    }

    fn reads(&self, hash: &str) -> bool {
        hexadecimal::<32>(hash).is_some()
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let kept: Option<[u8; 32]> = hexadecimal(hash);
        let (Some(kept), Some((_, long))) = (kept, self.split(credential)) else {
            return false;
        };
        Sha256::digest(long).ct_eq(&kept[..]).into()
    }

    fn is_slow(&self, _hash: &str) -> bool {
        false
    }
}
