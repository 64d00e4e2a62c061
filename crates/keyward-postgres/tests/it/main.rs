//! The store on a real Postgres, and everything that fails around one.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod bulk;
mod commits;
mod contract;
mod corrupt;
mod diagnose;
mod facts;
mod migrate;
mod network;
mod outage;
mod pages;
mod pgbouncer;
mod pool;
mod psql;
mod ready;
mod server;
mod support;
mod tokens;
mod transactions;
mod upgrade;
mod uses;
mod world;
