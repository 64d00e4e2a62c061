//! The verifier and the life of keys, over a store that misbehaves on demand.

mod coherence;
mod flights;
mod lifecycle;
mod peppers;
mod support;
mod time;
