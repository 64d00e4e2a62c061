use std::time::SystemTime;

use keyward_store::{ForeignHash, ForeignKeys, Kept, KeyHash, Locator, PublicId};
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq;

use crate::encoding::hexadecimal;
use crate::pbkdf2::Kernel;
use crate::{Characters, ForeignKey, Pbkdf2, RowError, Unreadable};

/// Keys of djangorestframework-api-key: `<prefix>.<secret>`. The prefix finds the record. Of the whole
/// key 2.x kept what Django keeps of passwords, PBKDF2 by default, and 3.x keeps the SHA-512; a table
/// that began with 2.x holds both.
#[derive(Clone, Copy, Debug)]
pub struct DrfApiKey {
    max_iterations: u32,
}

/// What the table of `APIKey` says of a key. Make one with [`DrfApiKeyRow::new`] and set what differs.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct DrfApiKeyRow<'a> {
    /// `prefix`
    pub prefix: &'a str,
    /// `hashed_key`
    pub hashed_key: &'a str,
    /// `name`
    pub name: Option<&'a str>,
    /// `revoked`
    pub revoked: bool,
    /// `expiry_date`
    pub expiry_date: Option<SystemTime>,
    /// `created`
    pub created: Option<SystemTime>,
}

impl<'a> DrfApiKeyRow<'a> {
    /// A row with this `prefix` and this `hashed_key`.
    #[must_use]
    pub const fn new(prefix: &'a str, hashed_key: &'a str) -> Self {
        Self {
            prefix,
            hashed_key,
            name: None,
            revoked: false,
            expiry_date: None,
            created: None,
        }
    }
}

impl DrfApiKey {
    const SCHEME: &str = "drf-api-key";

    /// Keys as the package makes them.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            max_iterations: Pbkdf2::MAX_ITERATIONS,
        }
    }

    /// Hashes of up to so many iterations are allowed; [`Pbkdf2::MAX_ITERATIONS`] unless said otherwise.
    #[must_use]
    pub const fn max_iterations(mut self, iterations: u32) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// The key of a row.
    ///
    /// # Errors
    /// [`RowError`] names the column that makes no sense.
    pub fn read(&self, row: &DrfApiKeyRow<'_>) -> Result<ForeignKey, RowError> {
        self.check(row.hashed_key)
            .map_err(RowError::of("hashed_key"))?;
        let hash = ForeignHash::new(Self::SCHEME, row.hashed_key);
        let mut kept = Kept::new(KeyHash::Foreign(hash));
        let id = PublicId::new(row.prefix).ok_or(Unreadable::PublicId);
        kept.public_id = Some(id.map_err(RowError::of("prefix"))?);
        kept.prefix = Self::SCHEME.to_owned();
        kept.hint = row.prefix.to_owned();
        kept.created_at = row.created;
        kept.revoked = row.revoked;
        Ok(ForeignKey::new(kept, row.name, row.expiry_date))
    }

    fn check(&self, hash: &str) -> Result<(), Unreadable> {
        match sha512(hash) {
            Some(_) => Ok(()),
            None => Kernel::read(hash, self.max_iterations).map(|_| ()),
        }
    }
}

impl Default for DrfApiKey {
    fn default() -> Self {
        Self::new()
    }
}

impl ForeignKeys for DrfApiKey {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let (prefix, secret) = std::str::from_utf8(credential).ok()?.split_once('.')?;
        let spelled = !secret.is_empty() && Characters::Base62.spell(secret.as_bytes());
        Some(Locator::PublicId {
            prefix: Self::SCHEME.into(),
            id: PublicId::new(prefix).filter(|_| spelled)?,
        })
    }

    fn reads(&self, hash: &str) -> bool {
        self.check(hash).is_ok()
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        match sha512(hash) {
            Some(kept) => Sha512::digest(credential).ct_eq(&kept[..]).into(),
            None => Kernel::read(hash, self.max_iterations)
                .is_ok_and(|kernel| kernel.proves(credential)),
        }
    }

    fn is_slow(&self, hash: &str) -> bool {
        sha512(hash).is_none()
    }
}

/// `sha512$$` and 128 hexadecimal digits, which is what 3.x writes.
fn sha512(hash: &str) -> Option<[u8; 64]> {
    hexadecimal(hash.strip_prefix("sha512$$")?)
}
