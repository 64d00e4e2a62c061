//! What a real Postgres takes: misses, revocations, last uses.
//!
//! The server is a throwaway of this run, with the settings that Postgres comes with.

mod bed;
mod figures;
mod keys;
mod loads;
mod misses;
pub(crate) mod node;
mod receipts;
mod refusals;
mod uses;
mod writers;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use tokio::runtime::Builder;

use self::bed::{Bed, Filled};
use crate::Result;
use crate::rows::{Row, thousands};

/// How much of it.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    /// How many keys the databases hold, the smallest first. The second is what all but the loads
    /// are measured on.
    sizes: Vec<u64>,
    loads: loads::Plan,
    misses: misses::Plan,
    uses: uses::Plan,
    writers: writers::Plan,
    refusals: refusals::Plan,
    receipts: receipts::Plan,
}

impl Plan {
    /// About two minutes.
    pub(crate) fn quick() -> Self {
        Self {
            sizes: vec![10_000, 1_000_000],
            loads: loads::Plan {
                rounds: 3,
                loads: 1_000,
            },
            misses: misses::Plan {
                rounds: 3,
                window: Duration::from_millis(500),
            },
            uses: uses::Plan { rounds: 5 },
            writers: writers::Plan {
                rounds: 3,
                window: Duration::from_millis(500),
            },
            refusals: refusals::Plan {
                hinted: 300,
                polled: 8,
            },
            receipts: receipts::Plan { revocations: 100 },
        }
    }

    /// Ten million keys take some eight gigabytes of disk for as long as it runs.
    pub(crate) fn full() -> Self {
        Self {
            sizes: vec![10_000, 1_000_000, LARGEST],
            loads: loads::Plan {
                rounds: 10,
                loads: 2_000,
            },
            misses: misses::Plan {
                rounds: 7,
                window: Duration::from_secs(1),
            },
            uses: uses::Plan { rounds: 15 },
            writers: writers::Plan {
                rounds: 7,
                window: Duration::from_secs(1),
            },
            refusals: refusals::Plan {
                hinted: 1_000,
                polled: 60,
            },
            receipts: receipts::Plan { revocations: 500 },
        }
    }
}

const LARGEST: u64 = 10_000_000;

/// What was measured, and what a reader of it must know.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) rows: Vec<Row>,
    pub(crate) note: String,
}

pub(crate) fn run(plan: &Plan) -> Result<Outcome> {
    let runtime = Builder::new_multi_thread().enable_all().build()?;
    let bed = runtime.block_on(Bed::start())?;
    let (filled, mut rows) = runtime.block_on(by_size(&bed, plan))?;

    // Keys are good until these have run.
    rows.extend(runtime.block_on(misses::run(&filled, plan.misses))?);
    rows.extend(runtime.block_on(uses::run(&bed, &filled, plan.uses))?);
    let next = Arc::new(AtomicU64::new(0));
    rows.extend(refusals::run(&runtime, &filled, plan.refusals, &next)?);
    rows.extend(receipts::run(&runtime, &filled, plan.receipts, &next)?);
    rows.extend(runtime.block_on(writers::run(&filled, plan.writers, &next))?);

    let settings = runtime.block_on(bed.settings())?;
    let left_out = if plan.sizes.contains(&LARGEST) {
        String::new()
    } else {
        format!(" {} keys are left out of a quick run.", thousands(LARGEST))
    };
    Ok(Outcome {
        rows,
        note: format!("Postgres, on this machine, as it comes: {settings}. {HOW}{left_out}"),
    })
}

/// Loads from all databases, and the one that everything else is measured on.
async fn by_size(bed: &Bed, plan: &Plan) -> Result<(Filled, Vec<Row>)> {
    let mut databases = Vec::new();
    for &size in &plan.sizes {
        databases.push(bed.keys(size).await?);
    }
    let rows = loads::run(&databases, plan.loads).await?;
    // What is written from here on need not share the disk with the largest.
    for larger in databases.drain(2..) {
        bed.drop(larger).await?;
    }
    let filled = databases.pop().ok_or("no database to measure on")?;
    Ok((filled, rows))
}

const HOW: &str = "Its contenders take turns in windows, one figure each; of rates, `min` is the slowest window. \
A rank over all revocations is one figure, its own minimum. Nodes other than the writer's are processes of their own. Refusals are looked for every tenth of a millisecond or so. \
The verifier among the misses writes no last uses down; what those take has a table of its own. \
A flush does not wait for the disk, the UPDATE beside it does.";
