use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward_store::BootTime;

/// How many refusals are told of in the audit log: each is a change, and whoever is refused can ask again
/// and again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusals(Arc<AtomicU64>);

impl Refusals {
    /// Whether one more is to be told of.
    pub(super) fn may_tell(&self, now: BootTime) -> bool {
        let now = now.as_nanos();
        let interval = u64::try_from(INTERVAL.as_nanos()).unwrap_or(u64::MAX);
        // The moment at which all that was told is forgotten.
        let next = |told: u64| {
            let is_enough = told.saturating_sub(now) > interval.saturating_mul(AT_ONCE - 1);
            (!is_enough).then(|| told.max(now).saturating_add(interval))
        };
        self.0
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, next)
            .is_ok()
    }
}

const AT_ONCE: u64 = 1_000;
const INTERVAL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_at_once_and_then_ten_a_second() {
        let refusals = Refusals::default();
        let at = |millis: u64| BootTime::from_nanos((1_000_000 + millis) * 1_000_000);
        let told = |at| (0..5_000).filter(|_| refusals.may_tell(at)).count();
        assert_eq!(told(at(0)), 1_000);
        assert_eq!(told(at(99)), 0);
        assert_eq!(told(at(100)), 1);
        assert_eq!(told(at(1_100)), 10);
    }
}
