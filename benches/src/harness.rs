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
    let mut batches = Vec::with_capacity(entries.len());
    for entry in &mut entries {
        batches.push(calibrate(entry)?);
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
            figures[i].push(batch(&mut entries[i], batches[i])?);
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
fn batch(entry: &mut Entry, n: usize) -> Result<f64> {
    // The first requests find the caches as the previous contender left them; a busy server's do not.
    let warm_up = n / 4 + 2;
    entry.contender.prepare(warm_up + n);
    let mut wrong = entry.contender.answer(warm_up);

    let start = Instant::now();
    wrong += black_box(&mut entry.contender).answer(n);
    let took = start.elapsed();

    if wrong > 0 {
        return Err(format!("{}: {wrong} unexpected answers in one batch", entry.name).into());
    }
    Ok(took.as_nanos() as f64 / n as f64)
}

/// How many requests make a batch of about [`BATCH`], at most [`MOST`] to stay within the nearest caches.
fn calibrate(entry: &mut Entry) -> Result<usize> {
    for _ in 0..20 {
        batch(entry, LEAST)?;
    }
    let mut means = Vec::new();
    for _ in 0..20 {
        means.push(batch(entry, LEAST)?);
    }
    means.sort_by(f64::total_cmp);
    let fitting = BATCH.as_nanos() as f64 / means[means.len() / 2];
    Ok((fitting as usize).clamp(LEAST, MOST))
}

const BATCH: Duration = Duration::from_micros(60);
const LEAST: usize = 4;
const MOST: usize = 64;
