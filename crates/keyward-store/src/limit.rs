use std::num::NonZeroU64;
use std::time::Duration;

/// How many requests a key may make in any stretch of time.
///
/// A record states it; whoever counts requests keeps to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Limit {
    requests: NonZeroU64,
    per: Duration,
}

impl Limit {
    /// The longest window, 366 days.
    pub const MAX_WINDOW: Duration = Duration::from_secs(366 * 24 * 3600);
    /// The most limits of one key.
    pub const MAX_PER_KEY: usize = 8;

    /// So many requests in any window of that length, cut to whole milliseconds; `None` unless both
    /// are above zero, the window is at most [`MAX_WINDOW`](Limit::MAX_WINDOW), and the requests are at
    /// most 2^32.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use keyward_store::Limit;
    /// let daily = Limit::new(1_000, Duration::from_secs(24 * 3600));
    /// assert!(daily.is_some());
    /// assert_eq!(Limit::new(10, Duration::ZERO), None);
    /// ```
    #[must_use]
    pub const fn new(requests: u64, per: Duration) -> Option<Self> {
        let millis = per.as_millis();
        if requests > 1 << 32 || millis == 0 || millis > Self::MAX_WINDOW.as_millis() {
            return None;
        }
        let Some(requests) = NonZeroU64::new(requests) else {
            return None;
        };
        // At most 366 days of them, so nothing is lost.
        let per = Duration::from_millis(millis as u64);
        Some(Self { requests, per })
    }

    /// How many requests.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.requests.get()
    }

    /// The length of the window.
    #[must_use]
    pub const fn per(&self) -> Duration {
        self.per
    }

    /// Whether whoever keeps to this limit keeps to `other` as well: no more requests, in no shorter
    /// a window.
    #[must_use]
    pub fn is_within(&self, other: &Self) -> bool {
        self.requests <= other.requests && self.per >= other.per
    }
}
