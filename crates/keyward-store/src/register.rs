use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use uuid::Uuid;

use crate::{HistoryId, StoreError};

/// Knows every process that verifies keys of a store, so that a change can be confirmed everywhere.
///
/// # Contract
/// A node believes nothing unless it has beaten within the length of its lease, and nothing that it
/// asked for before its row was made. So whoever has seen the same beat for that long may strike
/// the node out: it has stopped believing, and begins anew once it finds that its row is gone.
///
/// # Implementing
/// Four methods over one table, without clocks. A beat that was answered survives a crash of the
/// store. One that was not may be counted late or twice, and a store may try it again itself: a node
/// knows by [`Beat::first_beat`] whether its row was gone in between. It is enough to take beats from
/// one sequence. [`LocalRegister`](crate::LocalRegister) is one for the nodes of one process.
#[async_trait]
pub trait Register: Debug + Send + Sync + 'static {
    /// Raises the node's beat, in a row that is made if there is none.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer; the beat may have been counted.
    async fn beat(&self, node: &Node) -> Result<Beat, StoreError>;

    /// Notes how far the node has applied the changes, if it has a row. This is no beat.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn applied(&self, node: &NodeId, applied: Applied) -> Result<(), StoreError>;

    /// The rows of all nodes, as of one moment after the call.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn nodes(&self) -> Result<Vec<RegisteredNode>, StoreError>;

    /// Removes the row of a node if this still is its beat, and says whether it did. A beat that
    /// is on its way comes before or after this as a whole.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot answer.
    async fn strike(&self, node: &NodeId, beat: u64) -> Result<bool, StoreError>;
}

/// The name of a node: unlike that of every other, and of itself before it was started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(Uuid);

impl NodeId {
    /// A new name.
    #[must_use]
    pub fn generate() -> Self {
        Self(Uuid::now_v7())
    }

    /// The name that these bytes spell.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Uuid::from_bytes(bytes))
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }
}

/// A process that verifies keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Node {
    /// Its name, to machines.
    pub id: NodeId,
    /// Its name, to people.
    pub name: Arc<str>,
    /// How long it believes what it knows, from its last beat on.
    pub lease: Duration,
    /// How far it has applied the changes.
    pub applied: Option<Applied>,
}

impl Node {
    /// A node that has applied nothing yet.
    #[must_use]
    pub fn new(id: NodeId, name: impl Into<Arc<str>>, lease: Duration) -> Self {
        Self {
            id,
            name: name.into(),
            lease,
            applied: None,
        }
    }
}

/// How far a node has applied the changes: nothing older is believed there any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// In which history.
    pub history: HistoryId,
    /// Up to which change of it.
    pub number: u64,
}

impl Applied {
    /// Whether this includes everything that `other` does.
    #[must_use]
    pub fn includes(&self, other: &Self) -> bool {
        self.history == other.history && self.number >= other.number
    }
}

/// The answer to a beat.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Beat {
    /// The beat by which the row was made. When it is another than in the last answer, the row was
    /// gone in between, and whatever the node knew may have been declared over.
    pub first_beat: u64,
    /// The rows of all nodes; that of this one may or may not be the new one.
    pub nodes: Vec<RegisteredNode>,
}

impl Beat {
    /// A beat in the row that was made by `first_beat`, and all rows.
    #[must_use]
    pub fn new(first_beat: u64, nodes: Vec<RegisteredNode>) -> Self {
        Self { first_beat, nodes }
    }
}

/// A row of the register.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RegisteredNode {
    /// The node, as its last beat told, and how far it has applied the changes since.
    pub node: Node,
    /// Unlike every beat of this node before it.
    pub beat: u64,
}

impl RegisteredNode {
    /// The row of a node.
    #[must_use]
    pub const fn new(node: Node, beat: u64) -> Self {
        Self { node, beat }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_applied_of_another_history_includes_nothing() {
        let applied = |history, number| Applied {
            history: HistoryId::new(history),
            number,
        };
        assert!(applied(7, 3).includes(&applied(7, 3)));
        assert!(applied(7, 4).includes(&applied(7, 3)));
        assert!(!applied(7, 2).includes(&applied(7, 3)));
        assert!(!applied(8, 4).includes(&applied(7, 3)));
    }
}
