//! The durations of single requests, and what is told of them.
#![expect(
    clippy::disallowed_types,
    reason = "a request is over long before a machine is suspended, and `Instant` is the finer clock"
)]

use std::time::{Duration, Instant};

use super::{Plan, WINDOW};
use crate::Result;
use crate::rows::{Row, median, min, thousands};

pub(super) struct Stopwatch(Instant);

impl Stopwatch {
    pub(super) fn start() -> Self {
        Self(Instant::now())
    }

    pub(super) fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }
}

/// What was measured so far, in windows.
pub(super) struct Latencies {
    plan: Plan,
    draw: &'static str,
    windows: Vec<Window>,
    opened: Instant,
}

#[derive(Default)]
struct Window {
    hits: Vec<u32>,
    misses: usize,
}

impl Latencies {
    pub(super) fn new(plan: Plan, draw: &'static str) -> Self {
        Self {
            plan,
            draw,
            windows: vec![Window::default()],
            opened: Instant::now(),
        }
    }

    /// Opens the next window when it is time; whether there is one.
    pub(super) fn is_open(&mut self) -> bool {
        if self.opened.elapsed() >= WINDOW {
            self.windows.push(Window::default());
            self.opened = Instant::now();
        }
        // The first one warms up.
        self.windows.len() <= self.plan.seconds + 1
    }

    pub(super) fn hit(&mut self, took: Duration) {
        let nanos = u32::try_from(took.as_nanos()).unwrap_or(u32::MAX);
        self.now().hits.push(nanos);
    }

    pub(super) fn miss(&mut self) {
        self.now().misses += 1;
    }

    pub(super) fn rows(mut self) -> Result<Vec<Row>> {
        self.windows.truncate(self.plan.seconds + 1);
        let windows = self.windows.get_mut(1..).unwrap_or_default();
        if windows.iter().any(|window| window.hits.is_empty()) {
            return Err("a second without a single hit".into());
        }
        for window in windows.iter_mut() {
            window.hits.sort_unstable();
        }

        let what = format!(
            "{} keys {}, 1 % revoked a minute",
            thousands(self.plan.keys as u64),
            self.draw
        );
        let over = |of: &dyn Fn(&Window) -> f64| windows.iter().map(of).collect::<Vec<_>>();
        let p50 = over(&|window| window.percentile(0.50));
        let p99 = over(&|window| window.percentile(0.99));
        let most = over(&|window| window.percentile(1.0));
        let misses = over(&|window| window.misses as f64 * 100.0 / window.requests());
        let row = |name: String, unit, figures: &[f64], to: &[f64], ratio_to: String| Row {
            section: SECTION,
            name,
            unit,
            min: min(figures),
            median: median(figures.to_vec()),
            ratio_to,
            ratio: median(figures.to_vec()) / median(to.to_vec()),
        };
        let half = format!("{what}: p50 of a hit");
        Ok(vec![
            row(half.clone(), "ns", &p50, &p50, half.clone()),
            row(
                format!("{what}: p99 of a hit"),
                "ns",
                &p99,
                &p50,
                half.clone(),
            ),
            row(format!("{what}: slowest hit"), "ns", &most, &p50, half),
            row(
                format!("{what}: misses"),
                "% of requests",
                &misses,
                &[100.0],
                "all requests".to_owned(),
            ),
            Row::budget(
                &format!("p99 of a hit, {what}"),
                10_000.0,
                min(&p99),
                median(p99.clone()),
            ),
        ])
    }

    fn now(&mut self) -> &mut Window {
        let last = self.windows.len() - 1;
        &mut self.windows[last]
    }
}

impl Window {
    fn requests(&self) -> f64 {
        (self.hits.len() + self.misses) as f64
    }

    /// Of the sorted hits.
    fn percentile(&self, share: f64) -> f64 {
        let rank = (self.hits.len() as f64 * share).ceil() as usize;
        f64::from(self.hits[rank.max(1) - 1])
    }
}

const SECTION: &str = "Very many keys, windows of a second";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks() {
        let window = Window {
            hits: (1..=200).collect(),
            misses: 0,
        };
        assert_eq!(window.percentile(0.50), 100.0);
        assert_eq!(window.percentile(0.99), 198.0);
        assert_eq!(window.percentile(1.0), 200.0);
    }
}
