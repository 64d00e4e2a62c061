//! What was promised, and whether a decision keeps it.

use crate::bounds::Bounds;
use crate::store::{Change, Facts};
use crate::world::World;

/// Whether verifications that start now must know of a change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Owed {
    /// It has not been made.
    #[default]
    Open,
    /// It has been made; they must in so many ticks (P3).
    In(u8),
    /// They must: that time is over, or the write has returned here (P1), or its receipt has (P4).
    Now,
}

/// How a verification ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The key passed.
    Accepted,
    /// The key is revoked or suspended.
    Refused,
    /// There is no such key.
    Unknown,
    /// 503: nothing that may be believed was to be had.
    Unavailable,
}

/// A verification's end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Decision {
    pub(crate) verdict: Verdict,
    /// The changes that it had to know, a bit each.
    pub(crate) due: u8,
    pub(crate) from_cache: bool,
}

impl Owed {
    pub(crate) fn tick(&mut self) {
        *self = match *self {
            Self::In(0 | 1) => Self::Now,
            Self::In(left) => Self::In(left - 1),
            other => other,
        };
    }
}

impl World {
    /// A change is visible from now on.
    pub(crate) fn promise(&mut self, bounds: &Bounds, index: usize) {
        // P3: after the longest time that anything is believed for without news.
        self.promises[index] = Owed::In(bounds.age());
    }

    /// The changes that a verification of `key` which starts now must know.
    pub(crate) fn due(&self, bounds: &Bounds, key: u8) -> u8 {
        let mut due = 0;
        for (index, change) in bounds.promised.into_iter().enumerate() {
            let concerns = !matches!(change, Change::Revoke(other) if other != key);
            if concerns && self.promises[index] == Owed::Now {
                due |= 1 << index;
            }
        }
        due
    }

    /// A failover has lost changes: that is a matter of durability, and nothing is owed for them.
    pub(crate) fn forgive_lost_changes(&mut self, bounds: &Bounds) {
        for (index, change) in bounds.promised.into_iter().enumerate() {
            if self.promises[index] != Owed::Open && !self.primary.rows.include(change) {
                self.promises[index] = Owed::Open;
                for verification in &mut self.verifications {
                    verification.due &= !(1 << index);
                }
                self.write.forget(index);
                self.observer.forget(index);
            }
        }
    }
}

impl Decision {
    /// The broken promise, if one is.
    pub(crate) fn breaks(&self, bounds: &Bounds) -> Option<Change> {
        let mut due = (0..2).filter(|index| self.due & 1 << index != 0);
        due.find_map(|index| {
            let change = bounds.promised[index];
            let broken = match change {
                Change::Create => self.verdict == Verdict::Unknown,
                _ => self.verdict == Verdict::Accepted,
            };
            broken.then_some(change)
        })
    }

    /// Whether it is as it is because of what it had to know.
    pub(crate) fn heeds(&self, bounds: &Bounds) -> bool {
        let due = |change: fn(Change) -> bool| {
            (0..2).any(|index| self.due & 1 << index != 0 && change(bounds.promised[index]))
        };
        match self.verdict {
            Verdict::Accepted => due(|change| change == Change::Create),
            Verdict::Refused => due(|change| change != Change::Create),
            Verdict::Unknown | Verdict::Unavailable => false,
        }
    }
}

impl From<Facts> for Verdict {
    fn from(facts: Facts) -> Self {
        match facts {
            Facts::Absent => Self::Unknown,
            Facts::Passes => Self::Accepted,
            Facts::Barred => Self::Refused,
        }
    }
}
