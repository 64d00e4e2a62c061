//! Who may do what to which keys: one pure function, and how it is set up.

mod action;
mod actor;
mod refusal;
mod role;
mod rules;

pub use action::{Action, Reach};
pub use actor::Actor;
pub use refusal::Refusal;
pub use role::Role;
pub use rules::{Policy, ScopeRule};
