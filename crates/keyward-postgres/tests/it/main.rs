//! The store on a real Postgres, and everything that fails around one.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "that is how a test fails, and how it tells what it measured"
)]

mod contract;
mod network;
mod outage;
mod psql;
mod server;
mod support;
