//! Figures of the database into rows: rates by round, durations by rank.

use std::future::Future;
use std::time::Duration;

use keyward::Clock;
use tokio::task::JoinSet;

use crate::Result;
use crate::rows::{Row, median, min, paired};

/// How often a second `tasks` tasks get `work` done, within a window.
pub(super) async fn rate<W, F>(tasks: usize, window: Duration, work: W) -> Result<f64>
where
    W: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = Result<()>> + Send,
{
    let clock = Clock::system();
    let start = clock.boot();
    let end = start.after(window);
    let mut running: JoinSet<Result<u64>> = JoinSet::new();
    for _ in 0..tasks {
        let (work, clock) = (work.clone(), clock.clone());
        running.spawn(async move {
            let mut done = 0;
            while clock.boot() < end {
                work().await?;
                done += 1;
            }
            Ok(done)
        });
    }
    let mut done = 0;
    while let Some(ended) = running.join_next().await {
        done += ended??;
    }
    Ok(done as f64 / clock.boot().since(start).as_secs_f64())
}

/// The figures of contenders that take turns, one figure for each round.
#[derive(Debug, Default)]
pub(super) struct Rounds(Vec<(String, Vec<f64>)>);

impl Rounds {
    pub(super) fn note(&mut self, name: &str, figure: f64) {
        match self.0.iter_mut().find(|(other, _)| other == name) {
            Some((_, figures)) => figures.push(figure),
            None => self.0.push((name.to_owned(), vec![figure])),
        }
    }

    /// The row of `name`, its ratio the median of the ratios within each round.
    pub(super) fn row(
        &self,
        section: &'static str,
        name: &str,
        unit: &'static str,
        to: &str,
    ) -> Result<Row> {
        let figures = self.of(name)?;
        let ratios = paired(figures, self.of(to)?, |figure, reference| {
            figure / reference
        });
        Ok(Row {
            section,
            name: name.to_owned(),
            unit,
            min: min(figures),
            median: median(figures.to_vec()),
            ratio_to: to.to_owned(),
            ratio: median(ratios),
        })
    }

    fn of(&self, name: &str) -> Result<&[f64]> {
        let found = self.0.iter().find(|(other, _)| other == name);
        let (_, figures) = found.ok_or_else(|| format!("nothing was measured of {name:?}"))?;
        Ok(figures)
    }
}

/// Durations in microseconds, by rank.
#[derive(Debug)]
pub(super) struct Ranks(Vec<f64>);

impl Ranks {
    /// # Errors
    /// When there are none: no figure could be told of them.
    pub(super) fn of(mut micros: Vec<f64>) -> Result<Self> {
        if micros.is_empty() {
            return Err("not a single duration".into());
        }
        micros.sort_by(f64::total_cmp);
        Ok(Self(micros))
    }

    /// The duration that this share of all is no longer than.
    pub(super) fn at(&self, share: f64) -> f64 {
        let rank = (self.0.len() as f64 * share).ceil() as usize;
        self.0[rank.clamp(1, self.0.len()) - 1]
    }

    /// A row for each of the shares, under their names. A rank is one figure, and its own minimum.
    pub(super) fn rows(
        &self,
        section: &'static str,
        what: &str,
        shares: &[(&str, f64)],
        to: (&str, f64),
    ) -> Vec<Row> {
        let row = |(name, share): &(&str, f64)| {
            let figure = self.at(*share);
            Row {
                section,
                name: format!("{what}: {name}"),
                unit: "µs",
                min: figure,
                median: figure,
                ratio_to: to.0.to_owned(),
                ratio: figure / to.1,
            }
        };
        shares.iter().map(row).collect()
    }
}

pub(super) const P50: (&str, f64) = ("p50", 0.50);
pub(super) const P99: (&str, f64) = ("p99", 0.99);
pub(super) const MAX: (&str, f64) = ("max", 1.0);

pub(super) fn micros(took: Duration) -> f64 {
    took.as_secs_f64() * 1e6
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_of_all_durations() {
        let ranks = Ranks::of((1..=200).rev().map(f64::from).collect()).unwrap();
        assert_eq!(
            [ranks.at(0.5), ranks.at(0.99), ranks.at(1.0)],
            [100.0, 198.0, 200.0]
        );
        assert!(Ranks::of(Vec::new()).is_err());
    }

    #[tokio::test]
    async fn a_failure_of_one_task_fails_the_window() {
        let window = Duration::from_millis(5);
        assert!(
            rate(2, window, || async { Err("no".into()) })
                .await
                .is_err()
        );
        assert!(rate(2, window, || async { Ok(()) }).await.unwrap() > 0.0);
    }
}
