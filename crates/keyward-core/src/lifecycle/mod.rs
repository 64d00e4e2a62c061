//! The life of keys: pure functions from a record and arguments to a change, and the handle that
//! commits what they say.

mod acting;
mod bulk;
mod confirm;
mod error;
mod events;
pub(crate) mod history;
mod import;
mod invalid;
mod issue;
mod keyward;
mod new_key;
pub(crate) mod notices;
mod read;
mod receipt;
mod refusals;
mod revise;
mod revoke;
mod rotate;
mod standing;
mod suspend;
mod update;

pub use acting::Acting;
pub use bulk::BulkRevoke;
pub use error::{IssueError, LifecycleError};
pub use events::Events;
pub use import::ImportError;
pub use invalid::Invalid;
pub use issue::Issued;
pub use keyward::Keyward;
pub(crate) use keyward::Rules;
pub use new_key::NewKey;
pub use receipt::{Confirmation, Outcome, Receipt};
pub use revoke::{ConfirmedRevoke, Revoke};
pub use rotate::Rotate;
pub use standing::Standing;
pub use update::KeyUpdate;

/// How often a change is decided anew because others came first. Each time one of them made theirs,
/// so as many may want the same record at once.
const MAX_TRIES: u32 = 1_000;
