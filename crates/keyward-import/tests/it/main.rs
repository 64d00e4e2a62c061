//! Hashes that other libraries made, and whether the keys behind them are accepted.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod bcrypt_by_beginning;
mod digests;
mod layouts;
mod parsers;
mod slow;
mod support;
