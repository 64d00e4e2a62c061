//! How keys are changed next, and what those do who came by them earlier.

use std::time::SystemTime;

use ipnet::IpNet;
use keyward_store::{KeyId, KeyRecord, Limit, Scope};

use super::cast::{MANAGE, OPERATORS, SCOPES, TAGS, Who, limits};
use super::choose::HOUR;
use super::dice::Dice;
use super::operation::{Edit, End, Operation, Wanted};
use super::places::{self, networks, too_many};
use super::world::{Past, World, after, allow, within};

impl World {
    /// A change of the key by which somebody came earlier; or what they give when it has changed.
    pub(super) fn something_late(&self, dice: &mut Dice, at: SystemTime) -> Option<Operation> {
        let is_over = dice.one_in(4);
        let is_of_use = |past: &Past| {
            let present = self.keys.get(&past.key.id);
            let is_good = present.is_some_and(|key| self.bars(key, at).is_empty());
            is_good != is_over && allow(&past.fences, &MANAGE)
        };
        let places = (0..self.past.len()).filter(|place| is_of_use(&self.past[*place]));
        let places: Vec<_> = places.collect();
        if places.is_empty() {
            return None;
        }
        let place = dice.any(&places);
        let past = &self.past[place].key;
        if let Some(key) = self.keys.get(&past.id).filter(|_| !is_over)
            && bounds(key) == bounds(past)
        {
            let who = Who::Operator(dice.any(&OPERATORS));
            return Some(Operation::Update(who, key.id.clone(), bounding(dice, key)));
        }
        let who = Who::Late(past.id.clone(), place);
        let mut wanted = self.wanted(dice, &who, at);
        // As it was, or as nothing is said.
        wanted.scopes = Some(past.scopes.iter().cloned().collect());
        wanted.limits = dice.one_in(2).then(|| past.limits.clone());
        wanted.networks = dice.one_in(2).then(|| past.networks.clone());
        wanted.end = past.expires_at.filter(|_| dice.one_in(2)).map(End::At);
        if dice.one_in(3) {
            wanted.scopes = Some(vec![MANAGE]);
        }
        let (tenant, owner) = (None, None);
        Some(Operation::Issue(
            who,
            Wanted {
                tenant,
                owner,
                ..wanted
            },
        ))
    }

    /// What somebody would make of a key.
    pub(super) fn edit(&self, dice: &mut Dice, who: &Who, key: &KeyId, at: SystemTime) -> Edit {
        let mut edit = Edit::default();
        // Whoever may give nothing at present is refused for one reason, if there is but one.
        let person = self.person(who, at);
        let is_barred = person.is_some_and(|person| !person.why_not_at_all().is_empty());
        let fields = if is_barred { 1 } else { 1 + dice.below(3) };
        for _field in 0..fields {
            match dice.below(14) {
                10 | 11 => {
                    edit.networks = Some(self.some_networks(dice, who, at).unwrap_or_default());
                }
                9 => {
                    let person = self.person(who, at);
                    let theirs = person.map(|person| within(&person.now));
                    edit.scopes = theirs.map(|theirs| theirs.iter().cloned().collect());
                }
                0 => edit.name = Some(dice.any(&["ci", "renamed", "renamed", "\u{202e}ic"])),
                1 => edit.description = Some(dice.any(&[None, Some("for the shop")])),
                2 => edit.tags = Some(dice.some(&TAGS, 3)),
                3 => edit.metadata = Some(dice.any(&[None, Some(1), Some(2)])),
                4 | 12 => {
                    let early = self.keys.get(key).and_then(|key| in_overlap(key, at));
                    let early = early.filter(|_| dice.one_in(2));
                    edit.end = Some(early.or_else(|| self.end(dice, who, at)));
                }
                5 | 13 => edit.limits = Some(some_limits(dice).unwrap_or_default()),
                6 => edit.scopes = Some(dice.some(&SCOPES, 4)),
                // Narrowed, or what it is with one more.
                more => {
                    let Some(key) = self.keys.get(key) else {
                        continue;
                    };
                    let mut scopes: Vec<Scope> = key.scopes.iter().cloned().collect();
                    if more == 7 {
                        scopes.push(dice.any(&SCOPES));
                    } else {
                        scopes.retain(|_| dice.one_in(2));
                    }
                    edit.scopes = Some(scopes);
                }
            }
        }
        edit
    }

    /// Where a key shall be used from: mostly from within where they may come from themselves.
    pub(super) fn some_networks(
        &self,
        dice: &mut Dice,
        who: &Who,
        at: SystemTime,
    ) -> Option<Vec<IpNet>> {
        let theirs = self.person(who, at).and_then(|person| person.by);
        let theirs = theirs.and_then(|by| by.networks);
        match (dice.below(8), theirs) {
            (0..4, _) => None,
            (4, _) if dice.one_in(6) => Some(too_many()),
            (5, _) => Some(dice.any(&[places::halves(), places::whole()])),
            (6..8, Some(theirs)) if places::halves().iter().all(|half| theirs.contains(half)) => {
                Some(places::whole())
            }
            (6..8, Some(theirs)) if !theirs.is_empty() => Some(vec![dice.any(&theirs)]),
            _ => Some(dice.some(&networks(), 3)),
        }
    }
}

/// What of a key bounds those that it makes.
fn bounds(key: &KeyRecord) -> impl PartialEq {
    let limits = key.limits.clone();
    (
        key.scopes.clone(),
        key.expires_at,
        limits,
        key.networks.clone(),
    )
}

/// A change of what bounds others.
fn bounding(dice: &mut Dice, key: &KeyRecord) -> Edit {
    let mut edit = Edit::default();
    match dice.below(4) {
        0 => edit.limits = Some(some_limits(dice).unwrap_or_default()),
        1 => edit.networks = Some(dice.some(&networks(), 3)),
        2 => {
            let hours = u32::try_from(1 + dice.below(48)).unwrap();
            edit.end = Some((!dice.one_in(3)).then_some(End::In(HOUR * hours)));
        }
        _ => {
            let kept = key.scopes.iter().cloned();
            let kept = kept.filter(|scope| *scope == MANAGE || dice.one_in(2));
            edit.scopes = Some(kept.collect());
        }
    }
    edit
}

/// An end before that of an overlap, if that is far enough to be no matter of luck.
fn in_overlap(key: &KeyRecord, at: SystemTime) -> Option<End> {
    let left = key.successor.as_ref()?.until.duration_since(at).ok()?;
    (left >= HOUR / 2).then(|| End::At(after(at, left / 2)))
}

pub(super) fn some_limits(dice: &mut Dice) -> Option<Vec<Limit>> {
    dice.one_in(2).then(|| dice.some(&limits(), 3))
}
