//! What must hold whatever the model says: it is read from the store alone.

use std::collections::{BTreeMap, HashMap};

use keyward_core::Action;
use keyward_store::{KeyId, KeyRecord, KeyStore, Records, Scope, Scopes, Subject};

use super::cast::{MANAGE, NEEDED, Setting, Who, owner, part};
use super::places;
use super::world::{allow, ends, is_retired};

pub(super) type Keys = BTreeMap<KeyId, KeyRecord>;

/// What someone has, as the store says at this moment.
pub(super) struct Holder {
    who: Who,
    /// `None` where nobody can tell any more.
    tenant: Option<String>,
    fences: Vec<Scopes>,
    by: Option<KeyRecord>,
    is_powerless: bool,
}

impl Holder {
    /// `None` for the operator, who may do anything.
    pub(super) async fn of<S: Records + KeyStore>(
        who: &Who,
        setting: &Setting,
        keys: &Keys,
        store: &S,
    ) -> Option<Self> {
        let (tenant, whose, mut fences, by): (String, _, Vec<Scopes>, _) = match who {
            Who::Operator(_) => return None,
            Who::User {
                tenant,
                owner: id,
                role,
                bound,
            } => {
                let grants = role.and_then(part).map(|part| part.grants);
                let grants = grants.unwrap_or_default().iter().cloned().collect();
                let bound = bound.as_ref().map(|bound| bound.iter().cloned().collect());
                let fences = std::iter::once(grants).chain(bound).collect();
                ((*tenant).to_owned(), Some(owner(id)), fences, None)
            }
            Who::Key(id) | Who::Late(id, _) if !keys.contains_key(id) => {
                return Some(Self::nobody(who));
            }
            Who::Key(id) | Who::Late(id, _) => {
                let key = &keys[id];
                let fences = vec![key.scopes.clone()];
                let tenant = key.tenant.as_str().to_owned();
                (tenant, key.owner.clone(), fences, Some(key.clone()))
            }
        };
        let subjects = std::iter::once(Subject::Tenant(tenant.as_str().into()));
        for subject in subjects.chain(whose.map(Subject::Owner)) {
            fences.extend(store.standing(&subject).await.unwrap().ceiling);
        }
        let is_powerless = match who {
            // It may have managed others when it came, and change them without giving them anything.
            Who::Late(..) => setting.keys_manage.is_none(),
            Who::Key(_) => setting.keys_manage.is_none() || !allow(&fences, &MANAGE),
            Who::User { role, .. } => {
                let may = role.and_then(part).map(|part| part.may).unwrap_or_default();
                may.iter().all(|(action, _)| *action == Action::See)
            }
            Who::Operator(_) => false,
        };
        Some(Self {
            who: who.clone(),
            tenant: Some(tenant),
            fences,
            by,
            is_powerless,
        })
    }

    /// Someone whose key is deleted.
    fn nobody(who: &Who) -> Self {
        Self {
            who: who.clone(),
            tenant: None,
            fences: vec![Scopes::none()],
            by: None,
            is_powerless: false,
        }
    }

    /// What about a change is more than they have, or none of theirs.
    pub(super) fn exceeds(&self, before: &Keys, after: &Keys) -> Result<(), String> {
        let changed = after
            .iter()
            .filter(|(id, key)| before.get(*id) != Some(*key));
        for (id, key) in changed {
            self.exceeds_by(before.get(id), key)
                .map_err(|what| format!("{:?} has made {id} {what}", self.who))?;
        }
        if before.keys().any(|id| !after.contains_key(id)) {
            return Err(format!("{:?} has deleted keys", self.who));
        }
        Ok(())
    }

    fn exceeds_by(&self, was: Option<&KeyRecord>, is: &KeyRecord) -> Result<(), String> {
        if self.is_powerless {
            return Err("and may nothing".to_owned());
        }
        let is_elsewhere = |tenant: &String| is.tenant.as_str() != tenant;
        if self.tenant.as_ref().is_some_and(is_elsewhere)
            || was.is_some_and(|was| was.tenant != is.tenant)
        {
            return Err("in another tenant".to_owned());
        }
        let had = |scope: &Scope| was.is_some_and(|was| was.scopes.allows(scope));
        let mut grants = NEEDED.into_iter().filter(|scope| is.scopes.allows(scope));
        if let Some(scope) = grants.find(|scope| !allow(&self.fences, scope) && !had(scope)) {
            return Err(format!("allow {scope}"));
        }
        let Some(by) = &self.by else { return Ok(()) };
        if was.is_none() && (by.revoked_at.is_some() || is_retired(by, is.created_at)) {
            return Err("after its own end".to_owned());
        }
        let outlives = ends(by).is_some_and(|last| is.expires_at.is_none_or(|end| end > last));
        if outlives && was.is_none_or(|was| was.expires_at != is.expires_at) {
            return Err("outlive it".to_owned());
        }
        let is_kept = |limit| is.limits.iter().any(|ours| ours.is_within(limit));
        let is_loose = !by.limits.iter().all(is_kept);
        if is_loose && was.is_none_or(|was| was.limits != is.limits) {
            return Err("faster than it".to_owned());
        }
        let [ours, theirs] = [is, by].map(|key| places::bound(&key.networks));
        if !places::is_within(&ours, &theirs) && was.is_none_or(|was| was.networks != is.networks) {
            return Err("good from where it is not".to_owned());
        }
        Ok(())
    }
}

/// Of one key and all that came of it by rotation, at most two are good.
pub(super) fn at_most_two(accepted: &[KeyId], keys: &Keys) -> Result<(), String> {
    let mut lines: HashMap<&KeyId, u32> = HashMap::new();
    for id in accepted {
        let line = keys[id].lineage.as_ref().unwrap_or(id);
        let good = lines.entry(line).or_default();
        *good += 1;
        if *good > 2 {
            return Err(format!("three keys that came of {line} are good"));
        }
    }
    Ok(())
}
