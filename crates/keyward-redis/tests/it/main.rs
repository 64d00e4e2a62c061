//! Limits that nodes share, on a real server.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod contract;
mod secrets;
mod server;
mod support;
mod values;
