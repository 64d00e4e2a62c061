//! Managing API keys over HTTP.
//!
//! The host says who asks: [`Actors`]. What they may do is the policy's to say.

mod actors;

pub use actors::{Actors, Extracted};
