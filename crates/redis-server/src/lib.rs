//! Starts, breaks and removes a Redis or Valkey server, with little but the standard library.
//!
//! A server starts within some ten milliseconds, so every test has one of its own. Every call blocks.
//!
//! Nothing is left behind: when the process ends in any way, even killed, a shell that waits stops the
//! server and deletes its directory.
#![cfg(unix)]

mod program;
mod server;
mod wire;

pub use postgres_cluster::{Error, Result};
pub use program::{REDIS, find_redis};
pub use server::{Options, RedisServer};
