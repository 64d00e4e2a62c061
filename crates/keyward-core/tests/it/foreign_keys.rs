//! Keys of another system that never was, whose hashes take as long as a test wants.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use keyward_store::{
    Beginning, Digest, ForeignHash, ForeignKeys, Kept, KeyHash, Locator, PublicId,
};

/// Keys are `old_`, a beginning of four characters and a secret; what is kept is a salt and a digest.
#[derive(Clone, Debug)]
pub(crate) struct OldKeys {
    scheme: &'static str,
    found: Found,
    work: Arc<Work>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// By their first eight characters.
    Beginning,
    /// By the four characters behind `old_`.
    PublicId,
    /// By their hash, which then has no salt.
    Hash,
}

#[derive(Debug, Default)]
struct Work {
    runs: AtomicUsize,
    running: AtomicUsize,
    peak: AtomicUsize,
    millis: AtomicU64,
    panics: AtomicBool,
}

impl OldKeys {
    /// Slow, but no test waits for it unless it says how long it [`takes`](OldKeys::takes).
    pub(crate) fn new() -> Self {
        Self::found(Found::Beginning)
    }

    pub(crate) fn found(found: Found) -> Self {
        Self {
            scheme: "old",
            found,
            work: Arc::default(),
        }
    }

    pub(crate) fn named(mut self, scheme: &'static str) -> Self {
        self.scheme = scheme;
        self
    }

    pub(crate) fn takes(&self, time: Duration) {
        let millis = u64::try_from(time.as_millis()).unwrap();
        self.work.millis.store(millis, Ordering::SeqCst);
    }

    /// The next hash panics.
    pub(crate) fn panics_once(&self) {
        self.work.panics.store(true, Ordering::SeqCst);
    }

    /// How many hashes have been computed.
    pub(crate) fn runs(&self) -> usize {
        self.work.runs.load(Ordering::SeqCst)
    }

    pub(crate) fn running(&self) -> usize {
        self.work.running.load(Ordering::SeqCst)
    }

    /// How many were computed at once.
    pub(crate) fn peak(&self) -> usize {
        self.work.peak.load(Ordering::SeqCst)
    }

    /// What the other system kept of this key.
    pub(crate) fn kept(&self, credential: &str) -> Kept {
        let mut kept = Kept::new(KeyHash::Foreign(self.hash("salt", credential)));
        match self.found {
            Found::Beginning => {
                kept.lookup = Some(Beginning::new("old_", &credential[..8]).unwrap());
            }
            Found::PublicId => {
                kept.prefix = "old".to_owned();
                kept.public_id = PublicId::new(&credential[4..8]);
            }
            Found::Hash => kept.hash = KeyHash::Foreign(self.hash("", credential)),
        }
        kept
    }

    pub(crate) fn hash(&self, salt: &str, credential: &str) -> ForeignHash {
        let digest = Digest::sha256(format!("{salt}{credential}").as_bytes());
        ForeignHash::new(self.scheme, format!("{salt}${}", digest.to_hex()))
    }
}

impl ForeignKeys for OldKeys {
    fn scheme(&self) -> &str {
        self.scheme
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let text = std::str::from_utf8(credential).ok()?;
        let id = text.strip_prefix("old_")?.get(..4)?;
        Some(match self.found {
            Found::Beginning => Locator::Lookup(text[..8].into()),
            Found::PublicId => Locator::PublicId {
                prefix: "old".into(),
                id: PublicId::new(id)?,
            },
            Found::Hash => Locator::Hash(self.hash("", text)),
        })
    }

    fn reads(&self, hash: &str) -> bool {
        hash.contains('$')
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let Work {
            runs,
            running,
            peak,
            millis,
            panics,
        } = &*self.work;
        runs.fetch_add(1, Ordering::SeqCst);
        let now = running.fetch_add(1, Ordering::SeqCst) + 1;
        peak.fetch_max(now, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(millis.load(Ordering::SeqCst)));
        running.fetch_sub(1, Ordering::SeqCst);
        assert!(!panics.swap(false, Ordering::SeqCst), "as it was told");
        let credential = std::str::from_utf8(credential).unwrap();
        let salt = hash.split_once('$').map_or("", |(salt, _)| salt);
        self.hash(salt, credential).text() == hash
    }

    fn is_slow(&self, _hash: &str) -> bool {
        self.found != Found::Hash
    }
}
