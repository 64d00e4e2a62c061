//! What the cache holds of a key, and the one place where facts are judged.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use keyward_store::{
    BootTime, Digest, ForeignHash, KeyHash, KeyRecord, KeySnapshot, Scopes, SubjectState,
};

use super::coherence::{Sent, Stamp};
use super::last_use::LastUse;
use super::late::Replaced;
use crate::{Denied, Principal, Reason};

#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) stamp: Stamp,
    pub(crate) proof: Proof,
    /// What another system kept of the key, if it is kept so still.
    foreign: Option<ForeignHash>,
    standing: Result<(), Bar>,
    expiry: Expiry,
    /// Why it is refused from then on.
    ended: Reason,
    principal: Principal,
    pub(crate) last_use: Arc<LastUse>,
    /// Of a key whose place another has taken.
    pub(crate) replaced: Option<Arc<Replaced>>,
    /// When the map behind the front was last told that this entry is in use.
    touched: AtomicU64,
}

/// What a presented credential is compared with.
#[derive(Debug, Clone)]
pub(crate) enum Proof {
    /// The SHA-256 of the credential that passed, or that would pass.
    Sha256(Digest),
    /// No credential has passed yet, so only the stored hash is known.
    Hash(KeyHash),
}

/// Often enough for the map to know what is in use, and seldom enough to cost nothing.
const TOUCH_INTERVAL: Duration = Duration::from_secs(10);

/// Why a key is refused whatever the time.
#[derive(Debug, Clone, Copy)]
enum Bar {
    Bad(Reason),
    NotEntitled,
}

impl Entry {
    pub(crate) fn new(
        snapshot: &KeySnapshot,
        proof: Proof,
        stamp: Stamp,
        sent: Sent,
        store_now: SystemTime,
        expired: &ExpiredFloor,
    ) -> Self {
        let KeySnapshot {
            record,
            tenant,
            owner,
            ..
        } = snapshot;
        Self {
            stamp,
            proof,
            foreign: match &record.hash {
                KeyHash::Foreign(hash) => Some(hash.clone()),
                _ => None,
            },
            standing: judge(record, tenant, owner),
            expiry: Expiry::new(record.ends_at(), sent, store_now, expired),
            ended: end_of(record),
            principal: Principal::new(
                record,
                [owner, tenant],
                effective(&record.scopes, tenant, owner),
            ),
            last_use: Arc::new(LastUse::new(record.id.clone(), sent.at, store_now)),
            replaced: Replaced::new(record, sent, store_now),
            touched: AtomicU64::new(sent.at.as_nanos()),
        }
    }

    /// Whether this is the credential that passed, or would pass.
    #[inline]
    pub(crate) fn is_proved_by(&self, credential: &Digest) -> bool {
        matches!(&self.proof, Proof::Sha256(digest) if digest == credential)
    }

    /// Whether this is the credential that was found to be behind `hash`. However old the other facts
    /// are, that one stays true.
    pub(crate) fn was_compared(&self, credential: &Digest, hash: &ForeignHash) -> bool {
        self.is_proved_by(credential) && self.foreign.as_ref() == Some(hash)
    }

    /// Whether the map behind the front should be told that this entry is in use.
    #[inline]
    pub(crate) fn is_touch_due(&self, now: BootTime) -> bool {
        let touched = BootTime::from_nanos(self.touched.load(Ordering::Relaxed));
        now.since(touched) >= TOUCH_INTERVAL
    }

    pub(crate) fn note_touch(&self, now: BootTime) {
        self.touched.store(now.as_nanos(), Ordering::Relaxed);
    }

    /// The same facts, proved by another credential.
    pub(crate) fn proved_by(&self, credential: Digest) -> Self {
        Self {
            stamp: self.stamp,
            proof: Proof::Sha256(credential),
            foreign: self.foreign.clone(),
            standing: self.standing,
            expiry: self.expiry,
            ended: self.ended,
            principal: self.principal.clone(),
            last_use: self.last_use.clone(),
            replaced: self.replaced.clone(),
            touched: AtomicU64::new(self.touched.load(Ordering::Relaxed)),
        }
    }

