use std::fmt;

use super::places;

/// What became of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is the expected one.
    Passed,
    /// The answer is another one; the text holds what came and what was expected, never an input.
    Failed(String),
    /// The case is not for this runner: its input is told in words, or its kind is not run here.
    Elsewhere,
}

impl From<Result<(), String>> for Verdict {
    fn from(judged: Result<(), String>) -> Self {
        judged.map_or_else(Verdict::Failed, |()| Verdict::Passed)
    }
}

/// The verdicts of a run, by name.
///
/// Its `Display` lists the failed cases, then those that are elsewhere and where, then the count.
#[derive(Debug, Default)]
pub struct Report {
    passed: Vec<String>,
    failed: Vec<(String, String)>,
    elsewhere: Vec<String>,
}

impl Report {
    /// The names of the cases that passed.
    #[must_use]
    pub fn passed(&self) -> &[String] {
        &self.passed
    }

    /// The cases that failed, each with what came and what was expected.
    #[must_use]
    pub fn failed(&self) -> &[(String, String)] {
        &self.failed
    }

    /// The names of the cases that this runner leaves to other tests.
    #[must_use]
    pub fn elsewhere(&self) -> &[String] {
        &self.elsewhere
    }

    pub(super) fn record(&mut self, name: &str, verdict: Verdict) {
        let name = name.to_owned();
        match verdict {
            Verdict::Passed => self.passed.push(name),
            Verdict::Failed(reason) => self.failed.push((name, reason)),
            Verdict::Elsewhere => self.elsewhere.push(name),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, reason) in &self.failed {
            writeln!(f, "failed {name}: {reason}")?;
        }
        for name in &self.elsewhere {
            match places::of(name) {
                Some(place) => writeln!(f, "elsewhere {name}: {}", place.file)?,
                None => writeln!(f, "elsewhere {name}")?,
            }
        }
        let (passed, failed) = (self.passed.len(), self.failed.len());
        write!(
            f,
            "{passed} passed, {failed} failed, {} elsewhere",
            self.elsewhere.len()
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_is_named_before_the_count() {
        let mut report = Report::default();
        report.record("good", Verdict::Passed);
        report.record("bad", Verdict::Failed("status 200, expected 401".into()));
        report.record("prose", Verdict::Elsewhere);
        assert_eq!(
            report.to_string(),
            "failed bad: status 200, expected 401\nelsewhere prose\n1 passed, 1 failed, 1 elsewhere"
        );
    }
    #[test]
    fn a_case_with_a_test_elsewhere_is_told_with_its_place() {
        let mut report = Report::default();
        report.record("stampede", Verdict::Elsewhere);
        assert_eq!(
            report.to_string(),
            "elsewhere stampede: tests/tests/adversarial_faults/flights.rs\n\
             0 passed, 0 failed, 1 elsewhere"
        );
    }
}
