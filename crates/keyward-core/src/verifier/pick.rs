//! Which of the records that were found a credential is of.

use keyward_store::{Candidates, KeyHash, KeySnapshot, MAX_LOOKUP_CANDIDATES};

use super::entry::Proof;
use super::foreign::Foreign;
use super::node::Node;
use super::presented::Presented;
use crate::Reason;

/// The record behind a public id; and what proves it.
///
/// One that the credential does not prove is picked too, so that wrong secrets are refused without
/// asking again; and one that is kept as another system kept it, so that each credential is compared
/// with it apart.
pub(super) fn of_public_id<'a>(
    found: &'a [KeySnapshot],
    candidates: &Candidates,
    foreign: &Foreign,
) -> Result<Option<(&'a KeySnapshot, Proof)>, Reason> {
    let mut fallback = None;
    for snapshot in found {
        let hash = &snapshot.record.hash;
        if let KeyHash::Foreign(text) = hash {
            foreign.scheme(text.scheme()).ok_or_else(unknown_scheme)?;
            fallback = Some((snapshot, Proof::Hash(hash.clone())));
            continue;
        }
        match candidates.proves(hash) {
            Some(true) => return Ok(Some((snapshot, Proof::Sha256(*candidates.sha256())))),
            Some(false) => fallback = Some((snapshot, unproved(hash))),
            None => return Err(pepper_not_live()),
        }
    }
    Ok(fallback)
}

/// The record that the credential proves, whatever it was found by.
pub(super) async fn of_credential<'a>(
    node: &Node,
    presented: &Presented,
    found: &'a [KeySnapshot],
) -> Result<Option<&'a KeySnapshot>, Reason> {
    let credential = presented.candidates.sha256();
    let mut untold: Option<fn() -> Reason> = None;
    let mut slow = Vec::new();
    // What is revoked comes first: should the same key be there twice, it is refused.
    let (revoked, others): (Vec<_>, Vec<_>) = found
        .iter()
        .partition(|snapshot| snapshot.record.revoked_at.is_some());
    for snapshot in revoked.into_iter().chain(others) {
        match &snapshot.record.hash {
            KeyHash::Foreign(hash) => {
                match (node.foreign.scheme(hash.scheme()), &presented.plaintext) {
                    (Some(scheme), Some(_)) if scheme.is_slow(hash.text()) => {
                        // Read again for whatever reason: it need not be computed again.
                        if node.cache.was_compared(credential, hash) {
                            return Ok(Some(snapshot));
                        }
                        slow.push(((scheme.clone(), hash.clone()), snapshot));
                    }
                    (Some(scheme), Some(plaintext)) => {
                        if Foreign::proves(&**scheme, plaintext, hash)? {
                            return Ok(Some(snapshot));
                        }
                    }
                    _ => untold = Some(unknown_scheme),
                }
            }
            hash => match presented.candidates.proves(hash) {
                Some(true) => return Ok(Some(snapshot)),
                Some(false) => {}
                None => untold = Some(pepper_not_live),
            },
        }
    }
    // A store answers with no more; one that did would make us work for nothing.
    slow.truncate(MAX_LOOKUP_CANDIDATES * presented.candidates.lookups().len().max(1));
    if let (Some(plaintext), false) = (&presented.plaintext, slow.is_empty()) {
        let hashes = slow.iter().map(|(slow, _)| slow.clone()).collect();
        let (plaintext, patience) = (plaintext.clone(), node.limits.load);
        let work = node
            .foreign
            .proves_slowly(&node.runtime, plaintext, hashes, patience);
        if let Some(place) = work.await? {
            return Ok(slow.get(place).map(|(_, snapshot)| *snapshot));
        }
    }
    untold.map_or(Ok(None), |untold| Err(untold()))
}

fn unproved(hash: &KeyHash) -> Proof {
    match hash {
        KeyHash::Sha256(digest) => Proof::Sha256(*digest),
        other => Proof::Hash(other.clone()),
    }
}

fn pepper_not_live() -> Reason {
    tracing::error!(target: "keyward", "a key is kept under a pepper that this node lacks");
    Reason::PepperNotLive
}

fn unknown_scheme() -> Reason {
    tracing::error!(target: "keyward", "a key is kept in a foreign scheme that this node lacks");
    Reason::SchemeNotRegistered
}
