//! From the commit of a revocation to the first refusal in another process.
//!
//! Both processes read one clock, that of the machine since its start.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use keyward::{BootTime, Change, Clock, Expectation, Lookup, Records, Selector, Write};
use keyward_postgres::PostgresStore;
use tokio::runtime::Runtime;

use super::bed::Filled;
use super::figures::{MAX, P50, P99, Ranks, micros};
use super::keys::Key;
use super::node::{News, Node};
use crate::Result;
use crate::random::Random;
use crate::rows::Row;

/// How many revocations.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) hinted: usize,
    pub(super) polled: usize,
}

/// Uses up keys from `next` on.
pub(super) fn run(
    runtime: &Runtime,
    filled: &Filled,
    plan: Plan,
    next: &AtomicU64,
) -> Result<Vec<Row>> {
    // A pool is made on a runtime.
    let store = runtime.block_on(async { filled.store() })?;
    let measure = |news, times, pause| -> Result<Measured> {
        let mut node = Node::start(&filled.url, news)?;
        let mut random = Random::new(5);
        let mut all = Vec::new();
        for _ in 0..times {
            let key = Key(next.fetch_add(1, Ordering::Relaxed));
            // Somewhere between two polls, and not always right behind one.
            thread::sleep(pause * random.below(1_000) as u32 / 1_000);
            node.watch(key)?;
            let (sent, returned) = runtime.block_on(revoke(&store, key))?;
            let refused = node.refused()?;
            all.push([sent, returned, refused]);
        }
        node.end()?;
        Measured::of(&all)
    };
    let hinted = measure(News::Hints, plan.hinted, BETWEEN_HINTED)?;
    let polled = measure(News::Polls, plan.polled, POLL_INTERVAL)?;

    let (half, all) = ([P50], [P50, P99, MAX]);
    let commit = "the commit itself: p50";
    let to = (commit, hinted.commit.at(0.5));
    let mut rows = hinted.commit.rows(SECTION, "the commit itself", &all, to);
    let sent = "from the commit's start to the first refusal elsewhere";
    rows.extend(hinted.from_start.rows(SECTION, sent, &all, to));
    let returned = "from the commit's return to the first refusal elsewhere";
    rows.extend(hinted.from_return.rows(SECTION, returned, &all, to));

    let to = hinted.from_start.rows(SECTION, sent, &half, to);
    let to = to.first().ok_or("no figure of a refusal")?;
    let to = (&*to.name, to.median);
    let lost = "notifications lost, from the commit's start to the first refusal elsewhere";
    rows.extend(polled.from_start.rows(SECTION, lost, &all, to));
    Ok(rows)
}

const SECTION: &str = "From a revocation to its refusal in another process";
const POLL_INTERVAL: Duration = Duration::from_secs(1);
const BETWEEN_HINTED: Duration = Duration::from_millis(5);

/// What became of all revocations.
struct Measured {
    commit: Ranks,
    from_start: Ranks,
    from_return: Ranks,
}

impl Measured {
    fn of(all: &[[BootTime; 3]]) -> Result<Self> {
        // The refusal may come before the return.
        let between = |from: usize, to: usize| {
            let signed = |times: &[BootTime; 3]| {
                micros(times[to].since(times[from])) - micros(times[from].since(times[to]))
            };
            Ranks::of(all.iter().map(signed).collect())
        };
        Ok(Self {
            commit: between(0, 1)?,
            from_start: between(0, 2)?,
            from_return: between(1, 2)?,
        })
    }
}

/// Revokes a key as the service does, and tells when the commit was sent and when it returned.
async fn revoke(store: &PostgresStore, key: Key) -> Result<(BootTime, BootTime)> {
    let (clock, id) = (Clock::system(), key.id()?);
    let found = store.find(&Selector::Key(id.clone())).await?;
    let mut record = found
        .into_iter()
        .next()
        .ok_or("there are not enough keys to revoke")?
        .record;
    let expected = Expectation::Revision {
        key: id,
        is: record.revision,
    };
    record.revoked_at = Some(clock.wall());
    record.revision += 1;
    let write = Write::Replace {
        record,
        refound: false,
    };
    let change = Change::new(clock.wall()).expect(expected).write(write);

    let sent = clock.boot();
    store.commit(&change).await?;
    Ok((sent, clock.boot()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_may_come_before_the_commit_returns() {
        let times = [1_000, 9_000, 7_000].map(BootTime::from_nanos);
        let measured = Measured::of(&[times]).unwrap();
        assert_eq!(measured.commit.at(0.5), 8.0);
        assert_eq!(measured.from_start.at(0.5), 6.0);
        assert_eq!(measured.from_return.at(0.5), -2.0);
    }
}
