use std::time::{Duration, SystemTime};

use crate::Result;

/// What a step found: how much of it passed, and how much did not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

impl Counts {
    /// A step that is one thing, and passed.
    pub(crate) const ONE: Self = Self {
        passed: 1,
        failed: 0,
    };

    pub(crate) fn add(&mut self, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed += 1;
        }
    }
}

/// The steps of a command, run one after the other, and what they found.
///
/// A step that fails does not stop the next one: one run shows all that is wrong.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    name: String,
    counts: Counts,
    took: Duration,
}

impl Tally {
    /// Runs a step. An error counts as one failure and is printed at once.
    pub(crate) fn step(&mut self, name: &str, work: impl FnOnce() -> Result<Counts>) {
        println!("\n--- {name}");
        let start = SystemTime::now();
        let counts = work().unwrap_or_else(|error| {
            println!("{} {name}: {error}", mark(false));
            Counts {
                passed: 0,
                failed: 1,
            }
        });
        self.steps.push(Step {
            name: name.to_owned(),
            counts,
            took: start.elapsed().unwrap_or_default(),
        });
    }

    /// Prints the summary, whose last line is `N passed, N failed`, and says whether all passed.
    ///
    /// Nothing at all having passed is a failure: it means that nothing was looked at.
    pub(crate) fn finish(self) -> bool {
        println!("\n--- summary");
        for Step { name, counts, took } in &self.steps {
            println!(
                "{} {name}: {} passed, {} failed in {:.1} s",
                mark(counts.failed == 0),
                counts.passed,
                counts.failed,
                took.as_secs_f32()
            );
        }
        let total = self.total();
        println!("{} passed, {} failed", total.passed, total.failed);
        total.failed == 0 && total.passed > 0
    }

    fn total(&self) -> Counts {
        self.steps
            .iter()
            .fold(Counts::default(), |sum, step| Counts {
                passed: sum.passed + step.counts.passed,
                failed: sum.failed + step.counts.failed,
            })
    }
}

/// What a line of the output starts with, so that a search for `FAIL` finds all that failed.
pub(crate) fn mark(passed: bool) -> &'static str {
    if passed { "ok  " } else { "FAIL" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_counts_as_one_failure_and_the_next_step_still_runs() {
        let mut tally = Tally::default();
        tally.step("breaks", || Err("no".into()));
        tally.step("works", || {
            Ok(Counts {
                passed: 3,
                failed: 0,
            })
        });
        assert_eq!(
            tally.total(),
            Counts {
                passed: 3,
                failed: 1
            }
        );
        assert!(!tally.finish());
    }

    #[test]
    fn a_run_that_looked_at_nothing_did_not_succeed() {
        let mut tally = Tally::default();
        tally.step("empty", || Ok(Counts::default()));
        assert!(!tally.finish());
    }

    #[test]
    fn a_run_that_passed_succeeds() {
        let mut tally = Tally::default();
        tally.step("works", || Ok(Counts::ONE));
        assert!(tally.finish());
    }
}
