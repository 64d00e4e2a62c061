//! The generic cell rate algorithm (ITU-T I.371 §A.1, as a virtual schedule): one number for each limit,
//! the moment at which all that was counted is forgotten.

use keyward::Limit;

use super::shared::SharedLimit;

/// A limit of N requests per W as the algorithm has it: N at once, and one more each W/N.
///
/// In any stretch of the length W, its end not included, at most 2N − 1 requests pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate {
    /// Nanoseconds for one request, rounded up, and never zero.
    interval: u64,
    /// How far the schedule may lie ahead of time for a request to pass: N − 1 intervals.
    tolerance: u64,
}

/// What a request has left of a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Quota {
    /// How many more requests would pass at this moment.
    pub(crate) remaining: u64,
    /// Nanoseconds until one more would pass, if none would at this moment; otherwise until the limit is
    /// as if it had never been used.
    pub(crate) reset_nanos: u64,
}

impl Rate {
    pub(crate) fn of(limit: &Limit) -> Self {
        let window = u64::try_from(limit.per().as_nanos()).unwrap_or(u64::MAX);
        let interval = window.div_ceil(limit.requests().max(1)).max(1);
        Self {
            interval,
            tolerance: interval.saturating_mul(limit.requests() - 1),
        }
    }

    pub(crate) const fn of_shared(limit: &SharedLimit) -> Self {
        // Zero only where someone has made it by hand.
        let interval = limit.interval_micros.saturating_mul(1_000);
        Self {
            interval: if interval == 0 { 1 } else { interval },
            tolerance: limit.tolerance_micros.saturating_mul(1_000),
        }
    }

    /// Nanoseconds for one request.
    pub(crate) const fn interval(&self) -> u64 {
        self.interval
    }

    /// The schedule after a request at `now`; or how long it has to wait.
    #[inline]
    pub(crate) const fn take(&self, schedule: u64, now: u64) -> Result<u64, u64> {
        let ahead = schedule.saturating_sub(now);
        if ahead > self.tolerance {
            return Err(ahead - self.tolerance);
        }
        let start = if schedule > now { schedule } else { now };
        Ok(start.saturating_add(self.interval))
    }

    /// What is left under a schedule at `now`.
    pub(crate) const fn quota(&self, schedule: u64, now: u64) -> Quota {
        let ahead = schedule.saturating_sub(now);
        // What may still be added before the schedule is too far ahead.
        let room = self
            .tolerance
            .saturating_add(self.interval)
            .saturating_sub(ahead);
        let remaining = room / self.interval;
        Quota {
            remaining,
            reset_nanos: if remaining == 0 {
                ahead.saturating_sub(self.tolerance)
            } else {
                ahead
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn rate(requests: u64, per: Duration) -> Rate {
        Rate::of(&Limit::new(requests, per).unwrap())
    }

    #[test]
    fn so_many_at_once_and_then_one_at_a_time() {
        let rate = rate(10, Duration::from_secs(1));
        let mut schedule = 0;
        for left in (0..10).rev() {
            schedule = rate.take(schedule, SECOND).unwrap();
            assert_eq!(rate.quota(schedule, SECOND).remaining, left);
        }
        assert_eq!(rate.take(schedule, SECOND), Err(SECOND / 10));
        assert_eq!(rate.quota(schedule, SECOND).reset_nanos, SECOND / 10);
        let later = SECOND + SECOND / 10;
        assert_eq!(rate.take(schedule, later - 1), Err(1));
        assert!(rate.take(schedule, later).is_ok());
    }

    #[test]
    fn the_widest_and_the_narrowest_overflow_nothing() {
        let widest = rate(1 << 32, Limit::MAX_WINDOW);
        assert!(widest.take(0, 0).is_ok());
        assert!(widest.take(u64::MAX, 0).is_err());
        assert!(widest.take(u64::MAX, u64::MAX).is_ok());
        let fastest = rate(1 << 32, Duration::from_millis(1));
        assert_eq!(fastest.interval(), 1);
        let one = rate(1, Limit::MAX_WINDOW);
        let schedule = one.take(0, 0).unwrap();
        let quota = one.quota(schedule, 0);
        assert_eq!(quota.remaining, 0);
        assert_eq!(u128::from(quota.reset_nanos), Limit::MAX_WINDOW.as_nanos());
        assert_eq!(one.take(schedule, 0), Err(quota.reset_nanos));
    }

    proptest! {
        /// However requests come: never more than 2N − 1 in any window, never fewer than N in the
        /// first, and whoever is told to wait passes then.
        #[test]
        fn no_window_sees_more_than_it_may(
            requests in 1_u64..20,
            millis in 1_u64..2_000,
            gaps in prop::collection::vec(0_u64..200_000_000, 1..200),
        ) {
            let window = Duration::from_millis(millis);
            let rate = rate(requests, window);
            let window = u64::try_from(window.as_nanos()).unwrap();
            let (mut schedule, mut now) = (0, SECOND);
            let mut passed: Vec<u64> = Vec::new();
            for gap in gaps {
                now += gap;
                match rate.take(schedule, now) {
                    Ok(next) => {
                        schedule = next;
                        passed.push(now);
                    }
                    Err(wait) => {
                        prop_assert!(rate.take(schedule, now + wait).is_ok());
                        prop_assert!(rate.take(schedule, now + wait - 1).is_err());
                        prop_assert_eq!(rate.quota(schedule, now).remaining, 0);
                    }
                }
            }
            for (n, start) in passed.iter().enumerate() {
                let within = passed[n..].iter().take_while(|at| **at < start + window);
                let most = usize::try_from(2 * requests - 1).unwrap();
                prop_assert!(within.count() <= most);
            }
        }

        #[test]
        fn what_remains_passes_and_no_more(
            requests in 1_u64..50,
            millis in 1_u64..5_000,
            ahead in 0_u64..10_000_000_000,
        ) {
            let rate = rate(requests, Duration::from_millis(millis));
            let now = 20 * SECOND;
            let mut schedule = now + ahead;
            let quota = rate.quota(schedule, now);
            for _one in 0..quota.remaining {
                schedule = rate.take(schedule, now).unwrap();
            }
            prop_assert!(rate.take(schedule, now).is_err());
        }
    }
}
