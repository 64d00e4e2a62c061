use std::fmt;
use std::sync::Arc;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::{Digest, KeyHash};

/// The name of a pepper, kept beside each hash that was made with it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PepperId(Arc<str>);

impl PepperId {
    /// Names a pepper, for instance `2026-11`.
    #[must_use]
    pub fn new(id: impl Into<Arc<str>>) -> Self {
        Self(id.into())
    }

    /// The name as text, for a store to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A secret key, held by the service and not by the store, under which hashes are made.
#[derive(Clone)]
pub struct Pepper {
    id: PepperId,
    keyed: Hmac<Sha256>,
}

impl Pepper {
    /// A pepper of at least 32 bytes (RFC 2104 §3 advises the hash's own length).
    ///
    /// # Errors
    /// [`PepperError::TooShort`] when the key has fewer than 32 bytes.
    pub fn new(id: impl Into<Arc<str>>, key: &[u8]) -> Result<Self, PepperError> {
        if key.len() < 32 {
            return Err(PepperError::TooShort);
        }
        let keyed = Hmac::new_from_slice(key).map_err(|_| PepperError::TooShort)?;
        Ok(Self {
            id: PepperId::new(id),
            keyed,
        })
    }

    /// The pepper's name.
    #[must_use]
    pub fn id(&self) -> &PepperId {
        &self.id
    }

    /// The MAC of a whole credential under this pepper.
    #[must_use]
    pub fn mac(&self, credential: &[u8]) -> Digest {
        let mac = self.keyed.clone().chain_update(credential);
        Digest::from_bytes(mac.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pepper")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The live peppers: one that new hashes are made with, and older ones that still verify.
///
/// To change the pepper of a service with several nodes, first give all of them the new one by
/// [`and_next`](Peppers::and_next); then make it the current one, and the old one an
/// [old](Peppers::and_old) one, node by node. Keys move to the current pepper as they are used. Keep
/// the old one until no record names it any more.
#[derive(Clone, Debug, Default)]
pub struct Peppers {
    /// The current one first.
    live: Vec<Pepper>,
    next: Option<PepperId>,
}

impl Peppers {
    /// No pepper: keys are kept as plain SHA-256.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            live: Vec::new(),
            next: None,
        }
    }

    /// New hashes are made with `current`.
    #[must_use]
    pub fn current(current: Pepper) -> Self {
        Self {
            live: vec![current],
            next: None,
        }
    }

    /// Hashes made with `old` verify too.
    ///
    /// # Errors
    /// [`PepperError::Duplicate`] when two peppers bear one name.
    pub fn and_old(mut self, old: Pepper) -> Result<Self, PepperError> {
        if self.get(&old.id).is_some() {
            return Err(PepperError::Duplicate);
        }
        self.live.push(old);
        Ok(self)
    }

    /// Hashes made with `next` verify too, and stay: other nodes have made it their current pepper
    /// already.
    ///
    /// # Errors
    /// [`PepperError::Duplicate`] when two peppers bear one name.
    pub fn and_next(self, next: Pepper) -> Result<Self, PepperError> {
        let id = next.id.clone();
        let mut peppers = self.and_old(next)?;
        peppers.next = Some(id);
        Ok(peppers)
    }

    /// Whether a key that is kept so should move to the current pepper when it is used.
    #[must_use]
    pub fn supersede(&self, hash: &KeyHash) -> bool {
        let current = self.live.first().map(Pepper::id);
        match hash {
            KeyHash::Sha256(_) => current.is_some(),
            KeyHash::HmacSha256 { pepper, .. } => {
                current.is_some_and(|id| id != pepper) && self.next.as_ref() != Some(pepper)
            }
            // Whether those move is decided apart.
            KeyHash::Foreign(_) => false,
        }
    }

    /// The live pepper of that name.
    #[must_use]
    pub fn get(&self, id: &PepperId) -> Option<&Pepper> {
        self.live.iter().find(|pepper| pepper.id == *id)
    }

    /// Every live pepper, the current one first.
    pub fn iter(&self) -> impl Iterator<Item = &Pepper> {
        self.live.iter()
    }

    /// The hash that a new record gets.
    #[must_use]
    pub fn hash(&self, credential: &[u8]) -> KeyHash {
        match self.live.first() {
            None => KeyHash::Sha256(Digest::sha256(credential)),
            Some(pepper) => KeyHash::HmacSha256 {
                pepper: pepper.id.clone(),
                mac: pepper.mac(credential),
            },
        }
    }
}

/// Why a pepper was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PepperError {
    /// Fewer than 32 bytes.
    #[error("a pepper needs at least 32 bytes")]
    TooShort,
    /// Two peppers of one name.
    #[error("two peppers bear the same id")]
    Duplicate,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The keys of RFC 4231 are shorter than ours may be, so this is
    /// what `openssl dgst -sha256 -mac HMAC` gives for a key of 32 bytes 0x0b.
    #[test]
    fn the_mac_is_hmac_sha_256() {
        let pepper = Pepper::new("a", &[0x0b; 32]).unwrap();
        let expected = [
            0x19, 0x8a, 0x60, 0x7e, 0xb4, 0x4b, 0xfb, 0xc6, 0x99, 0x03, 0xa0, 0xf1, 0xcf, 0x2b,
            0xbd, 0xc5, 0xba, 0x0a, 0xa3, 0xf3, 0xd9, 0xae, 0x3c, 0x1c, 0x7a, 0x3b, 0x16, 0x96,
            0xa0, 0xb6, 0x8c, 0xf7,
        ];
        assert_eq!(pepper.mac(b"Hi There").as_bytes(), &expected);
    }

    #[test]
    fn short_and_doubled_peppers_are_refused() {
        assert_eq!(
            Pepper::new("a", &[1; 31]).unwrap_err(),
            PepperError::TooShort
        );
        let pepper = Pepper::new("a", &[1; 32]).unwrap();
        let doubled = Peppers::current(pepper.clone()).and_old(pepper);
        assert_eq!(doubled.unwrap_err(), PepperError::Duplicate);
    }
}
