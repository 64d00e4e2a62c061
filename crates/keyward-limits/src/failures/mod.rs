//! Addresses from which too many bad keys come.

mod future;
mod layer;
mod service;

pub use future::ResponseFuture;
pub use layer::FailureLimitLayer;
pub use service::FailureLimitService;
