//! Runs the adversarial cases: the project's own, or those of the file `ADVERSARIAL_CASES` names.
//!
//! Run with
//!
//! ```sh
//! cargo run -p keyward-tests --bin adversarial
//! ```
//!
//! It prints each case that fails, with what came and what was expected, each case that belongs
//! to another test, and the count. It exits with 1 when a case fails.

use std::error::Error;
use std::io::{self, Write};
use std::process::ExitCode;

use keyward_tests::adversarial::{self, Suite};

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let report = adversarial::run(&Suite::from_env()?).await;
    writeln!(io::stdout(), "{report}")?;
    Ok(match report.failed() {
        [] => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    })
}
