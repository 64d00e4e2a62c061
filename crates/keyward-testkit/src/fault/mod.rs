//! A store that misbehaves when told to.

mod gate;
mod plan;
mod store;

pub use gate::Gate;
pub use plan::{Call, Fault, Faults};
pub use store::FaultStore;
