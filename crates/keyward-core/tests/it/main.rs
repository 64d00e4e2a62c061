//! The verifier and the life of keys, over a store that misbehaves on demand.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod coherence;
mod flights;
mod flood;
mod foreign;
mod foreign_keys;
mod health;
mod lifecycle;
mod peppers;
mod policy;
mod receipt;
mod register;
mod rights;
mod rotation;
mod support;
mod time;
