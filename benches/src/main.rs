//! What a request costs with Keyward and with what people use instead, all measured in one run.
//!
//! `--quick` takes about two minutes, the full run about fifteen. Both write `report.md` and
//! `report.json` into `target/bench` below the current directory, or where `--out` says. `--only`
//! leaves out all but the `requests`, the shared `limits` or `postgres`.

mod baselines;
mod bed;
mod guarded;
mod harness;
mod limits;
mod lineup;
mod machine;
mod many;
mod postgres;
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
use crate::rows::Row;

type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    if arguments
        .peek()
        .is_some_and(|first| first == postgres::node::ARGUMENT)
    {
        return postgres::node::run();
    }
    let options = Options::parse(arguments)?;

    let (mut rows, mut notes) = (Vec::new(), Vec::new());
    if options.runs(Part::Requests) {
        let (measured, rounds) = requests(&options)?;
        rows.extend(measured);
        notes.push(format!("{HOW} Rounds: {rounds}."));
    }
    if options.runs(Part::Limits) {
        let measured = limits::run(&options.limits())?;
        rows.extend(measured.rows);
        notes.push(measured.note);
    }
    if options.runs(Part::Postgres) {
        let measured = postgres::run(&options.postgres())?;
        rows.extend(measured.rows);
        notes.push(measured.note);
    }
    // What people look for first stands where a terminal ends.
    rows.sort_by_key(|row| row.section == rows::BUDGETS);
    let report = report::write(&options.out, &rows, &notes)?;
    Ok(std::io::stdout().write_all(report.as_bytes())?)
}

/// All that needs no database, and in how many rounds.
fn requests(options: &Options) -> Result<(Vec<Row>, usize)> {
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
    Ok((rows, field.rounds()))
}

const HOW: &str = "Requests: all contenders take turns in short batches, in another order each round, on one thread; requests \
are built off the clock. `min` and `median` are of batch means; a ratio is the median of the ratios within each round. \
`added` is the difference within each round (`min`: of the two minima). \
Where there are many keys, most hits are the first of their key in a second and note its last use as well. \
What else runs on the machine shows in the medians, and most of all in the slowest hits.";

#[derive(Debug)]
struct Options {
    quick: bool,
    only: Option<Part>,
    out: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Requests,
    Limits,
    Postgres,
}

impl Part {
    fn parse(name: Option<String>) -> Result<Self> {
        match name.as_deref() {
            Some("requests") => Ok(Self::Requests),
            Some("limits") => Ok(Self::Limits),
            Some("postgres") => Ok(Self::Postgres),
            _ => Err("--only needs one of requests, limits and postgres".into()),
        }
    }
}

impl Options {
    fn parse(mut arguments: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            quick: false,
            only: None,
            out: PathBuf::from("target/bench"),
        };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--quick" => options.quick = true,
                "--only" => options.only = Some(Part::parse(arguments.next())?),
                "--out" => options.out = arguments.next().ok_or("--out needs a folder")?.into(),
                other => {
                    return Err(format!(
                        "unknown argument {other:?}: there are --quick, --only PART and --out DIR"
                    )
                    .into());
                }
            }
        }
        Ok(options)
    }

    fn runs(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }

    fn limits(&self) -> limits::Plan {
        limits::Plan {
            rounds: if self.quick { 5 } else { 20 },
            questions: if self.quick { 2_000 } else { 5_000 },
        }
    }

    /// How long the contenders take turns.
    fn time(&self) -> Duration {
        Duration::from_secs(if self.quick { 8 } else { 90 })
    }

    fn postgres(&self) -> postgres::Plan {
        if self.quick {
            postgres::Plan::quick()
        } else {
            postgres::Plan::full()
        }
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
