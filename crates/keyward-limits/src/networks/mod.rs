//! From where keys may be used.

mod layer;
mod service;

pub use layer::NetworksLayer;
pub use service::NetworksService;
