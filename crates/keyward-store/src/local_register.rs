use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Applied, Beat, Node, NodeId, Register, RegisteredNode, StoreError};

/// The nodes of one process: the [`Register`] of a store that no other process uses.
#[derive(Debug, Default)]
pub struct LocalRegister(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    nodes: BTreeMap<NodeId, Row>,
    /// The last beat of any node: so no node ever has the same beat twice.
    beat: u64,
}

#[derive(Debug)]
struct Row {
    registered: RegisteredNode,
    first_beat: u64,
}

impl Rows {
    fn all(&self) -> Vec<RegisteredNode> {
        let rows = self.nodes.values();
        rows.map(|row| row.registered.clone()).collect()
    }
}

impl LocalRegister {
    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Register for LocalRegister {
    async fn beat(&self, node: &Node) -> Result<Beat, StoreError> {
        let mut rows = self.lock();
        rows.beat += 1;
        let registered = RegisteredNode::new(node.clone(), rows.beat);
        let before = rows.nodes.get(&node.id);
        let first_beat = before.map_or(registered.beat, |row| row.first_beat);
        let row = Row {
            registered,
            first_beat,
        };
        rows.nodes.insert(node.id, row);
        Ok(Beat::new(first_beat, rows.all()))
    }

    async fn applied(&self, node: &NodeId, applied: Applied) -> Result<(), StoreError> {
        if let Some(row) = self.lock().nodes.get_mut(node) {
            row.registered.node.applied = Some(applied);
        }
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<RegisteredNode>, StoreError> {
        Ok(self.lock().all())
    }

    async fn strike(&self, node: &NodeId, beat: u64) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let row = rows.nodes.get(node);
        let stands = row.is_some_and(|row| row.registered.beat == beat);
        if stands {
            rows.nodes.remove(node);
        }
        Ok(stands)
    }
}
