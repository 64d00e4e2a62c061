//! How many requests may pass.

mod buckets;
mod counter;
mod failures;
pub(crate) mod future;
mod gcra;
mod headers;
mod layer;
mod limiter;
mod rule;
mod service;
mod shared;
mod subject;
mod verdict;

pub(crate) use failures::Failures;
pub use layer::RateLimitLayer;
pub use limiter::RateLimits;
pub use rule::Rule;
pub use service::RateLimitService;
pub use shared::{LimitsAway, SharedLimit, SharedLimits, SharedTaken, WhenAway};
pub(crate) use subject::Who;
