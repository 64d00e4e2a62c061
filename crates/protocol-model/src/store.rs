//! What is kept outside of the node: rows, the log of changes, and the register of nodes.

use crate::register::Row;

/// A change that bears on security.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// None.
    #[default]
    Nothing,
    /// It has its number and is not visible yet; only a broken store has such.
    Uncommitted,
    /// Of a key that nobody asks about.
    Other,
    /// A key is revoked.
    Revoke(u8),
    /// Key 0 is made.
    Create,
    /// The tenant of all keys is suspended.
    Suspend,
}

/// What a load tells of a key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facts {
    /// There is no such key.
    #[default]
    Absent,
    /// It is good.
    Passes,
    /// It is revoked, or its tenant is suspended.
    Barred,
}

/// One copy of the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Store {
    pub(crate) log: Log,
    pub(crate) rows: Rows,
    pub(crate) row: Row,
}

/// The log of changes; change 1 is its first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Log {
    /// The name of the history.
    pub(crate) history: u8,
    /// The number of the last change.
    pub(crate) number: u8,
    changes: [Change; CHANGES],
    /// Under which history each was made: a token by which the log tells its own.
    tokens: [u8; CHANGES],
}

/// A place in a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Cursor {
    pub(crate) number: u8,
    token: u8,
}

/// What the changes so far have come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Rows {
    exists: bool,
    revoked: [bool; 2],
    suspended: bool,
}

impl Store {
    pub(crate) fn new(exists: bool) -> Self {
        let log = Log {
            history: 1,
            ..Log::default()
        };
        Self {
            log,
            rows: Rows::new(exists),
            row: Row::default(),
        }
    }

    pub(crate) fn commit(&mut self, change: Change) {
        self.rows.apply(change);
        self.log.append(change);
    }

    /// Another server takes over, which has the first `number` changes.
    pub(crate) fn promote(&mut self, number: u8, exists: bool) {
        self.log.history += 1;
        self.log.truncate(number);
        self.rows = Rows::new(exists);
        for number in 1..=self.log.number {
            self.rows.apply(self.log.change(number));
        }
    }
}

impl Log {
    pub(crate) fn has_room(&self) -> bool {
        usize::from(self.number) < CHANGES
    }

    pub(crate) fn append(&mut self, change: Change) {
        let place = usize::from(self.number);
        self.changes[place] = change;
        self.tokens[place] = self.history;
        self.number += 1;
    }

    /// Whether a number has been taken that is not committed yet.
    pub(crate) fn awaits(&self) -> bool {
        self.changes.contains(&Change::Uncommitted)
    }

    /// Makes visible what had only its number.
    pub(crate) fn fill(&mut self, change: Change) {
        for slot in &mut self.changes {
            if *slot == Change::Uncommitted {
                *slot = change;
            }
        }
    }

    fn truncate(&mut self, number: u8) {
        self.number = number;
        for place in usize::from(number)..CHANGES {
            self.changes[place] = Change::Nothing;
            self.tokens[place] = 0;
        }
    }

    pub(crate) fn change(&self, number: u8) -> Change {
        self.changes[usize::from(number) - 1]
    }

    pub(crate) fn end(&self) -> Cursor {
        Cursor {
            number: self.number,
            token: self.token(self.number),
        }
    }

    /// Whether the cursor lies in this log.
    pub(crate) fn holds(&self, cursor: Cursor) -> bool {
        cursor.number <= self.number && self.token(cursor.number) == cursor.token
    }

    fn token(&self, number: u8) -> u8 {
        match number.checked_sub(1) {
            Some(place) => self.tokens[usize::from(place)],
            None => 0,
        }
    }
}

impl Rows {
    fn new(exists: bool) -> Self {
        Self {
            exists,
            revoked: [false; 2],
            suspended: false,
        }
    }

    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Revoke(key) => self.revoked[usize::from(key)] = true,
            Change::Create => self.exists = true,
            Change::Suspend => self.suspended = true,
            Change::Nothing | Change::Uncommitted | Change::Other => {}
        }
    }

    /// Whether a change has been made.
    pub(crate) fn include(&self, change: Change) -> bool {
        match change {
            Change::Revoke(key) => self.revoked[usize::from(key)],
            Change::Create => self.exists,
            Change::Suspend => self.suspended,
            Change::Nothing | Change::Uncommitted | Change::Other => false,
        }
    }

    /// Whether a change can be made now.
    pub(crate) fn admit(&self, change: Change) -> bool {
        let exists = self.exists || change == Change::Create;
        exists && change != Change::Nothing && !self.include(change)
    }

    pub(crate) fn facts(&self, key: u8) -> Facts {
        if !self.exists {
            Facts::Absent
        } else if self.suspended || self.revoked[usize::from(key)] {
            Facts::Barred
        } else {
            Facts::Passes
        }
    }
}

/// How many changes there are at most; it bounds the search.
const CHANGES: usize = 3;
