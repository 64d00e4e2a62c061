use keyward_store::{Digest, ForeignHash, ForeignKeys, Kept, KeyHash, Locator};
use sha2::{Digest as _, Sha512};
use subtle::ConstantTimeEq;

use crate::encoding::{bytes, hexadecimal, to_hexadecimal};
use crate::{Spelling, Unreadable};

/// Keys of which the SHA-256 of the whole key was kept.
///
/// That is what Keyward keeps itself, so their records are like all others. Where they are spelled like
/// keys of a [format](keyward_store::KeyFormat) of the service, nothing needs to be registered.
#[derive(Clone, Debug)]
pub struct Sha256Keys {
    spelling: Spelling,
}

impl Sha256Keys {
    /// Keys that are spelled so.
    #[must_use]
    pub const fn new(spelling: Spelling) -> Self {
        Self { spelling }
    }

    /// What is kept of a key: its digest in hexadecimal digits, base64 or base64url.
    ///
    /// # Errors
    /// [`Unreadable::Hash`] for any other text.
    pub fn kept(text: &str) -> Result<Kept, Unreadable> {
        sha256(text).map(Kept::new)
    }
}

/// The native hash that a text spells.
pub(crate) fn sha256(text: &str) -> Result<KeyHash, Unreadable> {
    let digest = bytes(text).ok_or(Unreadable::Hash)?;
    Ok(KeyHash::Sha256(Digest::from_bytes(digest)))
}

impl ForeignKeys for Sha256Keys {
    fn scheme(&self) -> &str {
        "sha256"
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        self.spelling.spells(credential).then_some(Locator::Sha256)
    }

    fn reads(&self, _hash: &str) -> bool {
        // None is kept under the name of this scheme.
        false
    }

    fn proves(&self, _credential: &[u8], _hash: &str) -> bool {
        false
    }

    fn is_slow(&self, _hash: &str) -> bool {
        false
    }
}

/// Keys of which the SHA-512 of the whole key was kept.
#[derive(Clone, Debug)]
pub struct Sha512Keys {
    spelling: Spelling,
}

impl Sha512Keys {
    const SCHEME: &str = "sha512";

    /// Keys that are spelled so.
    #[must_use]
    pub const fn new(spelling: Spelling) -> Self {
        Self { spelling }
    }

    /// What is kept of a key: its digest in hexadecimal digits, base64 or base64url.
    ///
    /// # Errors
    /// [`Unreadable::Hash`] for any other text.
    pub fn kept(text: &str) -> Result<Kept, Unreadable> {
        let digest: [u8; 64] = bytes(text).ok_or(Unreadable::Hash)?;
        Ok(Kept::new(KeyHash::Foreign(Self::hash(&digest))))
    }

    /// In one spelling, so that the record is found by it.
    fn hash(digest: &[u8; 64]) -> ForeignHash {
        ForeignHash::new(Self::SCHEME, to_hexadecimal(digest))
    }
}

impl ForeignKeys for Sha512Keys {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let spelled = self.spelling.spells(credential);
        spelled.then(|| Locator::Hash(Self::hash(&Sha512::digest(credential).into())))
    }

    fn reads(&self, hash: &str) -> bool {
        hexadecimal::<64>(hash).is_some_and(|digest| to_hexadecimal(&digest) == hash)
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let kept: Option<[u8; 64]> = hexadecimal(hash);
        kept.is_some_and(|kept| Sha512::digest(credential).ct_eq(&kept[..]).into())
    }

    fn is_slow(&self, _hash: &str) -> bool {
        false
    }
}
