//! Every adversarial case gets its answer, and the runner says so when one does not.

use std::error::Error;
use std::path::Path;
use std::process::{Command, Output};

use keyward_testkit::LeakWatch;
use keyward_tests::adversarial::{self, Suite};

/// The cases of the kinds run here whose input is told in words. Each is a test of its own, of the
/// same name, in `adversarial_in_words.rs`.
const IN_WORDS: [&str; 8] = [
    "parse-10mb",
    "gen-unique",
    "gen-roundtrip",
    "debug-redaction",
    "expires-infinity-pg",
    "cached-then-expires",
    "clock-steps-back-1h",
    "timezone",
];

#[tokio::test(flavor = "multi_thread")]
async fn every_case_gets_its_answer() -> Result<(), Box<dyn Error>> {
    let suite = Suite::own()?;
    let watch = LeakWatch::start();
    for secret in suite.fixtures.secrets() {
        watch.secret(secret);
    }
    let report = adversarial::run(&suite).await;
    let failed = report.failed().iter();
    let failed: Vec<String> = failed.map(|(name, why)| format!("{name}: {why}")).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));

    // What is left out is known by name, so that no case drops out unseen.
    let kinds = ["mgmt_api", "rate_limit", "fault"];
    let left_out: Vec<&str> = suite
        .cases
        .iter()
        .flatten()
        .filter(|case| !kinds.contains(&case.kind()))
        .map(|case| case.name())
        .filter(|name| report.elsewhere().iter().any(|it| it == name))
        .collect();
    assert_eq!(left_out, IN_WORDS);
    Ok(())
}

#[test]
fn a_failing_case_is_named_and_fails_the_run() -> Result<(), Box<dyn Error>> {
    let cases = r#"{"name": "right", "kind": "key_string", "input": "a", "expect": "reject"},
        {"name": "wrong", "kind": "key_string", "input": "a", "expect": "ok"},
        {"name": "unreadable", "kind": "key_string", "input": 1, "expect": "ok"},
        {"name": "told", "kind": "fault", "setup": "words"}"#;
    let output = run_on("failing.json", cases)?;
    assert_eq!(output.status.code(), Some(1));
    let printed = String::from_utf8(output.stdout)?;
    assert_eq!(
        printed,
        "failed wrong: rejected, expected parsed\n\
         failed unreadable: the case does not have the shape of its kind\n\
         elsewhere told\n\
         1 passed, 2 failed, 1 elsewhere\n"
    );
    Ok(())
}

#[test]
fn a_run_without_failures_succeeds() -> Result<(), Box<dyn Error>> {
    let case = r#"{"name": "right", "kind": "key_string", "input": "a", "expect": "reject"}"#;
    let output = run_on("passing.json", case)?;
    assert_eq!(output.stdout, b"1 passed, 0 failed, 0 elsewhere\n");
    assert_eq!(output.status.code(), Some(0));
    Ok(())
}

#[test]
fn a_file_that_is_not_there_fails_the_run() -> Result<(), Box<dyn Error>> {
    let output = runner("there/is/no/such/file.json").output()?;
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    Ok(())
}

/// Runs the binary on a file with these cases and no fixtures.
fn run_on(file: &str, cases: &str) -> Result<Output, Box<dyn Error>> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
    std::fs::write(
        &path,
        format!(r#"{{"fixtures": {{}}, "cases": [{cases}]}}"#),
    )?;
    Ok(runner(path).output()?)
}

fn runner(cases: impl AsRef<Path>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_adversarial"));
    command.env("ADVERSARIAL_CASES", cases.as_ref());
    command
}
