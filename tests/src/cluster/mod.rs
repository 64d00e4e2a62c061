//! Several processes on one Postgres, and clients that watch what they accept.

mod client;
mod distribution;
mod node;

pub use client::{Answer, Client};
pub use distribution::Distribution;
pub use node::{Node, Settings};
