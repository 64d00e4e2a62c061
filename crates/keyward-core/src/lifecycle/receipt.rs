use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// That a change is heeded everywhere: which nodes there were, and what was awaited of each.
///
/// Once it is there, no verification that starts anywhere believes anything that was read before the
/// change. It takes some milliseconds while all nodes are well, and in any case no longer than the
/// length of a lease and one second.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Receipt {
    /// The nodes that were registered, by name; this one too.
    pub nodes: Vec<Confirmation>,
    /// How long it took, from the call on.
    pub took: Duration,
}

/// What is certain of one node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Confirmation {
    /// The name of the node, as [`Builder::node_name`](crate::Builder::node_name) gave it.
    pub node: Arc<str>,
    /// Why it believes nothing older any more.
    pub outcome: Outcome,
}

/// Why a node believes nothing any more that was read before a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Outcome {
    /// It has learnt of the change.
    Applied,
    /// It was not heard of for so long that it has stopped believing what it knew.
    LeaseOver,
    /// It went off the register: it was shut down, or someone else has found its lease over.
    Left,
}

impl Outcome {
    /// The stable word for it, in logs and answers.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::LeaseOver => "lease_over",
            Self::Left => "left",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
