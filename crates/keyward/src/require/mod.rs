pub(crate) mod future;
mod layer;
mod service;

pub use layer::RequireScopes;
pub use service::RequireScopesService;
