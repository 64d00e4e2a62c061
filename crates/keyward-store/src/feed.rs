use std::fmt;
use std::time::{Duration, SystemTime};

use crate::{KeyId, KeySnapshot, Owner, PublicId, TenantId};

/// Records as of one moment, and which moment that was.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Loaded {
    /// What was found.
    pub found: Vec<KeySnapshot>,
    /// Which history the number counts in: another one than the last poll told of is not believed,
    /// whatever the number.
    pub history: HistoryId,
    /// The number of the last change that these facts surely include. It may be too small, never
    /// too large: it is read in the same snapshot as the records, or before them. It is at most
    /// [`Event::MAX_NUMBER`].
    pub number: u64,
    /// What the store's own clock showed.
    pub now: SystemTime,
    /// How far the answer can be trusted by its age alone.
    pub origin: Origin,
}

impl Loaded {
    /// An answer of the primary.
    #[must_use]
    pub fn new(found: Vec<KeySnapshot>, history: HistoryId, number: u64, now: SystemTime) -> Self {
        Self {
            found,
            history,
            number,
            now,
            origin: Origin::Primary,
        }
    }

    /// The same answer from elsewhere.
    #[must_use]
    pub fn from_origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }
}

/// Where an answer came from, and so how long it may be believed without a valid lease.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Origin {
    /// From the primary, which held every change up to then: for the length of a lease.
    Primary,
    /// From a replica, which may lag: not at all.
    Replica,
    /// From a table that others write without notice: for as long as its owner says.
    Unwatched(Duration),
}

/// Which copy of the data may answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ReadFrom {
    /// Any, a replica too.
    Any,
    /// The primary alone: an earlier answer was not fresh enough.
    Primary,
}

/// Tells one history of changes from every other: a server that was promoted, restored or made anew
/// has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct HistoryId(u64);

impl HistoryId {
    /// The history that the store knows by this number: any that others do not have, for instance
    /// the start of a hash.
    #[must_use]
    pub const fn new(id: u64) -> Self {
        Self(id)
    }

    /// The number.
    #[must_use]
    pub const fn as_u64(self) -> u64 {
        self.0
    }
}

/// A place in the history of changes: the number of a change, and a token by which the store tells
/// that its history still holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor {
    number: u64,
    token: Box<[u8]>,
}

impl Cursor {
    /// Before any history: whoever asks from here is told that history changed.
    #[must_use]
    pub fn origin() -> Self {
        Self {
            number: 0,
            token: Box::default(),
        }
    }

    /// The place right behind change `number`.
    #[must_use]
    pub fn new(number: u64, token: impl Into<Box<[u8]>>) -> Self {
        Self {
            number,
            token: token.into(),
        }
    }

    /// The number of the last change before this place.
    #[must_use]
    pub const fn number(&self) -> u64 {
        self.number
    }

    /// The store's own token.
    #[must_use]
    pub fn token(&self) -> &[u8] {
        &self.token
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cursor")
            .field("number", &self.number)
            .finish_non_exhaustive()
    }
}

/// What has changed since a cursor.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Changes {
    /// Which history this is. When it is another than before, history has changed, whatever the
    /// feed says.
    pub history: HistoryId,
    /// The present end of the history.
    pub cursor: Cursor,
    /// What lies between.
    pub feed: Feed,
    /// Whose changes the history holds.
    pub writers: Writers,
    /// Whether the store listens for changes and will hint at them.
    pub hints: bool,
}

impl Changes {
    /// Changes of a history that holds them all, from a store that gives no hints.
    #[must_use]
    pub fn new(history: HistoryId, cursor: Cursor, feed: Feed) -> Self {
        Self {
            history,
            cursor,
            feed,
            writers: Writers::All,
            hints: false,
        }
    }

    /// Says that the store will hint at changes.
    #[must_use]
    pub fn with_hints(mut self) -> Self {
        self.hints = true;
        self
    }

    /// Says whose changes the history holds.
    #[must_use]
    pub fn of(mut self, writers: Writers) -> Self {
        self.writers = writers;
        self
    }
}

/// The part of the history behind a cursor.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Feed {
    /// The changes, in any order.
    Events(Vec<Event>),
    /// The cursor lies in another history: a server was started, a log was lost, a standby without
    /// the last changes was promoted. Nothing read before can be believed.
    HistoryChanged,
}

/// Whose changes a history holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Writers {
    /// Everyone's: what is not in it did not happen.
    All,
    /// This process's alone: others write unseen, and silence proves nothing.
    ThisProcess {
        /// How long facts are believed, here and in every other process.
        max_age: Duration,
    },
}

/// A change that bears on security.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Event {
    /// Its number: changes are numbered in the order in which they become visible. It is at most
    /// [`Event::MAX_NUMBER`].
    pub number: u64,
    /// What changed.
    pub subject: EventSubject,
}

impl Event {
    /// The largest number of a change, 2^44 − 1: 139 years of 4,000 changes a second. A store counts
    /// its changes; it does not take the time of day for a number.
    pub const MAX_NUMBER: u64 = (1 << 44) - 1;

    /// Change `number`, of `subject`.
    #[must_use]
    pub const fn new(number: u64, subject: EventSubject) -> Self {
        Self { number, subject }
    }
}

/// What a change was about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EventSubject {
    /// One key.
    Key {
        /// Its name.
        key: KeyId,
        /// Its public id; and, where the store knows it, the one that it had before.
        public_ids: Vec<PublicId>,
        /// Whether it can now be found, or is no longer found, by something it was not before: it
        /// is new or gone, or its hash or public id changed.
        refound: bool,
    },
    /// Every key of an owner.
    Owner(Owner),
    /// Every key of a tenant.
    Tenant(TenantId),
    /// Every key.
    All,
}
