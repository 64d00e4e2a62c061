//! Rule 2: asking the store about one credential.

use std::sync::Arc;

use keyward_store::{
    AuditAction, Candidates, Change, Expectation, KeyHash, KeyRecord, Loaded, ReadFrom, Selector,
    Write,
};
use tokio::time::timeout;

use super::cache::CacheKey;
use super::caught::caught;
use super::coherence::{Bound, Sent};
use super::entry::{Entry, pick};
use super::flights::{Answer, Landing, Pilot};
use super::node::Node;
use crate::lifecycle::history;
use crate::{Denied, Principal, Reason};

/// A credential that is spelled like a key, in every form that it may be kept as. The plaintext is
/// not among them.
#[derive(Debug, Clone)]
pub(crate) struct Presented {
    pub(crate) key: CacheKey,
    pub(crate) candidates: Candidates,
}

impl Presented {
    fn selector(&self, node: &Node) -> Option<Selector> {
        match self.key {
            CacheKey::Id(format, id) => Some(Selector::PublicId {
                prefix: node.formats.get(format)?.shared_prefix(),
                id,
            }),
            CacheKey::Digest(_) => Some(Selector::Credential(self.candidates.clone())),
        }
    }

    fn by_public_id(&self) -> bool {
        matches!(self.key, CacheKey::Id(..))
    }

    /// What bears on the answer that nothing was found.
    fn absence(&self) -> Bound {
        match &self.key {
            CacheKey::Id(_, id) => Bound::public_id(id),
            CacheKey::Digest(_) => Bound::Credentials,
        }
    }
}

/// Decides about a credential that the cache could not.
pub(crate) async fn verify(node: Arc<Node>, presented: Presented) -> Result<Principal, Denied> {
    let mut not_before = 0;
    for from in [ReadFrom::Any, ReadFrom::Primary] {
        let answer = fly(&node, &presented, not_before, from)
            .await
            .map_err(Denied::unavailable)?;
        let stamp = match &answer {
            Answer::Found(entry) => &entry.stamp,
            Answer::Absent(stamp) => stamp,
        };
        // The same judgement for the one who asked, for those who joined, and for every later hit.
        if let Some(now) = node.coherence.believe(stamp) {
            return match answer {
                Answer::Found(entry) => node.admit(&entry, &presented, now),
                Answer::Absent(_) => Err(Denied::invalid_token(Reason::Unknown)),
            };
        }
        not_before = node.flights.next_ticket();
        // There is news that this node has not heard of, another history for instance, or it has not
        // heard for long.
        if from == ReadFrom::Any {
            node.polls.one_try(node.limits.poll / 4).await;
        } else {
            node.polls.wake();
        }
    }
    Err(Denied::unavailable(Reason::Stale))
}

async fn fly(node: &Arc<Node>, presented: &Presented, not_before: u64, from: ReadFrom) -> Landing {
    let (passenger, pilot) = node.flights.board(presented.key, not_before, from)?;
    if let Some(pilot) = pilot {
        // Detached: it lands for those who joined although the one who started it has gone.
        let flight = load(node.clone(), presented.clone(), pilot, from);
        node.runtime.spawn(flight);
    }
    passenger.landing().await
}

async fn load(node: Arc<Node>, presented: Presented, pilot: Pilot, from: ReadFrom) {
    let limit = node.limits.load;
    let landing = match timeout(limit, ask(&node, &presented, from)).await {
        Ok(landing) => landing,
        Err(_elapsed) => {
            tracing::warn!(target: "keyward", ?limit, "a look-up took too long");
            Err(Reason::LoadTimedOut)
        }
    };
    pilot.land(landing);
}

