//! Telling of keys that are still used although others have taken their place.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditAction, AuditRecord, BootTime, Change, CommitError, KeyId, KeyRecord, Owner, TenantId,
    Token, Write,
};

use super::coherence::Sent;
use super::node::Node;

/// What is told of a key that was replaced, when it is used late or after its end.
#[derive(Debug)]
pub(crate) struct Replaced {
    key: KeyId,
    tenant: TenantId,
    owner: Option<Owner>,
    until: SystemTime,
    /// From when on a use is late: the second half of the overlap.
    late_from: BootTime,
    told_late: AtomicBool,
    told_after: AtomicBool,
}

impl Replaced {
    /// `None` for a key that was not replaced.
    pub(crate) fn new(record: &KeyRecord, sent: Sent, store_now: SystemTime) -> Option<Arc<Self>> {
        let successor = record.successor.as_ref()?;
        let overlap = successor.until.duration_since(successor.since);
        let late_from = successor.since + overlap.unwrap_or_default() / 2;
        let left = late_from.duration_since(store_now).unwrap_or_default();
        Some(Arc::new(Self {
            key: record.id.clone(),
            tenant: record.tenant.clone(),
            owner: record.owner.clone(),
            until: successor.until,
            late_from: sent.at.after(left),
            told_late: AtomicBool::new(false),
            told_after: AtomicBool::new(false),
        }))
    }
}

impl Node {
    /// A replaced key was accepted at `now`.
    pub(crate) fn used(self: &Arc<Self>, replaced: &Arc<Replaced>, now: BootTime) {
        if now >= replaced.late_from && !replaced.told_late.swap(true, Ordering::Relaxed) {
            // Once in the life of the key.
            let until = replaced.until + A_DAY;
            self.tell_of_use(replaced, AuditAction::UsedLate, until);
        }
    }

    /// A replaced key was refused because its overlap is over.
    pub(crate) fn used_after(self: &Arc<Self>, replaced: &Arc<Replaced>) {
        if !replaced.told_after.swap(true, Ordering::Relaxed) {
            // Once a day.
            let until = self.now() + A_DAY;
            self.tell_of_use(replaced, AuditAction::UsedWhenRetired, until);
        }
    }

    /// Leaves a line in the audit log, unless this or another node has done so.
    fn tell_of_use(self: &Arc<Self>, replaced: &Replaced, action: AuditAction, until: SystemTime) {
        tracing::warn!(
            target: "keyward", key = %replaced.key, action = action.as_str(),
            "a key was used that has been replaced"
        );
        if self.records.is_none() {
            return;
        }
        let now = self.now();
        let mut line = AuditRecord::new(now, action);
        line.key = Some(replaced.key.clone());
        line.tenant = Some(replaced.tenant.clone());
        line.owner.clone_from(&replaced.owner);
        let text = format!("{} {}", action.as_str(), replaced.key);
        let token = Token::new("keyward use", text, replaced.key.clone(), until);
        let change = Change::new(now).write(Write::Token(token)).audit(line);
        let node = self.clone();
        self.runtime.spawn(async move {
            let Ok(_permit) = node.rehashes.try_acquire() else {
                return;
            };
            match node.commit(change).await {
                Ok(_) | Err(CommitError::TokenUsed(_)) => {}
                Err(error) => {
                    tracing::warn!(target: "keyward", %error, "a late use is not in the audit log");
                }
            }
        });
    }
}

const A_DAY: Duration = Duration::from_secs(24 * 3600);
