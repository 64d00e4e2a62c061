//! What is tried next.

use std::time::{Duration, SystemTime};

use keyward_store::{AuditQuery, KeyFilter, KeyId, Statuses, Subject};

use super::super::service::FORMATS;
use super::cast::{
    ENVIRONMENTS, MANAGE, OPERATORS, OWNERS, ROLES, SCOPES, TAGS, TENANTS, Who, owner, subjects,
};
use super::change::some_limits;
use super::dice::Dice;
use super::operation::{End, Halves, Operation, Run, Turn, Wanted};
use super::world::{World, allow};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
/// Soon over, and waited for.
const BLINK: Duration = Duration::from_millis(12);
/// Beyond what any calendar can spell.
const AEON: Duration = Duration::from_secs(400_000 * 366 * 24 * 3600);

impl World {
    pub(super) fn choose(&self, dice: &mut Dice, at: SystemTime) -> Operation {
        if dice.one_in(10)
            && let Some(late) = self.something_late(dice, at)
        {
            return late;
        }
        let kind = dice.below(100);
        let key = match kind {
            33..41 | 54..60 => self.any_of_a_pair(dice),
            41..54 if dice.one_in(3) => self.any_of_a_pair(dice),
            64..69 => self.any_suspended(dice),
            _ => None,
        };
        let key = key.unwrap_or_else(|| self.any_key(dice));
        let tenant = self.keys.get(&key).map(|key| key.tenant.clone());
        let tenant = TENANTS
            .into_iter()
            .find(|id| tenant.as_ref().is_some_and(|is| is == *id));
        let tenant = if dice.one_in(8) { None } else { tenant };
        let whose = self.keys.get(&key).and_then(|key| key.owner.clone());
        let who = self.someone(dice, tenant, whose.as_ref(), at);
        match kind {
            0..20 => {
                let who = self.someone(dice, None, None, at);
                let wanted = self.wanted(dice, &who, at);
                Operation::Issue(who, wanted)
            }
            20..33 => Operation::Rotate(who, key, overlap(dice)),
            33..41 => Operation::Undo(who, key),
            41..54 => {
                let edit = self.edit(dice, &who, &key, at);
                Operation::Update(who, key, edit)
            }
            54..60 => {
                let halves = dice.any(&[Halves::Both, Halves::Only]);
                Operation::Revoke(who, key, halves)
            }
            60..64 => Operation::Suspend(who, key),
            64..69 => Operation::Resume(who, key),
            69..72 => {
                let mut filter = self.filter(dice, at);
                // Not too much at once.
                if dice.one_in(2) {
                    filter = filter.tag(dice.any(&TAGS)).owner(owner(dice.any(&OWNERS)));
                }
                Operation::RevokeAll(who, filter, Run::Real)
            }
            72..74 => Operation::RevokeAll(who, self.filter(dice, at), Run::Dry),
            74..76 => {
                let who = if dice.one_in(3) {
                    who
                } else {
                    Who::Operator(dice.any(&OPERATORS))
                };
                Operation::Purge(who, dice.any(&[Duration::ZERO, HOUR]))
            }
            76..89 => self.standing_turn(dice),
            89..91 => Operation::Get(who, key),
            91..94 => Operation::List(who, self.filter(dice, at), dice.any(&[1, 3, 100])),
            94..96 => Operation::Count(who, self.filter(dice, at)),
            _ => {
                let query = self.audit_query(dice, &key);
                Operation::Audit(who, query)
            }
        }
    }

    /// A key: mostly a good one, sometimes one that was deleted, or never was.
    fn any_key(&self, dice: &mut Dice) -> KeyId {
        let open = self.in_order().filter(|key| {
            let is_over = key
                .successor
                .as_ref()
                .is_some_and(|by| by.until <= by.since);
            key.revoked_at.is_none() && !is_over
        });
        let open: Vec<_> = open.map(|key| key.id.clone()).collect();
        let all: Vec<_> = self.in_order().map(|key| key.id.clone()).collect();
        let low = self.in_order().filter(|key| self.fences(key).len() > 1);
        let low: Vec<_> = low.map(|key| key.id.clone()).collect();
        let from = match dice.below(20) {
            4..8 if !low.is_empty() => low,
            0 if dice.one_in(2) => return KeyId::generate(),
            1 if dice.one_in(2) => self.order.clone(),
            2..4 => all,
            _ => open,
        };
        if from.is_empty() {
            return KeyId::from(7);
        }
        dice.any(&from)
    }

