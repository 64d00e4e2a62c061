//! What people may do, as the documentation of the policy says it.

use std::time::SystemTime;

use keyward_core::{Action, Reach, Refusal, ScopeRule};
use keyward_store::{KeyId, KeyRecord, KeyStatus, Limit, Owner, Scope, Scopes, Subject, TenantId};

use super::cast::{MANAGE, Who, owner, part};
use super::decide::sorted;
use super::places::{self, Bound};
use super::world::{No, Past, World, allow, ends, stands, within};

/// Someone who is not the operator, at some moment.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) name: String,
    pub(super) tenant: TenantId,
    pub(super) owner: Option<Owner>,
    pub(super) role: Option<String>,
    /// What they may give, all of which must allow it, whatever the present standings.
    own: Vec<Scopes>,
    /// The same with the present standings.
    pub(super) now: Vec<Scopes>,
    /// Why they may give nothing at present.
    bars: Vec<Refusal>,
    pub(super) by: Option<By>,
}

/// The key that someone acts by.
#[derive(Debug)]
pub(super) struct By {
    pub(super) id: KeyId,
    pub(super) ends: Option<SystemTime>,
    pub(super) limits: Vec<Limit>,
    pub(super) networks: Bound,
    /// Whose keys it manages.
    manages: Option<Reach>,
}

impl World {
    /// Who that is now; `None` is the operator.
    pub(super) fn person(&self, who: &Who, at: SystemTime) -> Option<Person> {
        let mut person = match who {
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
                Person {
                    name: owner(id).to_string(),
                    tenant: (*tenant).into(),
                    owner: Some(owner(id)),
                    role: role.map(str::to_owned),
                    own: std::iter::once(grants).chain(bound).collect(),
                    now: Vec::new(),
                    bars: Vec::new(),
                    by: None,
                }
            }
            Who::Key(id) => self.bearer(self.present(id), at),
            Who::Late(_, place) => self.bearer(self.past[*place].clone(), at),
        };
        person.now.extend(person.own.iter().cloned());
        let subjects = person.owner.clone().map(Subject::Owner);
        let tenant = Subject::Tenant(person.tenant.clone());
        for subject in subjects.into_iter().chain([tenant]) {
            let standing = self.standing(&subject);
            person.now.extend(standing.ceiling);
            if standing.suspended {
                person.bars.push(Refusal::Suspended);
            }
            if !standing.entitled {
                person.bars.push(Refusal::NotEntitled);
            }
        }
        Some(person)
    }

    /// The bearer of a key, as it was when they came and is now.
    fn bearer(&self, past: Past, at: SystemTime) -> Person {
        let present = self.keys.get(&past.key.id);
        let is_good = |key: &&KeyRecord| {
            let good = [KeyStatus::Active, KeyStatus::Retiring];
            good.contains(&stands(key, at))
        };
        let mut bars = Vec::new();
        if present.filter(is_good).is_none() {
            bars.push(Refusal::KeyOver);
        }
        if present.is_some_and(|key| !allow(&self.fences(key), &MANAGE)) {
            bars.push(Refusal::ByKey);
        }
        let key = present.unwrap_or(&past.key);
        let manages = self.setting.keys_manage;
        // They give no more than the key may when it came, and no more than it may when it gives.
        let ends = [ends(key), ends(&past.key)].into_iter().flatten().min();
        let limits = key.limits.iter().chain(&past.key.limits).copied();
        let [now, then] = [key, &past.key].map(|key| places::bound(&key.networks));
        Person {
            name: format!("key:{}", key.id),
            tenant: key.tenant.clone(),
            owner: key.owner.clone(),
            role: past.role,
            by: Some(By {
                id: key.id.clone(),
                ends,
                limits: sorted(limits),
                networks: places::both(now, then),
                manages: manages.filter(|_| allow(&past.fences, &MANAGE)),
            }),
            own: past.fences,
            now: vec![key.scopes.clone()],
            bars,
        }
    }

    /// Why they may not do that to a key; nothing if they may.
    pub(super) fn why_not_to(&self, person: &Person, action: Action, key: &KeyRecord) -> Vec<No> {
        if person.is_idle_key() {
            return vec![No::Refused(Refusal::ByKey)];
        }
        let is_theirs = person.tenant == key.tenant;
        if !is_theirs || !person.reaches(Action::See, key) {
            return vec![No::NotFound];
        }
        let mut why = Vec::new();
        if !person.reaches(action, key) {
            why.push(No::Refused(Refusal::Role));
        }
        // Revoked it may be, and replaced: neither lets it do more than it may.
        let is_itself = person.by.as_ref().is_some_and(|by| by.id == key.id);
        if is_itself && matches!(action, Action::Update | Action::Suspend) {
            why.push(No::Refused(Refusal::OwnKey));
        }
        why
    }

    /// Why they may not make a key what it shall be. What it was before it may stay.
    pub(super) fn why_not_give(
        &self,
        person: &Person,
        before: Option<&KeyRecord>,
        after: &KeyRecord,
    ) -> Vec<No> {
        let mut why = person.why_not_hold(before, after);
        let is_new = before.is_none_or(|before| before.scopes != after.scopes);
        if self.setting.rule == ScopeRule::Fixed && is_new && after.scopes != within(&person.now) {
            why.push(No::Refused(Refusal::FixedScopes));
        }
        why
    }

    /// Why they may not list such keys, or read or revoke what is about them; nothing if they may.
    pub(super) fn why_not_all(
        &self,
        person: &Person,
        action: Action,
        tenant: Option<&TenantId>,
        whose: Option<&Owner>,
    ) -> Vec<No> {
        let mut why = Vec::new();
        if tenant.is_some_and(|tenant| *tenant != person.tenant) {
            why.push(Refusal::Tenant);
        }
        match person.reach(action) {
            Reach::Tenant => {}
            Reach::Own if person.owner.is_some() => {
                if whose.is_some() && whose != person.owner.as_ref() {
                    why.push(Refusal::Owner);
                }
            }
            _ if person.by.is_some() => why.push(Refusal::ByKey),
            _ => why.push(Refusal::Role),
        }
        why.into_iter().map(No::Refused).collect()
    }
}

