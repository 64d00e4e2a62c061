//! Rule 2: asking the store about one credential.

use std::sync::Arc;

use keyward_store::{
    AuditAction, Candidates, Change, Expectation, KeyHash, KeyRecord, Loaded, ReadFrom, Selector,
    Write,
};
use tokio::time::timeout;

use super::cache::CacheKey;
use super::caught::caught;
use super::coherence::{Bound, Sent, Stamp};
use super::entry::{Entry, Proof};
use super::flights::{Answer, Landing, Pilot};
use super::node::Node;
use super::presented::Presented;
use super::{Admission, pick};
use crate::lifecycle::history;
use crate::{Denied, Principal, Reason};

/// Decides about a credential that the cache could not.
pub(crate) async fn verify(node: Arc<Node>, presented: Presented) -> Result<Principal, Denied> {
    let mut presented = presented;
    loop {
        match ask_twice(&node, &presented).await? {
            Admission::Decided(decision) => return decision,
            Admission::Apart => presented = presented.apart(),
        }
        if let Some(Admission::Decided(decision)) = node.known(&presented) {
            return decision;
        }
    }
}

async fn ask_twice(node: &Arc<Node>, presented: &Presented) -> Result<Admission, Denied> {
    let mut not_before = 0;
    for from in [ReadFrom::Any, ReadFrom::Primary] {
        let answer = fly(node, presented, not_before, from)
            .await
            .map_err(Denied::unavailable)?;
        let stamp = match &answer {
            Answer::Found(entry) => &entry.stamp,
            Answer::Absent(stamp) => stamp,
        };
        // The same judgement for the one who asked, for those who joined, and for every later hit.
        if let Some(now) = node.coherence.believe(stamp) {
            return Ok(match answer {
                Answer::Found(entry) => node.admit(&entry, presented, now),
                Answer::Absent(_) => {
                    Admission::Decided(Err(Denied::invalid_token(presented.missing)))
                }
            });
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
    if presented.plaintext.is_none() {
        return passenger.landing().await;
    }
    // Slow hashes may take longer than anyone waits. They are computed to their end: whoever asks again
    // joins this flight, or finds what it left in the cache.
    let landing = timeout(node.limits.load, passenger.landing()).await;
    landing.unwrap_or(Err(Reason::LoadTimedOut))
}

async fn load(node: Arc<Node>, presented: Presented, pilot: Pilot, from: ReadFrom) {
    pilot.land(ask(&node, &presented, from).await);
}

/// Asks by each selector in turn, until one finds the record.
async fn ask(node: &Arc<Node>, presented: &Presented, from: ReadFrom) -> Landing {
    let mut absence: Option<(Sent, Stamp)> = None;
    for selector in presented.selectors() {
        let (sent, loaded) = in_time(node, look_up(node, selector, from)).await?;
        match conclude(node, presented, sent, &loaded).await? {
            Answer::Found(entry) => return Ok(Answer::Found(entry)),
            // That nothing is there is as old as the oldest of the answers.
            Answer::Absent(stamp) => {
                absence = Some(match absence {
                    None => (sent, stamp),
                    Some((first, older)) => (first, older.weaker(stamp)),
                });
            }
        }
    }
    let (sent, stamp) = absence.ok_or(Reason::Unknown)?;
    node.cache.insert_absence(presented.key, sent.at, stamp);
    Ok(Answer::Absent(stamp))
}

async fn in_time<T>(
    node: &Node,
    question: impl Future<Output = Result<T, Reason>>,
) -> Result<T, Reason> {
    let limit = node.limits.load;
    match timeout(limit, question).await {
        Ok(answer) => answer,
        Err(_elapsed) => {
            tracing::warn!(target: "keyward", ?limit, "a look-up took too long");
            Err(Reason::LoadTimedOut)
        }
    }
}

async fn look_up(
    node: &Node,
    selector: &Selector,
    from: ReadFrom,
) -> Result<(Sent, Loaded), Reason> {
    contact(node).await?;
    // Given back before anything is computed: slow hashes of one key keep no other from being read.
    let _permit = node
        .flights
        .permits
        .acquire()
        .await
        .map_err(|_| Reason::Overloaded)?;
    let sent = node.coherence.send();
    match caught(async { node.store.load(selector, from).await }).await {
        Ok(Ok(loaded)) => Ok((sent, loaded)),
        Ok(Err(error)) => {
            let error: &dyn std::error::Error = &error;
            tracing::warn!(target: "keyward", error, "a look-up failed");
            Err(Reason::StoreFailed)
        }
        Err(_panicked) => Err(Reason::LoadPanicked),
    }
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

/// Makes an answer of what was loaded, and leaves a record in the cache. Nothing has been judged of it
/// yet: whether it is believed is asked by each of its readers.
async fn conclude(node: &Arc<Node>, presented: &Presented, sent: Sent, loaded: &Loaded) -> Landing {
    let stamp = |bound| {
        let stamp = node.coherence.stamp(sent, loaded, bound);
        stamp.ok_or(Reason::StoreFailed)
    };
    let candidates = &presented.candidates;
    let picked = match presented.key {
        CacheKey::Id(..) => pick::of_public_id(&loaded.found, candidates, &node.foreign)?,
        CacheKey::Digest(digest) => {
            let proved = pick::of_credential(node, presented, &loaded.found).await?;
            proved.map(|snapshot| (snapshot, Proof::Sha256(digest)))
        }
    };
    let Some((snapshot, proof)) = picked else {
        return Ok(Answer::Absent(stamp(presented.absence())?));
    };
    let record = &snapshot.record;
    let stamp = stamp(Bound::record(
        &record.id,
        record.owner.as_ref(),
        &record.tenant,
    ))?;
    let entry = Entry::new(snapshot, proof, stamp, sent, loaded.now, &node.expired);
    let entry = Arc::new(entry);
    let credential = candidates.sha256();
    node.cache.insert(presented.key, credential, &entry);
    let alone = matches!(presented.key, CacheKey::Digest(_));
    if alone || candidates.proves(&record.hash) == Some(true) {
        rehash(node, record, candidates);
    }
    Ok(Answer::Found(entry))
}

/// Moves a key whose credential has just passed to the hash that a new key would get.
///
/// The whole record is written, but only if it still is what was read: a revocation in between is
/// never undone.
fn rehash(node: &Arc<Node>, record: &KeyRecord, candidates: &Candidates) {
    let moves = match &record.hash {
        KeyHash::Foreign(_) => node.foreign.upgrade,
        hash => node.peppers.supersede(hash),
    };
    if !moves || record.revoked_at.is_some() || node.records.is_none() {
        return;
    }
    let present = match candidates.macs().first() {
        Some((pepper, mac)) => KeyHash::HmacSha256 {
            pepper: pepper.clone(),
            mac: *mac,
        },
        None => KeyHash::Sha256(*candidates.sha256()),
    };
    let at = node.now();
    let change = rehashed(record, present, at);
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
    // It is found by the hash itself from now on.
    record.lookup = None;
    record.revision += 1;
    let write = Write::Replace {
        record,
        refound: true,
    };
    Change::new(at).expect(expected).write(write).audit(audit)
}
