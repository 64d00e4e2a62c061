//! How long a revocation takes that every node confirms: this process and two more.

use std::sync::atomic::{AtomicU64, Ordering};

use keyward::{Clock, Keyward, Outcome, Receipt};
use tokio::runtime::Runtime;

use super::bed::Filled;
use super::figures::{MAX, P50, P99, Ranks, micros};
use super::keys::{Key, format};
use super::node::{News, Node};
use crate::Result;
use crate::rows::Row;

/// How many revocations, with a receipt and without.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) revocations: usize,
}

/// Uses up keys from `next` on.
pub(super) fn run(
    runtime: &Runtime,
    filled: &Filled,
    plan: Plan,
    next: &AtomicU64,
) -> Result<Vec<Row>> {
    let keys = runtime.block_on(start(filled))?;
    let others = [
        Node::start(&filled.url, News::Hints)?,
        Node::start(&filled.url, News::Hints)?,
    ];
    let (mut alone, mut confirmed) = (Vec::new(), Vec::new());
    for n in 0..=plan.revocations {
        let next = || Key(next.fetch_add(1, Ordering::Relaxed));
        let took = runtime.block_on(revoke(&keys, next(), false))?;
        let with_receipt = runtime.block_on(revoke(&keys, next(), true))?;
        // The first one opens connections.
        if n > 0 {
            alone.push(took);
            confirmed.push(with_receipt);
        }
    }
    others.into_iter().try_for_each(Node::end)?;
    runtime.block_on(keys.shutdown());

    let (alone, confirmed) = (Ranks::of(alone)?, Ranks::of(confirmed)?);
    let ranks = [P50, P99, MAX];
    let to = ("Keyward::revoke: p50", alone.at(0.5));
    let mut rows = alone.rows(SECTION, "Keyward::revoke", &ranks, to);
    rows.extend(confirmed.rows(SECTION, "the same, confirmed by 3 nodes", &ranks, to));
    Ok(rows)
}

const SECTION: &str = "A revocation and its receipt";

async fn start(filled: &Filled) -> Result<Keyward> {
    let keys = Keyward::builder(filled.store()?).format(format()?);
    Ok(keys.start().await?)
}

/// How many microseconds it took, as its caller sees it.
async fn revoke(keys: &Keyward, key: Key, confirm: bool) -> Result<f64> {
    let (clock, id) = (Clock::system(), key.id()?);
    let start = clock.boot();
    if confirm {
        check(&keys.revoke(&id).confirm_everywhere().await?)?;
    } else {
        keys.revoke(&id).await?;
    }
    Ok(micros(clock.boot().since(start)))
}

/// A node that was waited for until its lease was over would be measured with the lease's length.
fn check(receipt: &Receipt) -> Result<()> {
    let nodes = receipt.nodes.iter();
    let applied = nodes.filter(|node| node.outcome == Outcome::Applied);
    match applied.count() {
        3 if receipt.nodes.len() == 3 => Ok(()),
        _ => Err(format!("three nodes ought to have confirmed: {:?}", receipt.nodes).into()),
    }
}
