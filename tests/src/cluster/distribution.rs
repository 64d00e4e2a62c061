use std::fmt;
use std::time::Duration;

/// Times that were measured, to be printed and compared with a bound.
#[derive(Debug, Default)]
pub struct Distribution(Vec<Duration>);

impl Distribution {
    /// Adds one.
    pub fn add(&mut self, time: Duration) {
        self.0.push(time);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The smallest that is above so many thousandths of all; zero when there are none.
    #[must_use]
    pub fn quantile(&self, thousandths: usize) -> Duration {
        let mut sorted = self.0.clone();
        sorted.sort();
        let last = sorted.len().saturating_sub(1);
        let place = (sorted.len() * thousandths / 1_000).min(last);
        sorted.get(place).copied().unwrap_or_default()
    }

    /// The largest.
    #[must_use]
    pub fn max(&self) -> Duration {
        self.quantile(1_000)
    }
}

impl fmt::Display for Distribution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, p50, p99) = (self.len(), self.quantile(500), self.quantile(990));
        write!(
            f,
            "{count} measured: p50 {p50:.2?}, p99 {p99:.2?}, max {:.2?}",
            self.max()
        )
    }
}
