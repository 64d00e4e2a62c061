use std::time::Duration;

use keyward::{Denied, Reason};

use super::gcra::{Quota, Rate};
use super::shared::{SharedLimit, SharedTaken};

/// A request's verdict.
pub(crate) struct Verdict {
    pub(crate) outcome: Result<(), Denied>,
    /// What is left, where it was asked for, or where nothing is.
    pub(crate) quotas: Vec<Quota>,
}

impl Verdict {
    /// Nothing could be counted, and this is what becomes of the request.
    pub(super) const fn uncounted(outcome: Result<(), Denied>) -> Self {
        Self {
            outcome,
            quotas: Vec::new(),
        }
    }

    /// What those say who count together.
    pub(super) fn shared(limits: &[SharedLimit], taken: &SharedTaken) -> Self {
        let rates = limits.iter().map(Rate::of_shared);
        let ahead = taken.ahead_micros.iter();
        let ahead = ahead.map(|micros| micros.saturating_mul(1_000));
        let quotas: Vec<Quota> = rates
            .zip(ahead)
            .map(|(rate, ahead)| rate.quota(ahead, 0))
            .collect();
        let waits = quotas.iter().filter(|quota| quota.remaining == 0);
        let wait = waits.map(|quota| quota.reset_nanos).max();
        let outcome = if taken.passed {
            Ok(())
        } else {
            Err(reached(wait.unwrap_or_default()))
        };
        Self { outcome, quotas }
    }
}

/// A limit is reached, for so long.
pub(super) fn reached(wait_nanos: u64) -> Denied {
    Denied::too_many_requests(Reason::LimitReached, Duration::from_nanos(wait_nanos))
}
