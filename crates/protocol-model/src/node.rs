//! What the node believes: rule 1, and what an event raises.

use crate::bounds::{Bounds, FoundBy};
use crate::mutation::Mutation;
use crate::protocol::Model;
use crate::store::{Change, Cursor, Facts, Log};

/// A history's count and a number, compared as one; at most fourteen changes each.
pub(crate) type Version = u8;

/// An answer with its stamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Answer {
    pub(crate) version: Version,
    /// How many ticks its own age vouches for it yet.
    pub(crate) until: u8,
    pub(crate) facts: Facts,
}

/// The node's shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    /// How many ticks the lease lasts yet.
    pub(crate) lease: u8,
    /// Counts the times that history changed.
    pub(crate) count: u8,
    /// The store's name for the present history.
    pub(crate) history: u8,
    pub(crate) cursor: Cursor,
    /// The longest time that any answer was believed for by its age.
    pub(crate) longest_trust: u8,
    pub(crate) entries: [Option<Answer>; 2],
    pub(crate) absences: [Option<Answer>; 2],
    floor: Version,
    keys: [Version; 3],
    tenant: Version,
    credentials: Version,
}

impl Node {
    /// As it is after the first poll of `log`, the lease of which has run out.
    pub(crate) fn new(log: &Log, lease: u8) -> Self {
        Self {
            lease: 0,
            count: 1,
            history: log.history,
            cursor: log.end(),
            longest_trust: lease,
            entries: [None; 2],
            absences: [None; 2],
            floor: version(1, log.number),
            keys: [0; 3],
            tenant: 0,
            credentials: 0,
        }
    }

    pub(crate) fn tick(&mut self) {
        self.lease = self.lease.saturating_sub(1);
        let answers = self.entries.iter_mut().chain(&mut self.absences);
        answers.flatten().for_each(Answer::tick);
    }

    /// Rule 1, the time.
    pub(crate) fn is_timely(&self, model: &Model, answer: &Answer) -> bool {
        answer.until > 0 || self.lease > 0 || model.lacks(Mutation::TimeNotChecked)
    }

    /// Rule 1, the version. The minimums are read in one step: each only rises, and those that must
    /// have risen have done so before the time was checked.
    pub(crate) fn is_fresh(&self, model: &Model, key: u8, answer: &Answer) -> bool {
        let bounds = &model.bounds;
        let minimum = match (answer.facts, bounds.found_by) {
            (Facts::Absent, FoundBy::PublicId) => self.keys[PUBLIC_ID],
            (Facts::Absent, FoundBy::Digest) => self.credentials,
            _ => self.keys[stripe(bounds, key)].max(self.tenant),
        };
        answer.version >= minimum.max(self.floor) || model.lacks(Mutation::VersionNotChecked)
    }

    /// Raises the minimums of what a change is of.
    pub(crate) fn apply(&mut self, model: &Model, number: u8, change: Change) {
        let version = version(self.count, number);
        let raise = |minimum: &mut Version| {
            let set = model.lacks(Mutation::MinimumsSetNotRaised);
            *minimum = if set { version } else { version.max(*minimum) };
        };
        match change {
            Change::Revoke(key) => {
                raise(&mut self.keys[stripe(&model.bounds, key)]);
                raise(&mut self.keys[PUBLIC_ID]);
            }
            Change::Create => {
                raise(&mut self.keys[stripe(&model.bounds, 0)]);
                if !model.lacks(Mutation::PublicIdsNotNamed) {
                    raise(&mut self.keys[PUBLIC_ID]);
                }
                if !model.lacks(Mutation::RefoundNotSaid) {
                    raise(&mut self.credentials);
                }
            }
            Change::Suspend if !model.lacks(Mutation::TenantsNotApplied) => raise(&mut self.tenant),
            // Of others; their minimums bear on nothing that is asked about.
            _ => {}
        }
    }

    /// Drops everything below a version.
    pub(crate) fn raise_floor(&mut self, version: Version) {
        self.floor = self.floor.max(version);
    }

    /// What it holds of a key.
    pub(crate) fn facts(&self, key: u8) -> impl Iterator<Item = (u8, Facts)> {
        let place = usize::from(key);
        let held = [self.entries[place], self.absences[place]];
        held.into_iter()
            .flatten()
            .map(move |answer| (key, answer.facts))
    }

    pub(crate) fn keep(&mut self, key: u8, answer: Answer) {
        let place = usize::from(key);
        match answer.facts {
            Facts::Absent => self.absences[place] = Some(answer),
            Facts::Passes | Facts::Barred => self.entries[place] = Some(answer),
        }
    }
}

impl Answer {
    pub(crate) fn tick(&mut self) {
        self.until = self.until.saturating_sub(1);
    }
}

pub(crate) fn version(count: u8, number: u8) -> Version {
    count << 4 | number
}

fn stripe(bounds: &Bounds, key: u8) -> usize {
    if bounds.shared_stripe {
        0
    } else {
        usize::from(key)
    }
}

/// Below every floor.
pub(crate) const NEVER: Version = 0;
/// Above every version: nothing is believed any more.
pub(crate) const NOTHING: Version = u8::MAX;
const PUBLIC_ID: usize = 2;
