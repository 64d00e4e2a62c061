use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{Applied, Beat, Node, NodeId, Register, RegisteredNode, StoreError};

/// The nodes of one process: the [`Register`] of a store that no other process uses.
#[derive(Debug, Default)]
pub struct LocalRegister(Mutex<Rows>);

#[derive(Debug, Default)]
struct Rows {
    nodes: BTreeMap<NodeId, RegisteredNode>,
    /// The last beat of any node: so no node ever has the same beat twice.
    beat: u64,
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
        let row = RegisteredNode::new(node.clone(), rows.beat);
        let before = rows.nodes.insert(node.id, row);
        let nodes = rows.nodes.values().cloned().collect();
        Ok(Beat::new(before.is_some(), nodes))
    }

    async fn applied(&self, node: &NodeId, applied: Applied) -> Result<(), StoreError> {
        if let Some(row) = self.lock().nodes.get_mut(node) {
            row.node.applied = Some(applied);
        }
        Ok(())
    }

    async fn nodes(&self) -> Result<Vec<RegisteredNode>, StoreError> {
        Ok(self.lock().nodes.values().cloned().collect())
    }

    async fn strike(&self, node: &NodeId, beat: u64) -> Result<bool, StoreError> {
        let mut rows = self.lock();
        let stands = rows.nodes.get(node).is_some_and(|row| row.beat == beat);
        if stands {
            rows.nodes.remove(node);
        }
        Ok(stands)
    }
}
