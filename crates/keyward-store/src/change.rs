use std::time::SystemTime;

use crate::{AuditRecord, KeyFilter, KeyId, KeyRecord, PublicId, Subject, SubjectState, Token};

/// What shall become of the records: computed apart from any store, committed by one as a whole or
/// not at all.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// When it was decided, by the clock of the node that decided.
    pub at: SystemTime,
    /// What must hold for the change to be made.
    pub expectations: Vec<Expectation>,
    /// The rows that it writes.
    pub writes: Vec<Write>,
    /// The lines that it adds to the audit log.
    pub audit: Vec<AuditRecord>,
}

impl Change {
    /// A change that writes nothing yet.
    #[must_use]
    pub fn new(at: SystemTime) -> Self {
        Self {
            at,
            expectations: Vec::new(),
            writes: Vec::new(),
            audit: Vec::new(),
        }
    }

    /// Only if `expectation` holds.
    #[must_use]
    pub fn expect(mut self, expectation: Expectation) -> Self {
        self.expectations.push(expectation);
        self
    }

    /// And writes this row.
    #[must_use]
    pub fn write(mut self, write: Write) -> Self {
        self.writes.push(write);
        self
    }

    /// And tells of it.
    #[must_use]
    pub fn audit(mut self, record: AuditRecord) -> Self {
        self.audit.push(record);
        self
    }
}

/// What must hold at the moment a change is committed, before any of its rows is written.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
#[expect(
    clippy::large_enum_variant,
    reason = "a change has a few, and lives as long as a commit"
)]
pub enum Expectation {
    /// The record exists and has this revision.
    Revision {
        /// Which record.
        key: KeyId,
        /// Its revision.
        is: u64,
    },
    /// The standing of the subject has this revision; 0 when it was never set.
    SubjectRevision {
        /// Whose standing.
        subject: Subject,
        /// Its revision.
        is: u64,
    },
    /// Fewer than so many keys exist.
    Fewer {
        /// The bound.
        than: u64,
        /// Which keys count.
        of: KeyFilter,
    },
}

/// A row that a change writes, whole.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Write {
    /// A new record. Its name, its prefix with its public id, and its hash are each unlike those
    /// of every other record.
    Insert(KeyRecord),
    /// A record in the place of the one with the same name. Where there is none, the change is
    /// refused.
    Replace {
        /// The record.
        record: KeyRecord,
        /// Whether its hash, public id or lookup differs from before, so that it is found by others.
        refound: bool,
    },
    /// The standing of an owner or a tenant.
    Standing {
        /// Whose.
        subject: Subject,
        /// The state.
        state: SubjectState,
    },
    /// A token. Where one of the same scope and text is kept whose time is not over when the change
    /// is made, the change is refused, before its expectations are looked at; otherwise it takes that
    /// one's place.
    Token(Token),
    /// No record of that name any more, and none of its last use. Where there is none, the change is
    /// refused.
    Delete {
        /// The record.
        key: KeyId,
        /// Its public id, so that whoever knew it is told.
        public_id: Option<PublicId>,
    },
}
