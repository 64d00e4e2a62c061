//! Who this node is among those of the same store.

use std::process;
use std::sync::Arc;

use keyward_store::NodeId;

#[derive(Debug)]
pub(crate) struct Identity {
    pub(crate) id: NodeId,
    /// Its name, to people.
    pub(crate) name: Arc<str>,
}

impl Identity {
    /// A node that is unlike every other, whatever its name.
    pub(crate) fn new(name: Option<Arc<str>>) -> Self {
        Self {
            id: NodeId::generate(),
            name: name.unwrap_or_else(|| format!("{}/{}", host(), process::id()).into()),
        }
    }
}

#[cfg(unix)]
fn host() -> String {
    let uname = rustix::system::uname();
    uname.nodename().to_string_lossy().into_owned()
}

#[cfg(not(unix))]
fn host() -> String {
    "node".to_owned()
}
