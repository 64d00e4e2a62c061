use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;

use crate::metadata::Metadata;
use crate::servers::Servers;
use crate::tally::{Counts, Tally};
use crate::workspace::{self, Workspace, shown};
use crate::{Result, examples, tools};

/// Where the profile in `.config/nextest.toml` leaves its report, below cargo's target directory.
const REPORT: &str = "nextest/default/junit.xml";

/// Tests, doctests, then the examples.
///
/// The servers that they need start before the first of them, and live until this returns. Without
/// them the tests that need none run all the same.
pub(crate) fn run(workspace: &Workspace) -> Result<bool> {
    let metadata = Metadata::read(workspace)?;
    let mut tally = Tally::default();
    let servers = Servers::step(metadata.target_directory(), &mut tally);
    let variables = servers.as_ref().map_or(&[][..], Servers::variables);
    let workspace = &workspace.with(variables);
    tally.step("tests", || tests(workspace, metadata.target_directory()));
    tally.step("doctests", || doctests(workspace));
    examples::steps(workspace, &metadata, &[], servers.as_ref(), &mut tally)?;
    Ok(tally.finish())
}

/// Runs nextest with its output untouched, and counts from the report that it writes.
fn tests(workspace: &Workspace, target: &Path) -> Result<Counts> {
    tools::NEXTEST.ensure(workspace)?;
    let report = target.join(REPORT);
    // A report of an earlier run must not be counted for this one.
    if report.exists() {
        fs::remove_file(&report)?;
    }
    let mut nextest = workspace.cargo([
        "nextest",
        "run",
        "--workspace",
        "--all-features",
        "--locked",
    ]);
    let status = workspace::status(&mut nextest)?;
    let counts = match fs::read_to_string(&report) {
        Ok(report) => junit_counts(&report).ok_or("nextest's report has no counts")?,
        Err(_) => Counts::default(),
    };
    // For example a build error, or no tests at all.
    if !status.success() && counts.failed == 0 {
        return Err(format!("{}: {status}", shown(&nextest)).into());
    }
    Ok(counts)
}

/// Runs the doctests, shows their output and counts from the summary of each crate.
fn doctests(workspace: &Workspace) -> Result<Counts> {
    let mut command = workspace.cargo(["test", "--doc", "--workspace", "--all-features"]);
    command.args(["--locked", "--no-fail-fast"]);
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let stdout = child.stdout.take().ok_or("a child without an output")?;
    let mut counts = Counts::default();
    for line in BufReader::new(stdout).lines() {
        let line = line?;
        println!("{line}");
        if let Some(more) = libtest_counts(&line) {
            counts.passed += more.passed;
            counts.failed += more.failed;
        }
    }
    let status = child.wait()?;
    if !status.success() && counts.failed == 0 {
        return Err(format!("{}: {status}", shown(&command)).into());
    }
    Ok(counts)
}

/// Reads the counts from the root element of a JUnit report.
fn junit_counts(report: &str) -> Option<Counts> {
    let root = report.split_once("<testsuites ")?.1.split_once('>')?.0;
    let number = |name: &str| -> Option<usize> {
        let value = root.split_once(&format!("{name}=\""))?.1;
        value.split_once('"')?.0.parse().ok()
    };
    let failed = number("failures")? + number("errors")?;
    Some(Counts {
        passed: number("tests")?.checked_sub(failed)?,
        failed,
    })
}

/// Reads the counts from `test result: ok. 3 passed; 1 failed; …`.
fn libtest_counts(line: &str) -> Option<Counts> {
    let (_, counts) = line.strip_prefix("test result: ")?.split_once(". ")?;
    let number = |word: &str| -> Option<usize> {
        let part = counts.split("; ").find(|part| part.ends_with(word))?;
        part.strip_suffix(word)?.trim().parse().ok()
    };
    Some(Counts {
        passed: number("passed")?,
        failed: number("failed")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_of_a_junit_report() {
        let report = r#"<?xml version="1.0" encoding="UTF-8"?>
            <testsuites name="nextest-run" tests="9" failures="2" errors="1" uuid="x">
            <testsuite name="a" tests="1" disabled="0" errors="0" failures="0"></testsuite>"#;
        assert_eq!(
            junit_counts(report),
            Some(Counts {
                passed: 6,
                failed: 3
            })
        );
        assert_eq!(junit_counts("<other/>"), None);
    }

    #[test]
    fn counts_of_a_libtest_summary() {
        let line = "test result: FAILED. 3 passed; 1 failed; 0 ignored; 0 measured; 2 filtered out";
        assert_eq!(
            libtest_counts(line),
            Some(Counts {
                passed: 3,
                failed: 1
            })
        );
        assert_eq!(libtest_counts("test a ... ok"), None);
    }
}
