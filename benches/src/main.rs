//! What a request costs with Keyward and with what people use instead, all measured in one run.
//!
//! `--quick` takes about twenty seconds, the full run about three minutes. Both write `report.md` and
//! `report.json` into `target/bench` below the current directory, or where `--out` says.

mod baselines;
mod bed;
mod guarded;
mod harness;
mod lineup;
mod machine;
mod many;
mod random;
mod report;
mod rows;

use std::error::Error;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::runtime::Builder;

use crate::lineup::Lineup;
use crate::many::Plan;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;

    // One thread of its own for the tasks of a service, which go on while requests are measured.
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_time()
        .build()?;

    let mut lineup = Lineup::default();
    baselines::enter(&mut lineup)?;
    let keys = runtime.block_on(guarded::enter(&mut lineup))?;

    let field = harness::compete(lineup.into_contenders(), options.time())?;
    runtime.block_on(keys.shutdown());
    let mut rows = rows::table(&field)?;
    rows.extend(many::run(&runtime, options.many())?);
    // What people look for first stands where a terminal ends.
    rows.sort_by_key(|row| row.section == rows::BUDGETS);
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
        Duration::from_secs(if self.quick { 8 } else { 90 })
    }

    fn many(&self) -> Plan {
        if self.quick {
            Plan {
                keys: 100_000,
                seconds: 3,
            }
        } else {
            Plan {
                keys: 1_000_000,
                seconds: 15,
            }
        }
    }
}