    /// One half of a rotation whose overlap may last.
    fn any_of_a_pair(&self, dice: &mut Dice) -> Option<KeyId> {
        let pairs = self.in_order().filter(|key| {
            let lasts = |by: &keyward_store::Successor| by.until > by.since;
            key.successor.as_ref().is_some_and(lasts)
        });
        let halves = pairs.flat_map(|old| {
            let new = old.successor.as_ref().map(|by| by.key.clone());
            [Some(old.id.clone()), new].into_iter().flatten()
        });
        let halves: Vec<_> = halves.collect();
        (!halves.is_empty() && !dice.one_in(5)).then(|| dice.any(&halves))
    }

    fn any_suspended(&self, dice: &mut Dice) -> Option<KeyId> {
        let keys = self.in_order();
        let keys = keys.filter(|key| key.suspended_at.is_some() && key.revoked_at.is_none());
        let keys: Vec<_> = keys.map(|key| key.id.clone()).collect();
        (!keys.is_empty() && !dice.one_in(5)).then(|| dice.any(&keys))
    }

    pub(super) fn wanted(&self, dice: &mut Dice, who: &Who, at: SystemTime) -> Wanted {
        let is_operator = matches!(who, Who::Operator(_));
        let mut tenant = dice.one_in(9).then(|| dice.any(&TENANTS));
        if is_operator && !dice.one_in(30) {
            tenant = Some(dice.any(&TENANTS));
        }
        let person = self.person(who, at);
        let own = person.as_ref().and_then(|person| person.owner.as_ref());
        let own = OWNERS.into_iter().find(|id| own == Some(&owner(id)));
        let bound = person.map(|person| person.now);
        let theirs = SCOPES.into_iter();
        let theirs = theirs.filter(|scope| bound.as_ref().is_none_or(|now| allow(now, scope)));
        let theirs: Vec<_> = theirs.collect();
        let theirs_manage = theirs.contains(&MANAGE);
        let scopes = match dice.below(6) {
            0 => None,
            1 => Some(dice.some(&SCOPES, 4)),
            2 => Some(theirs),
            _ if theirs.is_empty() => Some(Vec::new()),
            _ => Some(dice.some(&theirs, 4)),
        };
        // There are to be some that manage others.
        let scopes = match scopes {
            Some(mut scopes) if theirs_manage && dice.one_in(2) => {
                scopes.push(MANAGE);
                Some(scopes)
            }
            scopes => scopes,
        };
        let any_role = dice.any(&ROLES);
        Wanted {
            name: if dice.one_in(40) { " " } else { "ci" },
            prefix: dice.one_in(2).then(|| dice.any(&FORMATS)),
            tenant,
            owner: match dice.below(6) {
                0 => Some(dice.any(&OWNERS)),
                1..3 if is_operator => Some(dice.any(&OWNERS)),
                // Who has keys of their own only by saying so mostly does.
                1..5 if !self.setting.owned => own,
                _ => None,
            },
            environment: dice.one_in(2).then(|| dice.any(&ENVIRONMENTS)),
            tags: dice.some(&TAGS, 2),
            scopes,
            limits: some_limits(dice),
            networks: self.some_networks(dice, who, at),
            role: dice
                .one_in(2)
                .then(|| dice.any(&["admin", "admin", any_role])),
            created_by: dice.one_in(4).then_some("import"),
            end: self.end(dice, who, at),
            token: dice.one_in(2).then_some("again"),
        }
    }

