//! An exhaustive model of the coherence protocol.
//!
//! One node, with up to two verifications at a time, its poller, its flights, its writer and its beats;
//! others who change and watch the same store; a replica that lags, a failover that loses the end of
//! the log, notifications that are late or lost, links that break, processes that stand still. Every
//! interleaving is searched, breadth first, and the shortest way to a broken promise is told in words.
//!
//! It is written in the terms of `keyward-core`'s `verifier` and `keyward-store`'s `feed` and
//! `register`: what is a step here is an atomic action there. Time passes in ticks.
//!
//! # What it assumes
//! One primary at a time; what was acknowledged survives, but for the changes that a failover is told
//! to lose; every change passes the triggers; clocks run alike. The order of memory accesses between
//! threads is not its matter, beyond the steps that it splits.
//!
//! # What it finds
//! `tests/protocol.rs` has the configurations, none of which breaks a promise, and the rules without
//! which one is broken. Not asserted, as they harm nobody within these bounds: comparing the cursor's
//! token where histories are named anyway, and cutting the lease when a node registers anew, since it
//! has run out by then. Both are kept, as a second line.

mod action;
mod bounds;
mod fingerprint;
mod flight;
mod model;
mod mutation;
mod node;
mod poll;
mod promise;
mod receipt;
mod register;
mod report;
mod search;
mod seen;
mod store;
mod verification;
mod world;
mod write;

pub use bounds::{Bounds, Failover, FoundBy, Kind, Writers};
pub use model::Model;
pub use mutation::Mutation;
pub use promise::Verdict;
pub use report::{Report, Violation};
pub use store::{Change, Facts};
