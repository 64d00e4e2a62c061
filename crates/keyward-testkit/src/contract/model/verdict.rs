//! What every credential should be answered, on a node.

use std::collections::{BTreeMap, HashSet};
use std::time::SystemTime;

use keyward_core::{Denied, DeniedKind, Principal, Reason};
use keyward_store::{KeyId, KeyRecord, KeyStore, Plaintext, Records};

use super::super::service::Node;
use super::world::{World, within};

/// The credentials of all keys that ever were, and those that were over once.
#[derive(Default)]
pub(super) struct Secrets {
    pub(super) of: BTreeMap<KeyId, Plaintext>,
    over: HashSet<KeyId>,
    /// How often all have been presented.
    rounds: usize,
}

impl Secrets {
    /// Which keys a node accepts; what it says to each must be what the model says. Those that were over
    /// once are presented every eighth time.
    pub(super) async fn accepted<S: Records + KeyStore>(
        &mut self,
        world: &World,
        node: &Node<S>,
    ) -> Result<Vec<KeyId>, String> {
        let mut accepted = Vec::new();
        let at = SystemTime::now();
        self.rounds += 1;
        for (id, secret) in &self.of {
            if self.over.contains(id) && !self.rounds.is_multiple_of(8) {
                continue;
            }
            let verdict = node.verify(secret).await;
            let key = world.keys.get(id);
            let differs = |what| format!("{id} is {what}, not as it is {key:?}");
            match (verdict, key) {
                (Ok(principal), Some(key)) => {
                    if !world.bars(key, at).is_empty() {
                        return Err(differs("accepted".to_owned()));
                    }
                    world.is_like(&principal, key).map_err(differs)?;
                    accepted.push(id.clone());
                }
                (Ok(_), None) => return Err(differs("accepted and deleted".to_owned())),
                (Err(denied), _) => {
                    let bars = key.map(|key| world.bars(key, at));
                    if !is_due(&denied, bars.as_deref()) {
                        return Err(differs(format!("refused as {:?}", denied.reason())));
                    }
                    if is_for_good(denied.reason()) {
                        self.over.insert(id.clone());
                    }
                }
            }
        }
        match accepted.iter().find(|id| self.over.contains(*id)) {
            Some(id) => Err(format!("{id} has come back to life")),
            None => Ok(accepted),
        }
    }
}

impl World {
    /// What of a principal is not what the key and the standings around it make of it.
    fn is_like(&self, is: &Principal, key: &KeyRecord) -> Result<(), String> {
        let role = self.role(key);
        let scopes = within(&self.fences(key));
        let same = [
            (is.key_id() == &key.id, "another key"),
            (is.tenant() == key.tenant.as_str(), "of another tenant"),
            (is.owner() == key.owner.as_ref(), "of another owner"),
            (is.name() == key.name, "called otherwise"),
            (is.environment() == key.environment.as_deref(), "elsewhere"),
            (is.role() == role.as_deref(), "of another role"),
            (is.scopes() == &scopes, "of other scopes"),
            (is.limits() == key.limits, "of other limits"),
            (is.networks() == key.networks, "of other networks"),
            (
                is.limited_as() == key.lineage.as_ref().unwrap_or(&key.id),
                "limited as another",
            ),
            (is.expires_at() == key.expires_at, "of another expiry"),
            (
                is.successor() == key.successor.as_ref(),
                "replaced by another",
            ),
        ];
        match same.into_iter().find(|(is, _)| !is) {
            Some((_, what)) => Err(format!("{what}: {is:?}, {role:?}")),
            None => Ok(()),
        }
    }
}

/// Whether a refusal is for a reason that there is.
fn is_due(denied: &Denied, bars: Option<&[Reason]>) -> bool {
    let reason = denied.reason();
    let Some(bars) = bars else {
        return reason == Reason::Unknown;
    };
    let kind = match reason {
        Reason::NotEntitled => DeniedKind::NotEntitled,
        _ => DeniedKind::InvalidToken,
    };
    bars.contains(&reason) && denied.kind() == kind
}

/// Whether whoever was refused so may never be accepted again.
const fn is_for_good(reason: Reason) -> bool {
    matches!(reason, Reason::Revoked | Reason::Retired | Reason::Expired)
}