    pub(super) fn end(&self, dice: &mut Dice, who: &Who, at: SystemTime) -> Option<End> {
        let hours = u32::try_from(1 + dice.below(48)).unwrap();
        let theirs = self
            .person(who, at)
            .and_then(|person| person.by)
            .and_then(|by| by.ends);
        match dice.below(14) {
            0..5 => None,
            5 => Some(End::In(BLINK)),
            6 if dice.one_in(3) => Some(End::At(at - HOUR)),
            7 | 8 => theirs.map(End::At),
            9 => Some(End::At(super::world::after(at, HOUR * hours))),
            _ => Some(End::In(HOUR * hours)),
        }
    }

    fn filter(&self, dice: &mut Dice, at: SystemTime) -> KeyFilter {
        let mut filter = dice.any(&[KeyFilter::listed(), KeyFilter::all(), KeyFilter::usable()]);
        if dice.one_in(6) {
            let statuses: Vec<_> = Statuses::ALL.iter().collect();
            filter.statuses = dice.some(&statuses, 3).into_iter().collect();
        }
        if dice.one_in(3) {
            filter = filter.tenant(dice.any(&TENANTS));
        }
        if dice.one_in(3) {
            filter = filter.owner(owner(dice.any(&OWNERS)));
        }
        if dice.one_in(5) {
            filter = filter.environment(dice.any(&ENVIRONMENTS));
        }
        if dice.one_in(5) {
            filter = filter.prefix(dice.any(&FORMATS));
        }
        if dice.one_in(4) {
            filter = filter.tag(dice.any(&TAGS));
        }
        let ages: Vec<_> = self.in_order().map(|key| key.created_at).collect();
        if dice.one_in(6) && !ages.is_empty() {
            filter = filter.created_before(dice.any(&ages));
        }
        if dice.one_in(6) {
            filter = filter.ends_before(at + HOUR * 12);
        }
        filter
    }

    fn standing_turn(&self, dice: &mut Dice) -> Operation {
        let subject = dice.any(&subjects());
        let by = dice.any(&OPERATORS);
        // What was turned is mostly turned back before long: nothing happens to those who may nothing.
        let is_low: Vec<Subject> = subjects()
            .into_iter()
            .filter(|subject| {
                let standing = self.standing(subject);
                standing.suspended || !standing.entitled || standing.ceiling.is_some()
            })
            .collect();
        if is_low.len() > 1 || (!is_low.is_empty() && dice.one_in(2)) {
            let subject = dice.any(&is_low);
            let standing = self.standing(&subject);
            let turn = if standing.suspended {
                Turn::Suspended(false)
            } else if !standing.entitled {
                Turn::Entitled(true)
            } else if standing.role.is_some() {
                Turn::Role(None)
            } else {
                Turn::Ceiling(None)
            };
            return Operation::Standing(subject, by, turn);
        }
        let turn = match dice.below(10) {
            0..2 => Turn::Suspended(!dice.one_in(6)),
            2..4 => Turn::Entitled(dice.one_in(6)),
            4..7 => Turn::Ceiling((!dice.one_in(5)).then(|| dice.some(&SCOPES, 5))),
            _ => Turn::Role((!dice.one_in(6)).then(|| dice.any(&ROLES))),
        };
        Operation::Standing(subject, by, turn)
    }

    fn audit_query(&self, dice: &mut Dice, key: &KeyId) -> AuditQuery {
        let mut query = AuditQuery::default().limit(dice.any(&[1, 7, 1_000]));
        if dice.one_in(3) {
            query.key = Some(key.clone());
        }
        if dice.one_in(3) {
            query.tenant = Some(dice.any(&TENANTS).into());
        }
        if dice.one_in(3) {
            query.owner = Some(owner(dice.any(&OWNERS)));
        }
        if dice.one_in(2) {
            query = query.newest_first();
        }
        if dice.one_in(3) {
            query.after = self.log.last().map(|last| last.position / 2);
        }
        query
    }
}

fn overlap(dice: &mut Dice) -> Duration {
    match dice.below(12) {
        0..3 => Duration::ZERO,
        3 => BLINK,
        4 if dice.one_in(2) => AEON,
        hours => HOUR * u32::try_from(hours).unwrap(),
    }
}
