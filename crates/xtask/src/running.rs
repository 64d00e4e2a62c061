use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, SystemTime};

use crate::Result;

/// Runs the program, and kills it as soon as standard input ends.
///
/// It ends when the `Child` is dropped, and also when this process is killed with no time left to
/// clean up. The shell closes its own output, so that the end of the output is the program's end,
/// and it takes over the program's exit status.
const GUARD: &str = r#""$@" & exec >&- 2>&-; read -r _; kill -s KILL "$!"; wait "$!""#;

/// A program that does not outlive this value, and the lines that it prints.
#[derive(Debug)]
pub(crate) struct Running {
    guard: Child,
    output: Receiver<String>,
    lines: Vec<String>,
}

/// Why reading stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Read {
    /// The lines so far are what was waited for.
    Enough,
    /// The program closed its output.
    Ended,
    TimedOut,
}

impl Running {
    /// Starts a program in a directory, with these variables added to the environment.
    pub(crate) fn start(
        program: &OsStr,
        arguments: &[&str],
        directory: &Path,
        variables: &[(&str, String)],
        errors: Stdio,
    ) -> Result<Self> {
        let mut command = Command::new("sh");
        command
            .args(["-c", GUARD, "sh"])
            .arg(program)
            .args(arguments)
            .current_dir(directory)
            .envs(variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(errors);
        // A group of its own: an interrupt from the keyboard must not kill the guard before it
        // has killed the program.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut guard = command
            .spawn()
            .map_err(|error| format!("cannot run sh, which the examples need: {error}"))?;
        let stdout = guard.stdout.take().ok_or("a child without an output")?;
        let (sender, output) = channel();
        // Ends with the output; nobody listening any more ends it too.
        thread::spawn(move || {
            for line in BufReader::new(stdout)
                .split(b'\n')
                .map_while(std::io::Result::ok)
            {
                let line = String::from_utf8_lossy(&line).trim_end().to_owned();
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self {
            guard,
            output,
            lines: Vec::new(),
        })
    }

    /// Reads until the lines are enough, but not longer than `limit`.
    pub(crate) fn read_until(
        &mut self,
        limit: Duration,
        enough: impl Fn(&[String]) -> bool,
    ) -> Read {
        let deadline = SystemTime::now() + limit;
        while !enough(&self.lines) {
            let left = deadline
                .duration_since(SystemTime::now())
                .unwrap_or_default();
            match self.output.recv_timeout(left) {
                Ok(line) => self.lines.push(line),
                Err(RecvTimeoutError::Disconnected) => return Read::Ended,
                Err(RecvTimeoutError::Timeout) => return Read::TimedOut,
            }
        }
        Read::Enough
    }

    /// Everything read so far.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Ends the program when it still runs, and says how it ended.
    pub(crate) fn finish(mut self) -> Result<ExitStatus> {
        drop(self.guard.stdin.take());
        Ok(self.guard.wait()?)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        // Waiting for the guard is waiting for the program; there is nobody to tell of an error.
        drop(self.guard.wait());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    fn shell(script: &str) -> Running {
        Running::start(
            OsStr::new("sh"),
            &["-c", script],
            Path::new("."),
            &[("GREETING", "hello".to_owned())],
            Stdio::null(),
        )
        .unwrap()
    }

    #[test]
    fn a_program_that_ends_by_itself_is_read_to_its_end_and_its_status_is_kept() {
        let mut running = shell("echo $GREETING; exit 7");
        assert_eq!(running.read_until(SOON, |_| false), Read::Ended);
        assert_eq!(running.lines(), ["hello"]);
        assert_eq!(running.finish().unwrap().code(), Some(7));
    }

    #[test]
    fn reading_stops_at_what_was_waited_for() {
        let mut running = shell("echo one; echo two; exec sleep 60");
        assert_eq!(
            running.read_until(SOON, |lines| lines.len() == 2),
            Read::Enough
        );
        assert_eq!(
            running.read_until(Duration::from_millis(50), |_| false),
            Read::TimedOut
        );
    }

    #[test]
    fn a_program_does_not_outlive_its_value() {
        let mut running = shell("echo $$; exec sleep 60");
        assert_eq!(
            running.read_until(SOON, |lines| lines.len() == 1),
            Read::Enough
        );
        let process = running.lines()[0].clone();
        let alive = || {
            let signal = Command::new("sh")
                .args(["-c", &format!("kill -0 {process} 2>&-")])
                .status();
            signal.unwrap().success()
        };
        assert!(alive());
        drop(running);
        assert!(!alive());
    }
}
