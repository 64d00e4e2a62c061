//! The life of keys: pure functions from a record and arguments to a change, and the handle that
//! commits what they say.

mod confirm;
mod error;
mod import;
mod issue;
mod keyward;
mod new_key;
mod receipt;
mod revoke;
mod standing;

pub use error::{IssueError, LifecycleError};
pub use import::ImportError;
pub use issue::Issued;
pub use keyward::Keyward;
pub use new_key::NewKey;
pub use receipt::{Confirmation, Outcome, Receipt};
pub use revoke::{ConfirmedRevoke, Revoke};
pub use standing::Standing;

/// How often a change is decided anew because others came first. Each time one of them made theirs,
/// so as many may want the same record at once.
const MAX_TRIES: u32 = 1_000;
