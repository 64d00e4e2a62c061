//! What a search has found.

use std::fmt::{self, Display};

use crate::action::Action;
use crate::bounds::Bounds;
use crate::promise::Verdict;
use crate::protocol::Step;

/// What a search has found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// How many states were visited.
    pub states: u64,
    /// Verifications that ended with the key accepted.
    pub accepted: u64,
    /// Those of them that took it from the cache.
    pub accepted_from_cache: u64,
    /// Verifications that had to know of a change, and ended as it demands.
    pub heeded: u64,
    /// Verifications that ended unavailable.
    pub unavailable: u64,
    /// The broken promise that was found first, if any.
    pub violation: Option<Violation>,
}

/// The shortest way to a broken promise.
#[derive(Clone, Debug)]
pub struct Violation {
    pub(crate) actions: Vec<Action>,
}

impl Report {
    /// Counts a step; says whether it breaks a promise.
    pub(crate) fn count(&mut self, bounds: &Bounds, step: &Step) -> bool {
        let Some(decision) = &step.decision else {
            return false;
        };
        match decision.verdict {
            Verdict::Accepted => {
                self.accepted += 1;
                self.accepted_from_cache += u64::from(decision.from_cache);
            }
            Verdict::Unavailable => self.unavailable += 1,
            Verdict::Refused | Verdict::Unknown => {}
        }
        self.heeded += u64::from(decision.heeds(bounds));
        decision.breaks(bounds).is_some()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (states, heeded, unavailable) = (self.states, self.heeded, self.unavailable);
        let (accepted, hits) = (self.accepted, self.accepted_from_cache);
        let outcome = match self.violation {
            None => "kept",
            Some(_) => "BROKEN",
        };
        write!(
            f,
            "{outcome}, {states} states; {accepted} accepted ({hits} from the cache), "
        )?;
        write!(f, "{heeded} as a change demands, {unavailable} unavailable")
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, action) in (1_usize..).zip(&self.actions) {
            writeln!(f, "{number:>3}. {action}")?;
        }
        Ok(())
    }
}
