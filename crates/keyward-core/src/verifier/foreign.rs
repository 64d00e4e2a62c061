//! Keys of other systems: who knows a credential, and slow hashes off the threads that serve requests.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use keyward_store::{ForeignHash, ForeignKeys, Locator, Plaintext, PublicId};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::Reason;

#[derive(Debug)]
pub(crate) struct Foreign {
    schemes: Box<[Arc<dyn ForeignKeys>]>,
    /// Whether a key that passes moves to the present hash.
    pub(crate) upgrade: bool,
    turns: Arc<Semaphore>,
    waiting: AtomicUsize,
}

/// Where the record of a credential may be, as those say who know its spelling.
#[derive(Clone, Debug, Default)]
pub(crate) struct Located {
    pub(crate) public_ids: Vec<(Arc<str>, PublicId)>,
    pub(crate) hashes: Vec<ForeignHash>,
    pub(crate) lookups: Vec<Arc<str>>,
    /// Whether it may be found by what it is kept as, and not by public id alone.
    pub(crate) by_credential: bool,
}

/// A slow comparison.
pub(crate) type Slow = (Arc<dyn ForeignKeys>, ForeignHash);

impl Foreign {
    pub(crate) fn new(
        schemes: Vec<Arc<dyn ForeignKeys>>,
        upgrade: bool,
        slow_at_once: usize,
    ) -> Self {
        Self {
            schemes: schemes.into(),
            upgrade,
            turns: Arc::new(Semaphore::new(slow_at_once)),
            waiting: AtomicUsize::new(0),
        }
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.schemes.is_empty()
    }

    /// Who compares hashes of that scheme.
    pub(crate) fn scheme(&self, name: &str) -> Option<&Arc<dyn ForeignKeys>> {
        self.schemes.iter().find(|keys| keys.scheme() == name)
    }

    /// Where the record may be; `None` for what is spelled like no key of another system.
    pub(crate) fn locate(&self, credential: &[u8]) -> Option<Located> {
        let mut located = Located::default();
        for locator in self.schemes.iter().filter_map(|it| it.locate(credential)) {
            match locator {
                Locator::PublicId { prefix, id } => {
                    located.public_ids.push((prefix, id));
                    continue;
                }
                Locator::Hash(hash) => located.hashes.push(hash),
                Locator::Lookup(beginning) => located.lookups.push(beginning),
                // Every question by credential asks for it, and this version knows no other.
                _ => {}
            }
            located.by_credential = true;
        }
        (located.by_credential || !located.public_ids.is_empty()).then_some(located)
    }

    /// A comparison that takes no time.
    pub(crate) fn proves(
        scheme: &dyn ForeignKeys,
        credential: &Plaintext,
        hash: &ForeignHash,
    ) -> Result<bool, Reason> {
        let proves = || scheme.proves(credential.expose().as_bytes(), hash.text());
        catch_unwind(AssertUnwindSafe(proves)).map_err(|_payload| Reason::LoadPanicked)
    }

    /// The place of the first hash that the credential is behind. It holds one turn for all of them, and
    /// keeps it until the last is computed, whoever has stopped waiting.
    pub(crate) async fn proves_slowly(
        &self,
        runtime: &Handle,
        credential: Arc<Plaintext>,
        hashes: Vec<Slow>,
        patience: Duration,
    ) -> Result<Option<usize>, Reason> {
        let turn = self.turn(patience).await?;
        let work = runtime.spawn_blocking(move || {
            let _turn = turn;
            let credential = credential.expose().as_bytes();
            hashes
                .iter()
                .position(|(scheme, hash)| scheme.proves(credential, hash.text()))
        });
        // The payload of a panic may hold anything, a credential too: it is dropped unread.
        work.await.map_err(|_panicked| Reason::LoadPanicked)
    }

    async fn turn(&self, patience: Duration) -> Result<OwnedSemaphorePermit, Reason> {
        if let Ok(turn) = self.turns.clone().try_acquire_owned() {
            return Ok(turn);
        }
        let _waiting = Waiting::join(&self.waiting)?;
        match timeout(patience, self.turns.clone().acquire_owned()).await {
            Ok(turn) => turn.map_err(|_closed| Reason::Overloaded),
            Err(_elapsed) => Err(Reason::LoadTimedOut),
        }
    }
}

/// One who waits for a turn.
struct Waiting<'a>(&'a AtomicUsize);

impl<'a> Waiting<'a> {
    fn join(queue: &'a AtomicUsize) -> Result<Self, Reason> {
        // Counted up first: this one is dropped again, and counted down, when there are too many.
        let before = queue.fetch_add(1, Ordering::SeqCst);
        let waiting = Self(queue);
        if before < MAX_WAITING {
            Ok(waiting)
        } else {
            Err(Reason::Overloaded)
        }
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Credentials that wait for a slow hash. Most of a longer queue would wait in vain.
const MAX_WAITING: usize = 64;
