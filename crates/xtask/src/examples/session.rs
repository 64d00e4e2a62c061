use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::{curl, server};
use crate::Result;
use crate::running::{Read, Running};
use crate::tally::{self, Counts};

/// How long all lines of a session may take together.
const SESSION: Duration = Duration::from_secs(60);

/// Starts an example, runs the lines that it prints for a shell in one shell, as a person who copies them
/// all would, and compares the statuses.
pub(super) fn answers(
    program: &OsStr,
    root: &Path,
    port: u16,
    variables: &[(&str, String)],
    statuses: &[u16],
) -> Result<Counts> {
    curl::ensure()?;
    let mut example = Running::start(program, &[], root, variables, Stdio::inherit())?;
    server::listens(port)?;
    server::read_until_quiet(&mut example);
    let lines: Vec<&str> = example.lines().iter().map(String::as_str).collect();
    let script = script(&lines);

    let mut shell = Running::start(OsStr::new("sh"), &["-c", &script], root, &[], Stdio::null())?;
    if shell.read_until(SESSION, |_| false) == Read::TimedOut {
        return Err(format!("its lines take more than {} s", SESSION.as_secs()).into());
    }
    let answers: Vec<u16> = shell
        .lines()
        .iter()
        .filter_map(|line| curl::status(line))
        .collect();
    let mut counts = Counts::default();
    for place in 0..answers.len().max(statuses.len()) {
        let (answer, expected) = (answers.get(place), statuses.get(place));
        let passed = answer == expected;
        let number = place + 1;
        match (answer, expected) {
            (Some(answer), Some(_)) if passed => println!("ok   line {number}: {answer}"),
            (Some(answer), Some(expected)) => {
                println!("FAIL line {number}: {answer} instead of {expected}");
            }
            (Some(answer), None) => {
                println!("FAIL line {number}: {answer}, and the table does not know it");
            }
            (None, _) => println!("FAIL line {number}: it is not there"),
        }
        counts.add(passed);
    }
    let end = shell.finish()?;
    println!("{} the shell ends: {end}", tally::mark(end.success()));
    counts.add(end.success());
    Ok(counts)
}

/// What of an output is for a shell: curl lines, and variables that are set to what one of them answers.
fn script(lines: &[&str]) -> String {
    let is_name = |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase());
    let is_for_shell = |line: &&&str| {
        let sets = line.split_once('=').is_some_and(|(name, _)| is_name(name));
        sets || line.starts_with("curl ")
    };
    let lines: Vec<&str> = lines.iter().filter(is_for_shell).copied().collect();
    // Bodies need not end a line, and each status is to stand on one of its own.
    lines.join("\necho\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_what_a_shell_understands() {
        let printed = [
            "Settings: http://127.0.0.1:3000/",
            "# a key, 201",
            "KEY=$(curl -s http://127.0.0.1:3000/keys)",
            "curl -i -H \"Authorization: Bearer $KEY\" http://127.0.0.1:3000/a=b",
            "that is it",
        ];
        let session = format!("{}\necho\n{}", printed[2], printed[3]);
        assert_eq!(script(&printed), session);
    }
}
