//! Searches the model of the coherence protocol.
//!
//! Run with
//!
//! ```sh
//! cargo run --release -p protocol-model
//! cargo run --release -p protocol-model -- receipt-losing
//! ```
//!
//! Without names it searches what the tests search; `receipt-losing` and `receipt-losing-more` are
//! too large for those, and take minutes and gigabytes. It exits with 1 when a promise is broken.

use std::io::{self, Write};
use std::process::ExitCode;

use protocol_model::{Configuration, Model, configurations};

fn main() -> io::Result<ExitCode> {
    let names: Vec<String> = std::env::args().skip(1).collect();
    let known = configurations::ALL.into_iter().chain(configurations::WIDE);
    let chosen: Vec<Configuration> = match names.is_empty() {
        true => configurations::ALL.to_vec(),
        false => known
            .filter(|it| names.iter().any(|name| name == it.name))
            .collect(),
    };
    if chosen.len() < names.len() {
        writeln!(io::stderr(), "there is no configuration of that name")?;
        return Ok(ExitCode::FAILURE);
    }
    let mut outcome = ExitCode::SUCCESS;
    for Configuration { name, bounds, .. } in chosen {
        let report = Model::new(bounds).explore();
        writeln!(io::stdout(), "{name}: {report}")?;
        if let Some(violation) = &report.violation {
            write!(io::stdout(), "{violation}")?;
            outcome = ExitCode::FAILURE;
        }
    }
    Ok(outcome)
}
