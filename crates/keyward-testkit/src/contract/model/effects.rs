//! What the world is after each operation that succeeds.

use std::time::SystemTime;

use keyward_core::{Action, Reach, ScopeRule};
use keyward_store::{
    AuditAction, AuditEntry, AuditOrder, AuditQuery, Digest, KeyFilter, KeyHash, KeyId, KeyRecord,
    KeySnapshot, Subject, Successor,
};

use super::super::service::FORMATS;
use super::cast::{Who, owner};
use super::decide::{edited, instant, sorted};
use super::operation::{End, Halves, Operation, Run, Turn, Wanted, scopes};
use super::people::Person;
use super::places;
use super::world::{Line, World, after, is_retired, stands, was_over, within};

/// What whoever did it is given.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Given {
    Nothing,
    Key(Box<KeyRecord>),
    Number(u64),
    /// Keys in the order of a list, and what stands around them.
    Keys(Vec<KeySnapshot>),
    Lines(Vec<AuditEntry>),
}

impl World {
    /// Does what an operation does at a moment, and gives what it gives. What nobody can foretell of a
    /// new key, its name and how it is kept, is taken from the one that was `made`.
    pub(super) fn done(
        &mut self,
        operation: &Operation,
        at: SystemTime,
        made: Option<&KeyRecord>,
    ) -> Given {
        let person = operation.who().and_then(|who| self.person(who, at));
        let person = person.as_ref();
        let name = name_of(operation, person);
        let name = name.as_deref();
        match operation {
            Operation::Issue(who, wanted) => {
                let mut key = self.drawn(person, wanted, at);
                if let Who::Operator(name) = who {
                    key.created_by = key.created_by.or(name.map(str::to_owned));
                }
                take_facts(&mut key, made);
                let name = name.or(key.created_by.as_deref());
                self.lines
                    .push(Line::about(AuditAction::Issued, name, &key));
                if let Some(token) = wanted.token {
                    let maker = name.map(str::to_owned);
                    let token = (key.tenant.clone(), maker, token.to_owned());
                    self.tokens.insert(token, key.id.clone());
                }
                self.put(key.clone());
                Given::Key(Box::new(key))
            }
            Operation::Get(_, id) => {
                let found = self.keys.get(id);
                let seen = found.filter(|key| match person {
                    None => true,
                    Some(person) => self.why_not_to(person, Action::See, key).is_empty(),
                });
                Given::Keys(seen.map(|key| self.snapshot(key)).into_iter().collect())
            }
            Operation::List(_, filter, _) => {
                let keys = self.of(person, Action::See, filter, at);
                Given::Keys(keys.iter().map(|key| self.snapshot(key)).collect())
            }
            Operation::Count(_, filter) => number(self.of(person, Action::See, filter, at).len()),
            Operation::Update(_, id, edit) => {
                let key = self.keys[id].clone();
                let after = edited(&key, edit, at);
                if after == key {
                    return Given::Key(Box::new(key));
                }
                self.change(name, AuditAction::Updated, id, |key| *key = after)
            }
            Operation::Rotate(_, id, overlap) => {
                self.rotate(name, id, after(at, *overlap), at, made)
            }
            Operation::Undo(_, id) => {
                let (old, new) = self.pair(&self.keys[id]).unwrap();
                let (old, new) = (old.id.clone(), new.id.clone());
                self.change(name, AuditAction::Revoked, &new, |key| {
                    key.revoked_at = Some(at)
                });
                let undone = AuditAction::RotationUndone;
                self.change(name, undone, &old, |key| key.successor = None)
            }
            Operation::Revoke(_, id, halves) => {
                for id in self.halves(id, *halves, at) {
                    self.change(name, AuditAction::Revoked, &id, |key| {
                        key.revoked_at = Some(at)
                    });
                }
                Given::Nothing
            }
            Operation::Suspend(_, id) => {
                if self.keys[id].suspended_at.is_none() {
                    let suspended = AuditAction::Suspended;
                    self.change(name, suspended, id, |key| key.suspended_at = Some(at));
                }
                Given::Nothing
            }
            Operation::Resume(_, id) => {
                if self.keys[id].suspended_at.is_some() {
                    self.change(name, AuditAction::Resumed, id, |key| {
                        key.suspended_at = None
                    });
                }
                Given::Nothing
            }
            Operation::RevokeAll(_, filter, run) => {
                let mut keys = self.of(person, Action::Revoke, filter, at);
                keys.retain(|key| !stands(key, at).is_final());
                for key in &keys {
                    if *run == Run::Real {
                        let revoked = AuditAction::Revoked;
                        self.change(name, revoked, &key.id, |key| key.revoked_at = Some(at));
                    }
                }
                number(keys.len())
            }
            Operation::Purge(_, retention) => {
                let before = at - *retention;
                let over = self.keys.values().filter(|key| was_over(key, before));
                let over: Vec<_> = over.cloned().collect();
                for key in &over {
                    self.keys.remove(&key.id);
                    self.lines.push(Line::about(AuditAction::Purged, name, key));
                }
                number(over.len())
            }
            Operation::Standing(subject, _, turn) => self.turn(name, subject, turn),
            Operation::Audit(_, query) => Given::Lines(self.read(person, query)),
        }
    }

