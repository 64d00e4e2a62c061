use std::sync::Arc;

use crate::{Digest, ForeignHash, KeyHash, KeyId, KeyRecord, PepperId, PublicId};

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

    /// Whether `record` is one that this selector asks for by its hash or its beginning.
    #[must_use]
    pub fn matches(&self, record: &KeyRecord) -> bool {
        match self {
            Self::Credential(candidates) => candidates.may_be(record),
            Self::Key(_) | Self::PublicId { .. } => false,
        }
    }
}

/// Everything that one credential may be kept as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidates {
    sha256: Digest,
    macs: Box<[(PepperId, Digest)]>,
    foreign: Box<[ForeignHash]>,
    lookups: Box<[Arc<str>]>,
}

impl Candidates {
    /// The forms of a credential: its SHA-256, and its MAC under each live pepper.
    #[must_use]
    pub fn new(sha256: Digest, macs: impl IntoIterator<Item = (PepperId, Digest)>) -> Self {
        Self {
            sha256,
            macs: macs.into_iter().collect(),
            foreign: Box::default(),
            lookups: Box::default(),
        }
    }

    /// And what other systems may have kept of it: hashes, and beginnings by which salted hashes are
    /// found.
    #[must_use]
    pub fn and_foreign(
        mut self,
        hashes: impl IntoIterator<Item = ForeignHash>,
        lookups: impl IntoIterator<Item = Arc<str>>,
    ) -> Self {
        self.foreign = hashes.into_iter().collect();
        self.lookups = lookups.into_iter().collect();
        self
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

    /// What other systems may have kept of it.
    #[must_use]
    pub fn foreign(&self) -> &[ForeignHash] {
        &self.foreign
    }

    /// The beginnings that records with a salted hash of it may have. A store answers with at most
    /// [`MAX_LOOKUP_CANDIDATES`](crate::MAX_LOOKUP_CANDIDATES) of one beginning, oldest first.
    #[must_use]
    pub fn lookups(&self) -> &[Arc<str>] {
        &self.lookups
    }

    /// Whether the credential is the one behind `hash`; `None` when that cannot be told here, because
    /// the hash was made with a pepper that is not live, or is salted.
    #[must_use]
    pub fn proves(&self, hash: &KeyHash) -> Option<bool> {
        match hash {
            KeyHash::Sha256(digest) => Some(*digest == self.sha256),
            KeyHash::HmacSha256 { pepper, mac } => self
                .macs
                .iter()
                .find(|(live, _)| live == pepper)
                .map(|(_, ours)| ours == mac),
            KeyHash::Foreign(hash) => self.foreign.contains(hash).then_some(true),
        }
    }

    fn may_be(&self, record: &KeyRecord) -> bool {
        let begins = |lookup: &String| self.lookups.iter().any(|ours| **ours == **lookup);
        self.proves(&record.hash) == Some(true) || record.lookup.as_ref().is_some_and(begins)
    }
}
