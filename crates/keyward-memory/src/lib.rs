//! The in-memory store of Keyward: the embedded default, for one process.
//!
//! [`MemoryStore`] keeps everything that a store can keep, and forgets it when it is dropped. It
//! gives the full promise: once a revocation has returned, no verification accepts the key.

mod by_age;
mod rows;
mod store;
mod table;
mod tokens;

pub use store::MemoryStore;