    /// The key that someone would get, as if everything were allowed, with nothing of a credential.
    pub(super) fn drawn(
        &self,
        person: Option<&Person>,
        wanted: &Wanted,
        at: SystemTime,
    ) -> KeyRecord {
        let tenant = wanted.tenant.map(Into::into);
        let tenant = tenant
            .or(person.map(|person| person.tenant.clone()))
            .unwrap();
        let nothing = KeyHash::Sha256(Digest::sha256(b""));
        let mut key = KeyRecord::new(KeyId::from(0), tenant, nothing);
        wanted.name.clone_into(&mut key.name);
        wanted
            .prefix
            .unwrap_or(FORMATS[0])
            .clone_into(&mut key.prefix);
        key.owner = wanted.owner.map(owner);
        key.environment = wanted.environment.map(str::to_owned);
        key.tags = sorted(wanted.tags.iter().map(|tag| (*tag).to_owned()));
        key.scopes = wanted.scopes.as_deref().map(scopes).unwrap_or_default();
        key.role = wanted.role.map(str::to_owned);
        key.created_at = at;
        key.created_by = wanted.created_by.map(str::to_owned);
        let mut limits = wanted.limits.clone();
        let mut networks = wanted.networks.clone();
        let mut end = wanted.end;
        if let Some(person) = person {
            if key.owner.is_none() && self.setting.owned {
                key.owner.clone_from(&person.owner);
            }
            if wanted.scopes.is_none() && self.setting.rule != ScopeRule::Chosen {
                key.scopes = within(&person.now);
            }
            key.role.clone_from(&person.role);
            key.created_by = Some(person.name.clone());
            if let Some(by) = &person.by {
                limits = limits.or_else(|| Some(by.limits.clone()));
                networks = networks.or_else(|| by.networks.clone());
                end = end.or(by.ends.map(End::At));
            }
        }
        key.limits = sorted(limits.unwrap_or_default().into_iter());
        key.networks = places::kept(networks.unwrap_or_default().into_iter());
        key.expires_at = end.map(|end| instant(end, at));
        key
    }

    fn rotate(
        &mut self,
        name: Option<&str>,
        id: &KeyId,
        until: SystemTime,
        at: SystemTime,
        made: Option<&KeyRecord>,
    ) -> Given {
        let old = self.keys[id].clone();
        let mut new = old.clone();
        take_facts(&mut new, made);
        new.created_at = at;
        new.created_by = name.map(str::to_owned).or(new.created_by);
        new.rotated_from = Some(old.id.clone());
        new.lineage = old.lineage.clone().or(Some(old.id.clone()));
        new.revision = 1;
        let successor = Successor {
            key: new.id.clone(),
            since: at,
            until: old.expires_at.map_or(until, |end| end.min(until)),
        };
        // Of one line no third is good.
        let before = old.rotated_from.as_ref().and_then(|id| self.keys.get(id));
        let before = before.filter(|before| {
            let is_of_it = before.successor.as_ref().is_some_and(|by| by.key == old.id);
            is_of_it && !is_retired(before, at) && before.revoked_at.is_none()
        });
        if let Some(before) = before.map(|before| before.id.clone()) {
            self.change(name, AuditAction::Updated, &before, |before| {
                before.successor = before.successor.take().map(|mut by| {
                    by.until = by.since;
                    by
                });
            });
        }
        self.change(name, AuditAction::Rotated, id, |old| {
            old.successor = Some(successor)
        });
        self.lines
            .push(Line::about(AuditAction::Issued, name, &new));
        self.put(new.clone());
        Given::Key(Box::new(new))
    }

