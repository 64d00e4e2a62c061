//! What a request costs with Keyward and with what people use instead, all measured in one run.
//!
//! `--quick` takes about fifteen seconds, the full run about three minutes. Both write `report.md` and
//! `report.json` into `target/bench` below the current directory, or where `--out` says.

mod baselines;
mod bed;
mod harness;
mod lineup;
mod machine;
mod random;
mod report;
mod rows;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::lineup::Lineup;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;

    let mut lineup = Lineup::default();
    baselines::enter(&mut lineup)?;

    let field = harness::compete(lineup.into_contenders(), options.time())?;
    let rows = rows::table(&field)?;
    let report = report::write(&options.out, &rows, field.rounds())?;
    Ok(std::io::stdout().write_all(report.as_bytes())?)
}

#[derive(Debug)]
struct Options {
    quick: bool,
    out: PathBuf,
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            quick: false,
            out: PathBuf::from("target/bench"),
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--out" => options.out = arguments.next().ok_or("--out needs a folder")?.into(),
                other => {
                    return Err(format!(
                        "unknown argument {other:?}: there are --quick and --out DIR"
                    )
                    .into());
                }
            }
        }
        Ok(options)
    }

    /// How long the contenders take turns.
    fn time(&self) -> Duration {
        Duration::from_secs(if self.quick { 10 } else { 120 })
    }
}
