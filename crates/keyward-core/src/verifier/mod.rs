//! Decides about credentials.

pub(crate) mod beats;
mod cache;
pub(crate) mod caught;
pub(crate) mod coherence;
mod entry;
mod flights;
pub(crate) mod foreign;
pub(crate) mod health;
pub(crate) mod identity;
mod last_use;
mod late;
mod lease;
mod load;
pub(crate) mod node;
pub(crate) mod observer;
mod pace;
mod pick;
pub(crate) mod poller;
mod presented;
pub(crate) mod rounds;
pub(crate) mod tasks;
pub(crate) mod write;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use keyward_store::{BootTime, Digest, KeyHash, KeyStore, MAX_KEY_BYTES, Parsed};

use self::cache::CacheKey;
use self::entry::{Entry, Proof};
use self::node::{Node, TIME_TO_LIVE};
use self::presented::Presented;
use self::tasks::Tasks;
use crate::{Builder, Denied, Principal, Reason};

pub(crate) use self::cache::Cache;
pub(crate) use self::entry::ExpiredFloor;
pub(crate) use self::flights::Flights;
pub use self::health::Health;
pub(crate) use self::last_use::Uses;

/// Tells good credentials from bad ones.
///
/// Clones share one cache; they are cheap. When the last clone is dropped, and the last
/// [`Keyward`](crate::Keyward) with it, the tasks behind them stop.
#[derive(Clone, Debug)]
pub struct Verifier {
    node: Arc<Node>,
    tasks: Arc<Tasks>,
}

impl Verifier {
    /// Verifies the keys of `store`; [`Builder::verify_only`] starts it.
    #[must_use]
    pub fn builder<S: KeyStore>(store: S) -> Builder<S> {
        Builder::new(store)
    }

    pub(crate) fn new(node: Arc<Node>, tasks: Tasks) -> Self {
        Self {
            node,
            tasks: Arc::new(tasks),
        }
    }

    pub(crate) fn node(&self) -> &Arc<Node> {
        &self.node
    }

    /// Decides about a credential, at once where that can be: it does not leave the thread then,
    /// and a key that was used a moment ago costs no allocation.
    #[inline]
    #[must_use]
    pub fn check(&self, credential: &[u8]) -> Verification {
        let node = &self.node;
        // The checksum waits: a credential that is found in front has passed before, and had it right.
        let Some((format, parsed)) = node.formats.skim(credential) else {
            return self.check_foreign(credential);
        };
        let digest = Digest::sha256(parsed.credential());
        if let Some(slot) = node.cache.slot(&digest) {
            let entry = slot.load();
            if let Some(entry) = &*entry
                && entry.is_proved_by(&digest)
                && let Some(now) = node.coherence.believe(&entry.stamp)
                && (!entry.is_touch_due(now)
                    || node.touch(entry, &cache_key(format, &parsed, &digest), now))
            {
                return decided(node.pass(entry, now));
            }
        }
        self.check_behind(format, &parsed, digest)
    }

    /// Decides about a credential, and waits for the store where that must be.
    ///
    /// # Errors
    /// [`Denied`] says what the client may know, and to operators why.
    ///
    /// # Cancel safety
    /// Dropping the future harms no other verification.
    pub async fn verify(&self, credential: &[u8]) -> Result<Principal, Denied> {
        match self.check(credential) {
            Verification::Decided(decision) => decision,
            Verification::Pending(pending) => pending.await,
        }
    }

    /// How this node fares, for a readiness endpoint. The store is not asked.
    #[must_use]
    pub fn health(&self) -> Health {
        self.node.health()
    }

    /// Ends the service: takes this node off the register, so that no receipt waits for it, and writes
    /// down the last uses that are still in memory. Call it when the server has stopped accepting
    /// requests.
    ///
    /// Every verification from then on answers that the service is unavailable, also for keys that are
    /// cached: nothing is heard of changes any more.
    pub async fn shutdown(&self) {
        self.tasks.stop(&self.node).await;
    }

    /// What is not in front: in the map behind it, known to be absent, or to be asked for.
    #[cold]
    fn check_behind(&self, format: usize, parsed: &Parsed<'_>, digest: Digest) -> Verification {
        if !parsed.is_intact() {
            return self.check_foreign(parsed.credential());
        }
        let node = &*self.node;
        let key = cache_key(format, parsed, &digest);
        if node.is_absent(&key) {
            return refused(Denied::invalid_token(Reason::Unknown));
        }
        self.check_known(Presented::native(node, format, parsed, key, digest))
    }

    /// What is spelled like no key that is issued here: another system may have issued it.
    #[cold]
    fn check_foreign(&self, credential: &[u8]) -> Verification {
        let node = &*self.node;
        let not_a_key = || refused(Denied::invalid_token(Reason::NotAKey));
        let fits = credential.len() <= MAX_KEY_BYTES && std::str::from_utf8(credential).is_ok();
        if node.foreign.is_empty() || !fits {
            return not_a_key();
        }
        let digest = Digest::sha256(credential);
        let key = CacheKey::Digest(digest);
        if let Some(passed) = self.check_front(&digest, &key) {
            return passed;
        }
        if node.is_absent(&key) {
            return refused(Denied::invalid_token(Reason::Unknown));
        }
        match node.foreign.locate(credential) {
            None => not_a_key(),
            Some(located) => {
                self.check_known(Presented::located(node, credential, digest, located))
            }
        }
    }