    /// Which keys end when that one is revoked: of a rotation whose overlap lasts both; and with a new
    /// key the one whose place it took, for good.
    fn halves(&self, id: &KeyId, halves: Halves, at: SystemTime) -> Vec<KeyId> {
        let named = &self.keys[id];
        if named.revoked_at.is_some() {
            return Vec::new();
        }
        let new = named.successor.as_ref().filter(|_| !is_retired(named, at));
        let new = new.and_then(|by| self.keys.get(&by.key));
        let old = named.rotated_from.as_ref().and_then(|id| self.keys.get(id));
        let old = old.filter(|old| old.successor.as_ref().is_some_and(|by| by.key == named.id));
        let other = new.or(old).filter(|other| other.revoked_at.is_none());
        let other = other.filter(|_| halves == Halves::Both);
        std::iter::once(named)
            .chain(other)
            .map(|key| key.id.clone())
            .collect()
    }

    fn turn(&mut self, name: Option<&str>, subject: &Subject, turn: &Turn) -> Given {
        let state = self.turned(subject, turn);
        if state != self.standing(subject) {
            let (tenant, owner) = match subject {
                Subject::Tenant(tenant) => (Some(tenant.clone()), None),
                Subject::Owner(owner) => (None, Some(owner.clone())),
                _ => (None, None),
            };
            self.lines.push(Line {
                action: AuditAction::SubjectChanged,
                actor: name.map(str::to_owned),
                key: None,
                tenant,
                owner,
                subject: Some(subject.clone()),
                refusal: None,
            });
            self.standings.insert(subject.clone(), state);
        }
        Given::Nothing
    }

    /// One change of one key, which counts, and of which the log tells.
    fn change(
        &mut self,
        name: Option<&str>,
        action: AuditAction,
        id: &KeyId,
        change: impl FnOnce(&mut KeyRecord),
    ) -> Given {
        let key = self.keys.get_mut(id).unwrap();
        change(key);
        key.revision += 1;
        self.lines.push(Line::about(action, name, key));
        Given::Key(Box::new(key.clone()))
    }

    /// The keys that a filter lets through, of those with which someone may do that.
    fn of(
        &self,
        person: Option<&Person>,
        action: Action,
        filter: &KeyFilter,
        at: SystemTime,
    ) -> Vec<KeyRecord> {
        let mut keys = self.admitted(filter, at);
        if let Some(person) = person {
            keys.retain(|key| key.tenant == person.tenant && person.reaches(action, key));
        }
        keys
    }

    /// The lines of the log that someone may see.
    fn read(&self, person: Option<&Person>, query: &AuditQuery) -> Vec<AuditEntry> {
        let is_theirs = |entry: &&AuditEntry| {
            let line = &entry.record;
            person.is_none_or(|person| {
                let own = person.owner.is_some() && line.owner == person.owner;
                let sees_all = person.reach(Action::See) == Reach::Tenant;
                line.tenant.as_ref() == Some(&person.tenant) && (sees_all || own)
            })
        };
        let is_meant = |entry: &&AuditEntry| {
            let line = &entry.record;
            (query.tenant.is_none() || query.tenant == line.tenant)
                && (query.owner.is_none() || query.owner == line.owner)
                && (query.key.is_none() || query.key == line.key)
        };
        let lines = self.log.iter().filter(is_theirs).filter(is_meant);
        let (after, limit) = (query.after, query.limit);
        match query.order {
            AuditOrder::OldestFirst => {
                let lines = lines.filter(|entry| after.is_none_or(|after| entry.position > after));
                lines.take(limit).cloned().collect()
            }
            _ => {
                let lines = lines.filter(|entry| after.is_none_or(|after| entry.position < after));
                lines.rev().take(limit).cloned().collect()
            }
        }
    }
}

/// How the audit log knows who does it.
pub(super) fn name_of(operation: &Operation, person: Option<&Person>) -> Option<String> {
    let name = match (operation, operation.who()) {
        (Operation::Standing(_, by, _), _) => *by,
        (_, Some(Who::Operator(name))) => *name,
        _ => return person.map(|person| person.name.clone()),
    };
    name.map(str::to_owned)
}

fn take_facts(key: &mut KeyRecord, made: Option<&KeyRecord>) {
    let made = made.unwrap();
    key.id = made.id.clone();
    key.public_id = made.public_id;
    key.hint.clone_from(&made.hint);
    key.hash = made.hash.clone();
}

fn number(of: usize) -> Given {
    Given::Number(u64::try_from(of).unwrap())
}