async fn ask(node: &Arc<Node>, presented: &Presented, from: ReadFrom) -> Landing {
    let selector = presented.selector(node).ok_or(Reason::Unknown)?;
    contact(node).await?;
    let _permit = node
        .flights
        .permits
        .acquire()
        .await
        .map_err(|_| Reason::Overloaded)?;
    let sent = node.coherence.send();
    let loaded = match caught(async { node.store.load(&selector, from).await }).await {
        Ok(Ok(loaded)) => loaded,
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(target: "keyward", error, "a look-up failed");
            return Err(Reason::StoreFailed);
        }
        Err(_panicked) => return Err(Reason::LoadPanicked),
    };
    conclude(node, presented, sent, &loaded)
}

/// Waits for a beat when this node has been silent for too long, because it was stopped, suspended or
/// cut off: without contact, no answer is believed.
async fn contact(node: &Node) -> Result<(), Reason> {
    if node.coherence.is_stopped() {
        return Err(Reason::ShutDown);
    }
    if !node.coherence.is_in_contact() {
        node.beats.one_try(node.limits.load).await;
    }
    if node.coherence.is_in_contact() {
        Ok(())
    } else {
        Err(Reason::CutOff)
    }
}

/// Makes an answer of what was loaded, and leaves it in the cache. Nothing has been judged of it
/// yet: whether it is believed is asked by each of its readers.
fn conclude(node: &Arc<Node>, presented: &Presented, sent: Sent, loaded: &Loaded) -> Landing {
    let coherence = &node.coherence;
    let stamp = |bound| {
        let stamp = coherence.stamp(sent, loaded, bound);
        stamp.ok_or(Reason::StoreFailed)
    };
    let picked = pick(
        &loaded.found,
        &presented.candidates,
        presented.by_public_id(),
    );
    let Some((snapshot, proof)) = picked.map_err(|_| {
        tracing::error!(target: "keyward", "a key is kept under a pepper that this node lacks");
        Reason::PepperNotLive
    })?
    else {
        let stamp = stamp(presented.absence())?;
        node.cache.insert_absence(presented.key, sent.at, stamp);
        return Ok(Answer::Absent(stamp));
    };
    let record = &snapshot.record;
    let stamp = stamp(Bound::record(
        &record.id,
        record.owner.as_ref(),
        &record.tenant,
    ))?;
    let entry = Entry::new(snapshot, proof, stamp, sent, loaded.now, &node.expired);
    let entry = Arc::new(entry);
    let credential = presented.candidates.sha256();
    node.cache.insert(presented.key, credential, &entry);
    if presented.candidates.proves(&record.hash) == Some(true) {
        rehash(node, record, &presented.candidates);
    }
    Ok(Answer::Found(entry))
}

/// Moves a key whose credential has just passed to the current pepper.
///
/// The whole record is written, but only if it still is what was read: a revocation in between is
/// never undone.
fn rehash(node: &Arc<Node>, record: &KeyRecord, candidates: &Candidates) {
    let Some((pepper, mac)) = candidates.macs().first() else {
        return;
    };
    let current = KeyHash::HmacSha256 {
        pepper: pepper.clone(),
        mac: *mac,
    };
    let stays = !node.peppers.supersede(&record.hash) || record.revoked_at.is_some();
    if stays || node.records.is_none() {
        return;
    }
    let at = node.now();
    let change = rehashed(record, current, at);
    let node = node.clone();
    let runtime = node.runtime.clone();
    runtime.spawn(async move {
        let Ok(_permit) = node.rehashes.try_acquire() else {
            return;
        };
        if let Err(error) = node.commit(change).await {
            tracing::debug!(target: "keyward", %error, "a key keeps its older hash");
        }
    });
}

fn rehashed(record: &KeyRecord, hash: KeyHash, at: std::time::SystemTime) -> Change {
    let audit = history::about(at, AuditAction::Rehashed, None, record);
    let mut record = record.clone();
    let expected = Expectation::Revision {
        key: record.id.clone(),
        is: record.revision,
    };
    record.hash = hash;
    record.revision += 1;
    let write = Write::Replace {
        record,
        refound: true,
    };
    Change::new(at).expect(expected).write(write).audit(audit)
}
