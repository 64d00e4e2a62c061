//! What each operation must answer: why not, if there is a reason.

use std::time::{Duration, SystemTime};

use keyward_core::{Action, Invalid, Refusal, ScopeRule};
use keyward_store::{KeyFilter, KeyId, KeyRecord, KeyStatus, Subject, TenantId};

use super::cast::{Setting, part};
use super::effects::name_of;
use super::operation::{Edit, End, Operation, Turn, Wanted};
use super::people::Person;
use super::places;
use super::world::{No, World, after, has_expired, is_retired, stands};

impl World {
    /// Every reason for which an operation cannot be at a moment, any of which may be told; none if it
    /// must succeed. What must not be known of is the only reason where it is one.
    pub(super) fn why_not(&self, operation: &Operation, at: SystemTime) -> Vec<No> {
        let person = operation.who().and_then(|who| self.person(who, at));
        let person = person.as_ref();
        match operation {
            Operation::Issue(_, wanted) => {
                let name = name_of(operation, person);
                self.why_not_issue(person, name.as_deref(), wanted, at)
            }
            Operation::Get(..) if person.is_some_and(Person::is_idle_key) => {
                vec![No::Refused(Refusal::ByKey)]
            }
            Operation::Get(..) => Vec::new(),
            Operation::List(_, filter, _) | Operation::Count(_, filter) => {
                self.why_not_filter(person, Action::See, filter)
            }
            Operation::Update(_, id, edit) => {
                self.known(person, id, |key| self.why_not_update(person, key, edit, at))
            }
            Operation::Rotate(_, id, overlap) => self.known(person, id, |key| {
                self.why_not_rotate(person, key, *overlap, at)
            }),
            Operation::Undo(_, id) => {
                self.known(person, id, |key| self.why_not_undo(person, key, at))
            }
            Operation::Revoke(_, id, _) => self.known(person, id, |key| {
                self.why_not_to_one(person, Action::Revoke, key)
            }),
            Operation::Suspend(_, id) | Operation::Resume(_, id) => self.known(person, id, |key| {
                let mut why = self.why_not_to_one(person, Action::Suspend, key);
                if key.revoked_at.is_some() || is_retired(key, at) {
                    why.push(No::Is(stands(key, at)));
                }
                why
            }),
            Operation::RevokeAll(_, filter, _) => {
                let mut why = self.why_not_filter(person, Action::Revoke, filter);
                if !says_whose(filter) {
                    why.push(No::Invalid(Invalid::Filter));
                }
                why
            }
            Operation::Purge(..) if person.is_some() => vec![No::Refused(Refusal::Role)],
            Operation::Purge(..) => Vec::new(),
            Operation::Standing(_, _, Turn::Role(Some(role))) if part(role).is_none() => {
                vec![No::UnknownRole]
            }
            Operation::Standing(..) => Vec::new(),
            Operation::Audit(_, query) => person.map_or_else(Vec::new, |person| {
                let (tenant, owner) = (query.tenant.as_ref(), query.owner.as_ref());
                self.why_not_all(person, Action::See, tenant, owner)
            }),
        }
    }

    /// Why something cannot be done to the key of that name: first that it is not there, to whoever
    /// asks, or that it is none of theirs to know.
    fn known(
        &self,
        person: Option<&Person>,
        id: &KeyId,
        why_not: impl FnOnce(&KeyRecord) -> Vec<No>,
    ) -> Vec<No> {
        if person.is_some_and(Person::is_idle_key) {
            return vec![No::Refused(Refusal::ByKey)];
        }
        let Some(key) = self.keys.get(id) else {
            return vec![No::NotFound];
        };
        let seen = self.why_not_to_one(person, Action::See, key);
        if seen.is_empty() { why_not(key) } else { seen }
    }

    fn why_not_to_one(&self, person: Option<&Person>, action: Action, key: &KeyRecord) -> Vec<No> {
        person.map_or_else(Vec::new, |person| self.why_not_to(person, action, key))
    }

    fn why_not_filter(
        &self,
        person: Option<&Person>,
        action: Action,
        filter: &KeyFilter,
    ) -> Vec<No> {
        person.map_or_else(Vec::new, |person| {
            let (tenant, owner) = (filter.tenant.as_ref(), filter.owner.as_ref());
            self.why_not_all(person, action, tenant, owner)
        })
    }

