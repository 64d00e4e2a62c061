use std::fmt;
use std::sync::Arc;

use crate::PublicId;

/// How another system kept a key that was imported from it.
///
/// It compares by what it says, and is never printed.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ForeignHash {
    scheme: Arc<str>,
    text: Arc<str>,
}

impl ForeignHash {
    /// The longest scheme and the longest text, in bytes.
    pub const MAX: (usize, usize) = (64, 1024);

    /// The hash `text`, as the other system wrote it, of keys that `scheme` compares.
    #[must_use]
    pub fn new(scheme: impl Into<Arc<str>>, text: impl Into<Arc<str>>) -> Self {
        Self {
            scheme: scheme.into(),
            text: text.into(),
        }
    }

    /// The [`ForeignKeys::scheme`] that can compare it.
    #[must_use]
    pub fn scheme(&self) -> &str {
        &self.scheme
    }

    /// The hash itself, for a store to keep.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for ForeignHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForeignHash")
            .field("scheme", &self.scheme)
            .finish_non_exhaustive()
    }
}

/// The keys of another system: how one is told from other credentials, and compared with what that
/// system kept of it.
///
/// # Contract
/// All answers depend on the arguments alone. A hash that makes no sense, or whose parameters are
/// higher than the implementation allows, proves nothing.
pub trait ForeignKeys: fmt::Debug + Send + Sync + 'static {
    /// The name that stands beside each hash in a store, for instance `bcrypt`.
    fn scheme(&self) -> &str;

    /// How the record of this credential is found; `None` for what is not spelled like such a key.
    fn locate(&self, credential: &[u8]) -> Option<Locator>;

    /// Whether `hash` is one that it can compare, and at no higher cost than it allows. What it cannot
    /// read is not imported.
    fn reads(&self, hash: &str) -> bool;

    /// Whether `credential` is the one behind `hash`.
    fn proves(&self, credential: &[u8], hash: &str) -> bool;

    /// Whether to compare something with `hash` takes so long that it must leave the threads which
    /// serve requests.
    fn is_slow(&self, hash: &str) -> bool;
}

/// What a foreign key's record is found by.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Locator {
    /// A part of the key that names its record and is no secret.
    PublicId {
        /// The prefix that its record was imported with.
        prefix: Arc<str>,
        /// The public id.
        id: PublicId,
    },
    /// The SHA-256 of the whole key: its record is kept as
    /// [`KeyHash::Sha256`](crate::KeyHash::Sha256), as if it had been issued here.
    Sha256,
    /// The hash itself, where one key has one hash.
    Hash(ForeignHash),
    /// The beginning of the key, where its hash is salted: the [`lookup`](crate::KeyRecord::lookup)
    /// of its record.
    Lookup(Arc<str>),
}

/// The most records that may share one beginning: each costs a slow hash.
pub const MAX_LOOKUP_CANDIDATES: usize = 16;
