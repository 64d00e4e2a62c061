//! Contenders take turns in short batches, so that whatever the machine does, it does to all of them.
//!
//! A figure is the mean of one batch. Figures are compared within their round, some hundred
//! microseconds apart, never across the run.
#![expect(
    clippy::disallowed_types,
    reason = "a batch is over long before a machine is suspended, and `Instant` is the finer clock"
)]

use std::hint::black_box;
use std::time::{Duration, Instant};

use crate::Result;
use crate::random::Random;

/// One way to answer a request.
pub(crate) trait Contender {
    /// Makes `n` requests, off the clock.
    fn prepare(&mut self, n: usize);

    /// Answers `n` of the prepared requests; how many of the answers were not the expected one.
    fn answer(&mut self, n: usize) -> usize;
}

/// A contender under its name.
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) contender: Box<dyn Contender>,
}

/// What all contenders took in all rounds.
#[derive(Debug)]
pub(crate) struct Field {
    figures: Vec<(String, Vec<f64>)>,
    rounds: usize,
}

impl Field {
    /// The figures of one contender in nanoseconds per request, one for each round.
    pub(crate) fn of(&self, name: &str) -> Result<&[f64]> {
        let found = self.figures.iter().find(|(other, _)| other == name);
        let (_, figures) = found.ok_or_else(|| format!("no contender is called {name:?}"))?;
        Ok(figures)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.figures.iter().map(|(name, _)| name.as_str())
    }

    pub(crate) fn rounds(&self) -> usize {
        self.rounds
    }
}

/// Runs rounds until `time` is over.
///
/// # Errors
/// When a contender answers otherwise than it should: its figures would be of something else.
pub(crate) fn compete(mut entries: Vec<Entry>, time: Duration) -> Result<Field> {
    let clock = clock();
    let mut batches = Vec::with_capacity(entries.len());
    for entry in &mut entries {
        batches.push(calibrate(entry, clock)?);
    }

    let mut figures = vec![Vec::new(); entries.len()];
    let mut order: Vec<usize> = (0..entries.len()).collect();
    let mut random = Random::new(1);
    let start = Instant::now();
    let mut rounds = 0;
    while start.elapsed() < time {
        // Another order each round: who ran before leaves its traces in the caches.
        random.shuffle(&mut order);
        for &i in &order {
            figures[i].push(batch(&mut entries[i], batches[i], clock)?);
        }
        rounds += 1;
    }

    let names = entries.into_iter().map(|entry| entry.name);
    Ok(Field {
        figures: names.zip(figures).collect(),
        rounds,
    })
}

/// The mean of one batch in nanoseconds per request.
///
/// The clock stops after every few requests to make the next: the memory of a handful of requests
/// comes from where the last handful's went, as on a server. The memory of a whole batch, given
/// back in one go, would measure how the allocator tidies up.
fn batch(entry: &mut Entry, n: usize, clock: Duration) -> Result<f64> {
    // The first requests find the caches as the previous contender left them; a busy server's do not.
    let mut wrong = 0;
    for _ in 0..(n / HANDFUL / 4).max(1) {
        entry.contender.prepare(HANDFUL);
        wrong += entry.contender.answer(HANDFUL);
    }

    let mut took = Duration::ZERO;
    let mut left = n;
    while left > 0 {
        let some = left.min(HANDFUL);
        entry.contender.prepare(some);
        let start = Instant::now();
        wrong += black_box(&mut entry.contender).answer(some);
        took += start.elapsed().saturating_sub(clock);
        left -= some;
    }

    if wrong > 0 {
        return Err(format!("{}: {wrong} unexpected answers in one batch", entry.name).into());
    }
    Ok(took.as_nanos() as f64 / n as f64)
}

/// What reading the clock twice takes.
fn clock() -> Duration {
    let mut readings: Vec<Duration> = (0..1_001).map(|_| Instant::now().elapsed()).collect();
    readings.sort_unstable();
    readings[readings.len() / 2]
}

/// How many requests make a batch of about [`BATCH`], at most [`MOST`].
fn calibrate(entry: &mut Entry, clock: Duration) -> Result<usize> {
    for _ in 0..20 {
        batch(entry, LEAST, clock)?;
    }
    let mut means = Vec::new();
    for _ in 0..20 {
        means.push(batch(entry, LEAST, clock)?);
    }
    means.sort_by(f64::total_cmp);
    let fitting = BATCH.as_nanos() as f64 / means[means.len() / 2];
    Ok((fitting as usize).clamp(LEAST, MOST))
}

const BATCH: Duration = Duration::from_micros(60);
const LEAST: usize = 4;
const MOST: usize = 60;
/// Fewer than the allocator keeps at hand of each size.
const HANDFUL: usize = 6;