    fn why_not_issue(
        &self,
        person: Option<&Person>,
        name: Option<&str>,
        wanted: &Wanted,
        at: SystemTime,
    ) -> Vec<No> {
        let mut why = why_not_named(wanted.name);
        why.extend(why_not_end(wanted.end, at));
        if person.is_none() && wanted.tenant.is_none() {
            why.push(No::Invalid(Invalid::Tenant));
            return why;
        }
        let key = self.drawn(person, wanted, at);
        why.extend(why_not_from(&key));
        if let Some(person) = person {
            why.extend(person.why_not_at_all());
            if person.is_idle_key() {
                why.push(No::Refused(Refusal::ByKey));
            } else if person.reach(Action::Issue) == keyward_core::Reach::Nobody {
                why.push(No::Refused(Refusal::Role));
            } else if !person.reaches(Action::Issue, &key) {
                why.push(No::Refused(Refusal::Owner));
            }
            if key.tenant != person.tenant {
                why.push(No::Refused(Refusal::Tenant));
            }
            why.extend(self.why_not_give(person, None, &key));
        }
        if !why.is_empty() {
            return why;
        }
        // Only of what may be is told that it has been, or that there are too many.
        if let Some(token) = wanted.token {
            let maker = name.or(key.created_by.as_deref()).map(str::to_owned);
            let token = (key.tenant.clone(), maker, token.to_owned());
            if let Some(key) = self.tokens.get(&token) {
                return vec![No::Replayed(key.clone())];
            }
        }
        if key.owner.is_some() && self.usable(&key.tenant, &key, at) >= Setting::KEYS_PER_OWNER {
            why.push(No::Cap(Setting::KEYS_PER_OWNER));
        }
        let of_tenant = self
            .keys
            .values()
            .filter(|other| other.tenant == key.tenant);
        if count(of_tenant.filter(|other| is_usable(other, at))) >= Setting::KEYS_PER_TENANT {
            why.push(No::Cap(Setting::KEYS_PER_TENANT));
        }
        why
    }

    /// How many usable keys the owner of a key has in its tenant.
    fn usable(&self, tenant: &TenantId, key: &KeyRecord, at: SystemTime) -> u64 {
        let same = |other: &&KeyRecord| other.tenant == *tenant && other.owner == key.owner;
        let keys = self.keys.values().filter(same);
        count(keys.filter(|key| is_usable(key, at)))
    }

    fn why_not_update(
        &self,
        person: Option<&Person>,
        key: &KeyRecord,
        edit: &Edit,
        at: SystemTime,
    ) -> Vec<No> {
        let mut why = self.why_not_to_one(person, Action::Update, key);
        if key.revoked_at.is_some() || is_retired(key, at) || has_expired(key, at) {
            why.push(No::Is(stands(key, at)));
        }
        why.extend(edit.name.map(why_not_named).unwrap_or_default());
        why.extend(why_not_end(edit.end.flatten(), at));
        let after = edited(key, edit, at);
        why.extend(why_not_from(&after));
        if let Some(person) = person {
            why.extend(self.why_not_give(person, Some(key), &after));
            let widened = after.scopes.iter();
            let widened = widened.filter(|scope| !key.scopes.allows(scope)).count() > 0;
            let is_fixed = self.setting.rule == ScopeRule::Fixed && after.scopes != key.scopes;
            if widened
                || is_fixed
                || after.expires_at != key.expires_at
                || after.limits != key.limits
                || after.networks != key.networks
            {
                why.extend(person.why_not_at_all());
            }
        }
        why
    }

    fn why_not_rotate(
        &self,
        person: Option<&Person>,
        key: &KeyRecord,
        overlap: Duration,
        at: SystemTime,
    ) -> Vec<No> {
        let mut why = self.why_not_to_one(person, Action::Rotate, key);
        if let Some(person) = person {
            why.extend(person.why_not_at_all());
            why.extend(person.why_not_hold(None, key));
        }
        match (stands(key, at), &key.successor) {
            (KeyStatus::Active, _) => {}
            (KeyStatus::Retiring | KeyStatus::Retired, Some(by)) => {
                why.push(No::Replaced(by.key.clone()));
            }
            (status, _) => why.push(No::Is(status)),
        }
        if overlap > TOO_LONG {
            why.push(No::Invalid(Invalid::ExpiryTooFar));
        }
        why
    }

    fn why_not_undo(&self, person: Option<&Person>, named: &KeyRecord, at: SystemTime) -> Vec<No> {
        let mut why = self.why_not_to_one(person, Action::Rotate, named);
        let pair = self.pair(named);
        if let Some(person) = person {
            why.extend(person.why_not_at_all());
            if let Some((old, _)) = pair {
                why.extend(person.why_not_hold(None, old));
            }
        }
        let is_open = pair.is_some_and(|(old, new)| {
            let is_revoked = old.revoked_at.is_some() || new.revoked_at.is_some();
            !is_retired(old, at) && !is_revoked && new.successor.is_none()
        });
        if !is_open {
            why.push(No::NothingToUndo);
        }
        why
    }

