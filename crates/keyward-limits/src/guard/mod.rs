//! Requests that must not bear a key at all.

mod future;
mod layer;
mod service;

pub use future::ResponseFuture;
pub use layer::GuardLayer;
pub use service::GuardService;
