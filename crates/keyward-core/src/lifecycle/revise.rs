//! Changes of one record, or of two that belong together: read, decide, commit, and again when someone
//! else was first.

use std::time::SystemTime;

use keyward_store::{AuditRecord, Change, CommitError, Expectation, KeyRecord, Write};

use super::MAX_TRIES;

/// A change of `record`, if it still is as it was read.
pub(super) fn replace(change: Change, before: &KeyRecord, mut after: KeyRecord) -> Change {
    after.revision = before.revision + 1;
    let expected = Expectation::Revision {
        key: before.id.clone(),
        is: before.revision,
    };
    let refound = before.hash != after.hash || before.public_id != after.public_id;
    change.expect(expected).write(Write::Replace {
        record: after,
        refound,
    })
}

/// The same as a change of its own.
pub(super) fn replaced(
    at: SystemTime,
    before: &KeyRecord,
    after: KeyRecord,
    line: AuditRecord,
) -> Change {
    replace(Change::new(at), before, after).audit(line)
}

/// How often a change may be decided anew.
pub(super) struct Tries(u32);

impl Tries {
    pub(super) const fn new() -> Self {
        Self(MAX_TRIES)
    }

    /// Whether a commit failed because someone else was first, and there is another try.
    pub(super) fn again<T>(&mut self, outcome: &Result<T, CommitError>) -> bool {
        let overtaken = matches!(outcome, Err(CommitError::Expectation(_)));
        if overtaken && self.0 > 0 {
            self.0 -= 1;
            return true;
        }
        false
    }
}
