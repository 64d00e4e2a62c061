//! The life of keys: pure functions from a record and arguments to a change, and the handle that
//! commits what they say.

mod error;
mod issue;
mod keyward;
mod new_key;
mod revoke;
mod standing;

pub use error::{IssueError, LifecycleError};
pub use issue::Issued;
pub use keyward::Keyward;
pub use new_key::NewKey;
pub use revoke::Revoke;
pub use standing::Standing;