    /// What lies in front has passed before, and most often passes again.
    fn check_front(&self, digest: &Digest, key: &CacheKey) -> Option<Verification> {
        let node = &self.node;
        let entry = node.cache.slot(digest)?.load();
        let entry = entry.as_ref().filter(|entry| entry.is_proved_by(digest))?;
        let now = node.coherence.believe(&entry.stamp)?;
        let known = !entry.is_touch_due(now) || node.touch(entry, key, now);
        known.then(|| decided(node.pass(entry, now)))
    }

    fn check_known(&self, presented: Presented) -> Verification {
        let mut presented = presented;
        loop {
            match self.node.known(&presented) {
                None => break,
                Some(Admission::Decided(decision)) => return decided(decision),
                Some(Admission::Apart) => presented = presented.apart(),
            }
        }
        Verification::Pending(PendingVerification::new(self.node.clone(), presented))
    }
}

#[inline]
fn cache_key(format: usize, parsed: &Parsed<'_>, digest: &Digest) -> CacheKey {
    match parsed.public_id() {
        Some(id) => CacheKey::Id(format, id),
        None => CacheKey::Digest(*digest),
    }
}

#[inline]
fn decided(decision: Result<Principal, Denied>) -> Verification {
    match decision {
        Ok(principal) => Verification::Decided(Ok(principal)),
        Err(denied) => refused(denied),
    }
}

fn refused(denied: Denied) -> Verification {
    tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
    Verification::Decided(Err(denied))
}

/// What an entry tells of a credential.
#[derive(Debug)]
enum Admission {
    Decided(Result<Principal, Denied>),
    /// It is kept as another system kept it: the credential has to be compared with it, apart from all
    /// others of the same public id.
    Apart,
}

impl Node {
    /// Whether nothing was there when it was asked for, and that is still believed.
    fn is_absent(&self, key: &CacheKey) -> bool {
        self.cache.absence(key).is_some_and(|(asked, absence)| {
            let now = self.coherence.believe(&absence);
            now.is_some_and(|now| now.since(asked) < TIME_TO_LIVE)
        })
    }

    /// What is known without asking.
    fn known(self: &Arc<Self>, presented: &Presented) -> Option<Admission> {
        if self.is_absent(&presented.key) {
            let denied = Denied::invalid_token(presented.missing);
            return Some(Admission::Decided(Err(denied)));
        }
        let credential = presented.candidates.sha256();
        let entry = self.cache.behind(&presented.key, credential)?;
        let now = self.coherence.believe(&entry.stamp)?;
        Some(self.admit(&entry, presented, now))
    }

    /// Whether this credential is the right one for a believed entry, and whether the key passes.
    fn admit(self: &Arc<Self>, entry: &Entry, presented: &Presented, now: BootTime) -> Admission {
        let credential = presented.candidates.sha256();
        let wrong = || Admission::Decided(Err(Denied::invalid_token(Reason::WrongSecret)));
        match &entry.proof {
            Proof::Sha256(digest) if digest == credential => {}
            Proof::Sha256(_) => return wrong(),
            Proof::Hash(KeyHash::Foreign(_)) => return Admission::Apart,
            Proof::Hash(hash) => match presented.candidates.proves(hash) {
                Some(true) => {
                    let proved = Arc::new(entry.proved_by(*credential));
                    self.cache.insert(presented.key, credential, &proved);
                }
                Some(false) => return wrong(),
                None => {
                    let denied = Denied::unavailable(Reason::PepperNotLive);
                    return Admission::Decided(Err(denied));
                }
            },
        }
        Admission::Decided(self.pass(entry, now))
    }

    /// Tells the map behind the front that an entry is in use. Where the map has dropped it, because
    /// of its age or for want of room, this one request goes to read it again; the others are served
    /// by what lies in front meanwhile.
    #[cold]
    fn touch(&self, entry: &Entry, key: &CacheKey, now: BootTime) -> bool {
        entry.note_touch(now);
        self.cache.holds(key)
    }

    /// The credential is right: whether the key passes now.
    #[inline]
    fn pass(self: &Arc<Self>, entry: &Entry, now: BootTime) -> Result<Principal, Denied> {
        match entry.admit(now, &self.expired) {
            Ok(principal) => {
                // At most once a second and key.
                if self.uses.note(&entry.last_use, now)
                    && let Some(replaced) = &entry.replaced
                {
                    self.used(replaced, now);
                }
                Ok(principal)
            }
            Err(denied) => {
                if let Some(replaced) = &entry.replaced
                    && denied.reason() == Reason::Retired
                {
                    self.used_after(replaced);
                }
                Err(denied)
            }
        }
    }
}

/// A decision, or the way to one.
#[derive(Debug)]
pub enum Verification {
    /// Decided.
    Decided(Result<Principal, Denied>),
    /// The store has to be asked.
    Pending(PendingVerification),
}

/// A verification that asks the store.
///
/// # Cancel safety
/// Dropping it harms no other verification: the look-up goes on for those who joined it.
pub struct PendingVerification(Pin<Box<dyn Future<Output = Result<Principal, Denied>> + Send>>);

impl PendingVerification {
    fn new(node: Arc<Node>, presented: Presented) -> Self {
        Self(Box::pin(async move {
            let decision = load::verify(node, presented).await;
            if let Err(denied) = &decision {
                tracing::debug!(target: "keyward", reason = %denied.reason(), "refused");
            }
            decision
        }))
    }
}

impl Future for PendingVerification {
    type Output = Result<Principal, Denied>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.0.as_mut().poll(cx)
    }
}

impl fmt::Debug for PendingVerification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PendingVerification")
    }
}
