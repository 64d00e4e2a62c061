use std::sync::Arc;

use crate::{Digest, KeyHash, KeyId, PepperId, PublicId};

/// Which records are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Selector {
    /// The record of that name.
    Key(KeyId),
    /// The record whose key has this prefix and this public id.
    PublicId {
        /// The literal prefix of the key's format.
        prefix: Arc<str>,
        /// The public id.
        id: PublicId,
    },
    /// The record that is kept as one of these, of a key whose format has no public id.
    Credential(Candidates),
}

impl Selector {
    /// The SHA-256 of the credential, when the selector has it.
    #[must_use]
    pub fn sha256(&self) -> Option<&Digest> {
        match self {
            Self::Credential(candidates) => Some(candidates.sha256()),
            Self::Key(_) | Self::PublicId { .. } => None,
        }
    }

    /// Whether `hash` is one that this selector asks for.
    #[must_use]
    pub fn matches_hash(&self, hash: &KeyHash) -> bool {
        match self {
            Self::Credential(candidates) => candidates.proves(hash) == Some(true),
            Self::Key(_) | Self::PublicId { .. } => false,
        }
    }
}

/// Everything that one credential may be kept as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    sha256: Digest,
    macs: Box<[(PepperId, Digest)]>,
}

impl Candidates {
    /// The forms of a credential: its SHA-256, and its MAC under each live pepper.
    #[must_use]
    pub fn new(sha256: Digest, macs: impl IntoIterator<Item = (PepperId, Digest)>) -> Self {
        Self {
            sha256,
            macs: macs.into_iter().collect(),
        }
    }

    /// The SHA-256 of the whole credential.
    #[must_use]
    pub fn sha256(&self) -> &Digest {
        &self.sha256
    }

    /// The MAC under each live pepper.
    #[must_use]
    pub fn macs(&self) -> &[(PepperId, Digest)] {
        &self.macs
    }

    /// Whether the credential is the one behind `hash`; `None` when that cannot be told, because
    /// the hash was made with a pepper that is not live.
    #[must_use]
    pub fn proves(&self, hash: &KeyHash) -> Option<bool> {
        match hash {
            KeyHash::Sha256(digest) => Some(*digest == self.sha256),
            KeyHash::HmacSha256 { pepper, mac } => self
                .macs
                .iter()
                .find(|(live, _)| live == pepper)
                .map(|(_, ours)| ours == mac),
        }
    }
}
