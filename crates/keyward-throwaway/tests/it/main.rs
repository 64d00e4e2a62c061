//! The throwaway servers and their faults, as a test uses them.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod database;
mod pgbouncer;
mod proxy;
mod server;