    /// Whether the holder of this key may pass at `now`, the right credential given.
    #[inline]
    pub(crate) fn admit(&self, now: BootTime, expired: &ExpiredFloor) -> Result<Principal, Denied> {
        if self.standing.is_ok() && now < self.expiry.at {
            return Ok(self.principal.at(now));
        }
        Err(self.refuse(now, expired))
    }

    #[cold]
    fn refuse(&self, now: BootTime, expired: &ExpiredFloor) -> Denied {
        if now >= self.expiry.at {
            expired.saw(self.expiry.stored);
        }
        match self.standing {
            Err(Bar::Bad(reason)) => Denied::invalid_token(reason),
            Err(Bar::NotEntitled) if now < self.expiry.at => Denied::not_entitled(),
            _ => Denied::invalid_token(self.ended),
        }
    }
}

/// What ends the key by itself: its expiry, or the key that has taken its place.
fn end_of(record: &KeyRecord) -> Reason {
    if record.ends_at() == record.expires_at {
        Reason::Expired
    } else {
        Reason::Retired
    }
}

/// Revoked, replaced, suspended and unentitled, in the order in which they are told.
fn judge(record: &KeyRecord, tenant: &SubjectState, owner: &SubjectState) -> Result<(), Bar> {
    if record.revoked_at.is_some() {
        Err(Bar::Bad(Reason::Revoked))
    } else if record
        .successor
        .as_ref()
        .is_some_and(|successor| successor.until <= successor.since)
    {
        // Without an overlap, no clock has a say.
        Err(Bar::Bad(Reason::Retired))
    } else if record.suspended_at.is_some() {
        Err(Bar::Bad(Reason::Suspended))
    } else if tenant.suspended {
        Err(Bar::Bad(Reason::TenantSuspended))
    } else if owner.suspended {
        Err(Bar::Bad(Reason::OwnerSuspended))
    } else if !tenant.entitled || !owner.entitled {
        Err(Bar::NotEntitled)
    } else {
        Ok(())
    }
}

/// What a request may do: what key, owner and tenant all may.
fn effective(scopes: &Scopes, tenant: &SubjectState, owner: &SubjectState) -> Scopes {
    let ceilings = [&tenant.ceiling, &owner.ceiling];
    let present = ceilings.into_iter().flatten();
    present.fold(scopes.clone(), |scopes, ceiling| {
        scopes.intersection(ceiling)
    })
}

/// The instant from which a key is refused, on the clock that cannot be set.
#[derive(Debug, Clone, Copy)]
struct Expiry {
    at: BootTime,
    stored: Option<SystemTime>,
}

impl Expiry {
    /// The store's clock decides: its time was read after the question was sent, so what is left of
    /// the key's life, counted from then, is never too long.
    fn new(
        stored: Option<SystemTime>,
        sent: Sent,
        store_now: SystemTime,
        expired: &ExpiredFloor,
    ) -> Self {
        let at = match stored {
            None => BootTime::NEVER,
            Some(stored) if expired.holds(stored) => BootTime::ZERO,
            Some(stored) => match stored.duration_since(store_now) {
                Ok(left) => sent.at.after(left),
                Err(_) => BootTime::ZERO,
            },
        };
        Self { at, stored }
    }
}

/// The latest expiry that this node has refused a key for.
///
/// A store's clock that is set back does not bring such a key back to life here.
#[derive(Debug, Default)]
pub(crate) struct ExpiredFloor(AtomicU64);

impl ExpiredFloor {
    fn saw(&self, expired: Option<SystemTime>) {
        if let Some(expired) = expired {
            self.0.fetch_max(nanos(expired), Ordering::SeqCst);
        }
    }

    fn holds(&self, expiry: SystemTime) -> bool {
        let floor = self.0.load(Ordering::SeqCst);
        floor > 0 && nanos(expiry) <= floor
    }
}

/// Nanoseconds since 1970, to the year 2554; earlier is 1 and later is the end.
fn nanos(time: SystemTime) -> u64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX).max(1)
}
