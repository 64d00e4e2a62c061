pub(crate) mod future;
mod layer;
mod service;

pub use layer::DeprecationLayer;
pub use service::DeprecationService;