    /// The rotation that a key is part of: the one that replaced it, or else the one that made it.
    pub(super) fn pair<'a>(
        &'a self,
        named: &'a KeyRecord,
    ) -> Option<(&'a KeyRecord, &'a KeyRecord)> {
        if let Some(by) = &named.successor {
            return Some((named, self.keys.get(&by.key)?));
        }
        let old = self.keys.get(named.rotated_from.as_ref()?)?;
        let is_of_it = old.successor.as_ref().is_some_and(|by| by.key == named.id);
        is_of_it.then_some((old, named))
    }

    /// The standing that an operation is about.
    pub(super) fn turned(&self, subject: &Subject, turn: &Turn) -> keyward_store::SubjectState {
        let mut state = self.standing(subject);
        let before = state.clone();
        match turn {
            Turn::Suspended(suspended) => state.suspended = *suspended,
            Turn::Entitled(entitled) => state.entitled = *entitled,
            Turn::Ceiling(ceiling) => {
                state.ceiling = ceiling.as_deref().map(super::operation::scopes);
            }
            Turn::Role(role) => {
                state.role = role.map(str::to_owned);
                let grants = role.and_then(part).map(|part| part.grants);
                state.ceiling = grants.map(super::operation::scopes);
            }
        }
        if state != before {
            state.revision += 1;
        }
        state
    }
}

/// A key after an edit, at the revision of before.
pub(super) fn edited(key: &KeyRecord, edit: &Edit, at: SystemTime) -> KeyRecord {
    let mut key = key.clone();
    if let Some(name) = edit.name {
        name.clone_into(&mut key.name);
    }
    if let Some(description) = edit.description {
        key.description = description.map(str::to_owned);
    }
    if let Some(tags) = &edit.tags {
        key.tags = sorted(tags.iter().map(|tag| (*tag).to_owned()));
    }
    if let Some(number) = edit.metadata {
        let metadata = number.map(super::operation::metadata);
        key.metadata = metadata.map(|metadata| metadata.to_string());
    }
    if let Some(limits) = &edit.limits {
        key.limits = sorted(limits.iter().copied());
    }
    if let Some(networks) = &edit.networks {
        key.networks = places::kept(networks.iter().copied());
    }
    if let Some(wanted) = &edit.scopes {
        key.scopes = super::operation::scopes(wanted);
    }
    if let Some(end) = edit.end {
        key.expires_at = end.map(|end| instant(end, at));
        if let (Some(by), Some(end)) = (&mut key.successor, key.expires_at) {
            by.until = by.until.min(end);
        }
    }
    key
}

pub(super) fn sorted<T: Ord>(list: impl Iterator<Item = T>) -> Vec<T> {
    let mut list: Vec<_> = list.collect();
    list.sort();
    list.dedup();
    list
}

pub(super) fn instant(end: End, at: SystemTime) -> SystemTime {
    match end {
        End::At(at) => at,
        End::In(time) => after(at, time),
    }
}

/// Far beyond the year 9999.
pub(super) const TOO_LONG: Duration = Duration::from_secs(9_000 * 366 * 24 * 3600);

fn why_not_named(name: &str) -> Vec<No> {
    // The other one turns the direction of writing.
    if name.trim().is_empty() || name.contains('\u{202e}') {
        vec![No::Invalid(Invalid::Name)]
    } else {
        Vec::new()
    }
}

fn why_not_end(end: Option<End>, at: SystemTime) -> Vec<No> {
    match end.map(|end| instant(end, at)) {
        Some(end) if end <= at => vec![No::Invalid(Invalid::ExpiryInPast)],
        _ => Vec::new(),
    }
}

fn why_not_from(key: &KeyRecord) -> Vec<No> {
    if key.networks.len() > 64 {
        vec![No::Invalid(Invalid::Networks)]
    } else {
        Vec::new()
    }
}

fn says_whose(filter: &KeyFilter) -> bool {
    filter.tenant.is_some()
        || filter.owner.is_some()
        || filter.environment.is_some()
        || filter.tag.is_some()
        || filter.prefix.is_some()
        || filter.lookup.is_some()
        || filter.kept.is_some()
        || filter.created_before.is_some()
        || filter.ends_before.is_some()
        || filter.over_before.is_some()
        || filter.used_since.is_some()
        || filter.idle_since.is_some()
}

/// Whether a key counts towards a cap.
fn is_usable(key: &KeyRecord, at: SystemTime) -> bool {
    matches!(stands(key, at), KeyStatus::Active | KeyStatus::Suspended)
}

fn count<'a>(keys: impl Iterator<Item = &'a KeyRecord>) -> u64 {
    u64::try_from(keys.count()).unwrap()
}
