use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use crate::Result;
use crate::running::{Read, Running};
use crate::tally::{self, Counts};

/// How long an example that is server and client in one may take.
const WHOLE_RUN: Duration = Duration::from_secs(60);

/// Runs an example to its end and looks for the words that it must print.
pub(super) fn prints(
    program: &OsStr,
    root: &Path,
    variables: &[(&str, String)],
    words: &[&str],
) -> Result<Counts> {
    judge(
        Running::start(program, &[], root, variables, Stdio::inherit())?,
        words,
    )
}

fn judge(mut running: Running, words: &[&str]) -> Result<Counts> {
    if running.read_until(WHOLE_RUN, |_| false) == Read::TimedOut {
        return Err(format!("it still runs after {} s", WHOLE_RUN.as_secs()).into());
    }
    let mut counts = Counts::default();
    for word in words {
        let found = running.lines().iter().any(|line| holds(line, word));
        println!("{} prints {word}", tally::mark(found));
        counts.add(found);
    }
    let end = running.finish()?;
    println!("{} ends with success: {end}", tally::mark(end.success()));
    counts.add(end.success());
    Ok(counts)
}

/// Whether the line holds the word as a whole: `OK`, but not `TOKEN`.
fn holds(line: &str, word: &str) -> bool {
    line.split(|letter: char| !letter.is_alphanumeric() && letter != '_')
        .any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str, words: &[&str]) -> Counts {
        let arguments = ["-c", script];
        let here = Path::new(".");
        let running = Running::start(OsStr::new("sh"), &arguments, here, &[], Stdio::null());
        judge(running.unwrap(), words).unwrap()
    }

    #[test]
    fn each_word_and_the_end_count() {
        let good = shell("echo 'read: OK'; echo 'write: DENIED'", &["OK", "DENIED"]);
        assert_eq!((good.passed, good.failed), (3, 0));
        let bad = shell("echo TOKEN; exit 3", &["OK"]);
        assert_eq!((bad.passed, bad.failed), (0, 2));
    }
}