impl Person {
    /// Whether they act by a key that manages none.
    pub(super) fn is_idle_key(&self) -> bool {
        self.by.as_ref().is_some_and(|by| by.manages.is_none())
    }

    /// With whose keys they may do that.
    pub(super) fn reach(&self, action: Action) -> Reach {
        let by_role = self.role.as_deref().map(|role| by_role(role, action));
        let Some(by) = &self.by else {
            return by_role.unwrap_or(Reach::Nobody);
        };
        let Some(by_key) = by.manages else {
            return Reach::Nobody;
        };
        match by_role {
            // No further than the role does.
            Some(role) if role < by_key => role,
            _ => by_key,
        }
    }

    pub(super) fn reaches(&self, action: Action, key: &KeyRecord) -> bool {
        match self.reach(action) {
            Reach::Tenant => true,
            Reach::Own => self.owner.is_some() && self.owner == key.owner,
            _ => false,
        }
    }

    /// Why they may give nothing to anyone at present.
    pub(super) fn why_not_at_all(&self) -> Vec<No> {
        self.bars.iter().cloned().map(No::Refused).collect()
    }

    /// Why a key would be more than they are themselves.
    pub(super) fn why_not_hold(&self, before: Option<&KeyRecord>, after: &KeyRecord) -> Vec<No> {
        let mut why = Vec::new();
        let had = before.map(|before| before.scopes.clone());
        let had = |scope: &Scope| had.clone().is_some_and(|had| allow(&[had], scope));
        let beyond = after.scopes.iter();
        let beyond: Scopes = beyond
            .filter(|scope| !allow(&self.now, scope) && !had(scope))
            .cloned()
            .collect();
        if !beyond.is_empty() {
            why.push(No::Refused(Refusal::Scopes(beyond)));
        }
        let Some(by) = &self.by else { return why };
        if let Some(last) = by.ends
            && after.expires_at.is_none_or(|end| end > last)
            && before.is_none_or(|before| before.expires_at != after.expires_at)
        {
            why.push(No::Refused(Refusal::Expiry));
        }
        let keeps = |theirs: &Limit| {
            let ours = after.limits.iter();
            ours.clone()
                .any(|ours| ours.requests() <= theirs.requests() && ours.per() >= theirs.per())
        };
        if !by.limits.iter().all(keeps) && before.is_none_or(|before| before.limits != after.limits)
        {
            why.push(No::Refused(Refusal::Limits));
        }
        if !places::is_within(&places::bound(&after.networks), &by.networks)
            && before.is_none_or(|before| before.networks != after.networks)
        {
            why.push(No::Refused(Refusal::Networks));
        }
        why
    }
}

/// With whose keys those of a role may do that; whoever may do anything with a key may see it.
fn by_role(role: &str, action: Action) -> Reach {
    let may = part(role).map(|part| part.may).unwrap_or_default();
    let meant = may
        .iter()
        .filter(|(of, _)| action == Action::See || *of == action);
    meant
        .map(|(_, whose)| *whose)
        .max()
        .unwrap_or(Reach::Nobody)
}
