//! Waiting until a change is heeded everywhere.

use std::collections::HashMap;
use std::time::Duration;

use keyward_store::{BootTime, NodeId, RegisteredNode};
use tokio::time::{sleep, timeout};

use super::{Confirmation, Outcome};
use crate::verifier::caught::caught;
use crate::verifier::node::Node;
use crate::verifier::observer::outlast;
use crate::verifier::write::CaughtUp;

/// Returns once every node believes nothing older than what had been committed by then.
///
/// Nobody needs to be reached for that: when the longest time has passed for which anything is believed
/// anywhere, it is certain of all. Each node that says so itself, or whose beat has stood still for
/// the length of its lease, is certain sooner.
pub(super) async fn confirm(node: &Node, caught_up: CaughtUp) -> Vec<Confirmation> {
    let mut wait = Wait::new(node, caught_up);
    let mut pause = SHORTEST_PAUSE;
    loop {
        if wait.needs_a_look() {
            wait.look().await;
        }
        if wait.is_over() {
            return wait.end();
        }
        sleep(pause.min(wait.until_something_is_due())).await;
        pause = LONGEST_PAUSE.min(pause * 2);
    }
}

struct Wait<'a> {
    node: &'a Node,
    caught_up: CaughtUp,
    /// When it is certain of every node, whatever has become of it.
    deadline: BootTime,
    /// The others that it is not certain of yet; `None` until the register was read.
    open: Option<HashMap<NodeId, RegisteredNode>>,
    certain: Vec<Confirmation>,
}

impl<'a> Wait<'a> {
    fn new(node: &'a Node, caught_up: CaughtUp) -> Self {
        let mut wait = Self {
            node,
            caught_up,
            deadline: BootTime::ZERO,
            open: None,
            certain: Vec::new(),
        };
        wait.outlast(node.coherence.longest_trust());
        for row in node.observer.rows() {
            wait.outlast(row.node.lease);
        }
        wait
    }

    fn outlast(&mut self, trust: Duration) {
        let over = self.caught_up.since.after(outlast(trust));
        self.deadline = self.deadline.max(over);
    }

    fn needs_a_look(&self) -> bool {
        self.open.as_ref().is_none_or(|open| !open.is_empty())
    }

    /// Reads the register. What fails is tried again.
    async fn look(&mut self) {
        let least = match self.open {
            Some(_) => Duration::ZERO,
            None => LAST_LOOK,
        };
        let limit = self.node.limits.poll.min(self.time_left().max(least));
        let rows = caught(async { self.node.store.register().nodes().await });
        let Ok(Ok(Ok(rows))) = timeout(limit, rows).await else {
            return;
        };
        self.node.observer.observe(&rows, self.node.clock.boot());
        let rows: HashMap<_, _> = rows.into_iter().map(|row| (row.node.id, row)).collect();
        // Whoever is not on the register at the first look was struck out and believes nothing, or
        // begins later and asks for everything anew.
        let open = self.open.take().unwrap_or_else(|| {
            let mut others = rows.clone();
            others.remove(&self.node.identity.id);
            others
        });
        let mut still_open = HashMap::new();
        for (id, before) in open {
            match rows.get(&id) {
                None => self.note(&before, Outcome::Left),
                Some(row) => match self.outcome(row).await {
                    Some(outcome) => self.note(row, outcome),
                    None => {
                        self.outlast(row.node.lease);
                        still_open.insert(id, row.clone());
                    }
                },
            }
        }
        self.open = Some(still_open);
    }

    /// What is certain of a node with this row, if anything is.
    async fn outcome(&self, row: &RegisteredNode) -> Option<Outcome> {
        let target = self.caught_up.applied;
        let told = row.node.applied.zip(target);
        if told.is_some_and(|(applied, target)| applied.includes(&target)) {
            return Some(Outcome::Applied);
        }
        if self.node.clock.boot() < self.node.observer.over_at(row) {
            return None;
        }
        // Struck out, it cannot take up again what it knew.
        let limit = self.node.limits.poll.min(self.time_left());
        let struck = self.node.strike(row, limit).await;
        struck.then_some(Outcome::LeaseOver)
    }

    fn note(&mut self, row: &RegisteredNode, outcome: Outcome) {
        self.certain.push(Confirmation {
            node: row.node.name.clone(),
            outcome,
        });
    }

    fn is_over(&self) -> bool {
        let node = self.node;
        // Where others write the table unseen, and after a server was replaced, there may be nodes
        // that are not on this register.
        let complete = node.vitals.hears_all() && node.coherence.is_settled();
        let all_known = complete && self.knows_itself();
        let certain = all_known && !self.needs_a_look();
        certain || node.clock.boot() >= self.deadline
    }

    /// Whether this node itself believes nothing older.
    fn knows_itself(&self) -> bool {
        self.caught_up.applied.is_some() || self.node.coherence.is_stopped()
    }

    fn time_left(&self) -> Duration {
        self.deadline.since(self.node.clock.boot())
    }

    fn until_something_is_due(&self) -> Duration {
        let open = self.open.iter().flat_map(HashMap::values);
        let leases = open.map(|row| self.node.observer.over_at(row));
        let due = leases.fold(self.deadline, BootTime::min);
        due.since(self.node.clock.boot()).max(SHORTEST_PAUSE)
    }

    /// All nodes: those that are left have been silent, or behind, for too long.
    fn end(mut self) -> Vec<Confirmation> {
        let node = self.node;
        let me = node.identity.id;
        let silent = match self.open.take() {
            Some(open) => open.into_values().collect(),
            None => node.observer.rows(),
        };
        for row in silent.iter().filter(|row| row.node.id != me) {
            self.note(row, Outcome::LeaseOver);
        }
        if !node.coherence.is_stopped() {
            let outcome = match self.caught_up.applied {
                Some(_) => Outcome::Applied,
                None => Outcome::LeaseOver,
            };
            let node = node.identity.name.clone();
            self.certain.push(Confirmation { node, outcome });
        }
        self.certain.sort_by(|a, b| a.node.cmp(&b.node));
        self.certain
    }
}

const SHORTEST_PAUSE: Duration = Duration::from_millis(1);
const LONGEST_PAUSE: Duration = Duration::from_millis(50);
/// When all time is up before the register could be read at all, for a last try.
const LAST_LOOK: Duration = Duration::from_millis(500);
