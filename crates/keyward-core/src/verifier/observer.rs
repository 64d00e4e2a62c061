//! What this node has seen of the others.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyward_store::{BootTime, NodeId, RegisteredNode};

/// The rows of the register as they were last read, and since when each beat is known.
#[derive(Debug, Default)]
pub(crate) struct Observer(Mutex<HashMap<NodeId, Seen>>);

#[derive(Debug)]
struct Seen {
    row: RegisteredNode,
    /// When the answer arrived in which this beat was first seen: the node sent it before.
    since: BootTime,
}

impl Observer {
    /// Rows that were read, and have arrived at that moment.
    pub(crate) fn observe(&self, rows: &[RegisteredNode], arrived: BootTime) {
        let mut seen = self.lock();
        let known = |row: &RegisteredNode| {
            let before = seen.get(&row.node.id);
            let before = before.filter(|before| before.row.beat == row.beat);
            before.map(|before| before.since)
        };
        let now = rows.iter().map(|row| {
            let since = known(row).unwrap_or(arrived);
            let row = row.clone();
            (row.node.id, Seen { row, since })
        });
        *seen = now.collect();
    }

    /// When everything is over that the node with this row knew at its last beat; never, as far as is
    /// known, when another beat was seen.
    pub(crate) fn over_at(&self, row: &RegisteredNode) -> BootTime {
        let seen = self.lock();
        let seen = seen.get(&row.node.id);
        let same = seen.filter(|seen| seen.row.beat == row.beat);
        same.map_or(BootTime::NEVER, Seen::over_at)
    }

    /// The rows that were there when the register was last read.
    pub(crate) fn rows(&self) -> Vec<RegisteredNode> {
        self.lock().values().map(|seen| seen.row.clone()).collect()
    }

    /// The rows of nodes that have long been gone without a word.
    pub(crate) fn forgotten(&self, now: BootTime) -> Vec<RegisteredNode> {
        let seen = self.lock();
        let gone = seen
            .values()
            .filter(|seen| now >= seen.over_at().after(MOURNING));
        gone.map(|seen| seen.row.clone()).collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<NodeId, Seen>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    fn over_at(&self) -> BootTime {
        self.since.after(outlast(self.row.node.lease))
    }
}

/// How long to wait here for a time to have passed elsewhere: two clocks that are being set right may
/// differ by a thousandth, and a store may keep whole milliseconds.
pub(crate) fn outlast(time: Duration) -> Duration {
    time.saturating_add(time / 500 + Duration::from_millis(1))
}

/// How long a row stays after its lease is over: whoever was only suspended finds it again.
const MOURNING: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use keyward_store::Node;

    use super::*;

    const LEASE: Duration = Duration::from_secs(5);

    fn row(id: NodeId, beat: u64) -> RegisteredNode {
        RegisteredNode::new(Node::new(id, "node", LEASE), beat)
    }

    fn at(seconds: u64) -> BootTime {
        BootTime::from_nanos(seconds * 1_000_000_000)
    }

    #[test]
    fn a_lease_is_counted_from_when_a_beat_was_first_seen() {
        let observer = Observer::default();
        let id = NodeId::generate();
        let over = outlast(LEASE);
        observer.observe(&[row(id, 1)], at(10));
        observer.observe(&[row(id, 1)], at(12));
        assert_eq!(observer.over_at(&row(id, 1)), at(10).after(over));
        assert_eq!(observer.over_at(&row(id, 2)), BootTime::NEVER);
        observer.observe(&[row(id, 2)], at(13));
        assert_eq!(observer.over_at(&row(id, 2)), at(13).after(over));
        assert_eq!(observer.over_at(&row(id, 1)), BootTime::NEVER);
    }

    #[test]
    fn who_is_gone_from_the_register_is_not_remembered() {
        let observer = Observer::default();
        let id = NodeId::generate();
        observer.observe(&[row(id, 1)], at(10));
        observer.observe(&[], at(11));
        assert_eq!(observer.rows(), []);
        observer.observe(&[row(id, 1)], at(20));
        assert_eq!(observer.over_at(&row(id, 1)), at(20).after(outlast(LEASE)));
    }

    #[test]
    fn a_row_is_forgotten_a_minute_after_its_lease() {
        let observer = Observer::default();
        let id = NodeId::generate();
        observer.observe(&[row(id, 1)], at(10));
        let end = at(10).after(outlast(LEASE)).after(MOURNING);
        let before = BootTime::from_nanos(end.as_nanos() - 1);
        assert_eq!(observer.forgotten(before), []);
        assert_eq!(observer.forgotten(end), [row(id, 1)]);
    }
}
