//! An exhaustive model of the coherence protocol: every order of steps, not a sample of them.
//!
//! It is written against the code's own terms. `node` is `keyward_core`'s `coherence`, `flight` and
//! `verification` are its `load` and `flights`, `poll` its `poller` and `polls`, `write` its `write`
//! with the two kinds of `LocalLog`, and `store` is what `keyward_store::KeyStore` promises. Each
//! function there is a handful of steps here, each of which is one atomic action of one process. A
//! [`Model`] visits, breadth first, every state that any order of them leads to; the first broken
//! promise has the shortest trace, which a [`Violation`] tells in words.
//!
//! **Time** is not bounded, and neither are polls, loads, beats and verifications one after the
//! other: a state holds what is left of each deadline, not the time of day. What is bounded is how
//! many changes there are (three at most), how many verifications and loads at once (two), and
//! failovers (one). A lease is one or two ticks, so that several things happen within a tick and a
//! deadline can be half over. A process that is stopped or cut off is one that takes no step for a
//! while, and any may do so at any time; answers are lost too.
//!
//! **The promise** (`promise`): a verification is owed the changes whose write has returned on its
//! node (P1), that were made a lease ago (P3; for an unwatched table, its age ago), or whose receipt
//! has returned anywhere (P4), when it starts. It breaks the promise when it accepts a key that is
//! revoked or whose tenant is suspended, or does not know of one that was made. Unavailable breaks
//! none; that it is not the only answer is counted.
//!
//! **The receipt** (`register`, `receipt`). A node's *beats* are durable writes of its row. Beats
//! are counted per *registration*, which is named anew whenever the row has to be made, and whose
//! name every answer to a beat bears. The node's *contact* ends a lease after its last answered beat
//! was *sent*. Leases, and the age of loads, end with contact, and count only what was sent after
//! the present registration was first answered. The node tells what it has *applied*; that prolongs
//! nothing. The writer of a change polls after its commit, and then waits until each node's row
//! tells a place as far on in the same history, is gone, or is *struck*: deleted by its
//! registration and beat, when that beat has been the last one for a lease since the answer in which
//! the writer first saw it. P3 is the latest end of it. A node that shuts down stops believing
//! (it raises its floor above everything), and then deletes its row. Where a failover may lose a
//! part of the register, a registration ends with its history too, beats count as seen only in the
//! history they were seen in, and a writer relies on a register only after it has followed its
//! history for a lease.
//!
//! **Assumed**, here as in the documentation of the promise: there is one primary at a time; all
//! changes pass the log (in `unwatched`, none of others' do); clocks of different nodes run equally
//! fast; no two nodes share an id. A change that a failover loses is owed to nobody; that what was
//! acknowledged survives is assumed by `receipt-failover` alone. That atomics are seen in one order
//! is loom's matter. Left out are owners (the rule is the tenants'), expiry and secrets (judged from
//! facts that are believed already), and the sizes of caches (what is evicted is a miss).
//!
//! **Merged steps.** Where one order of two steps can break every promise that any order can, only
//! that one is taken: a verification starts with its first look; a commit returns at once; a write
//! returns with the poll that it waits for; the writer elsewhere polls with its commit; minimums are
//! read and raised together, for all that must be raised are raised before the lease that makes them
//! matter. Lease, contact and registration change under one lock. A state ends the search of its
//! branch when nothing but the last facts can be read any more.
//!
//! | configuration | what is hard about it | states |
//! |---|---|---|
//! | `local` | a revocation here; two verifications hit, load and join | 1 447 442 |
//! | `sole-writer` | the same over `LocalLog::sole_writer`, whose log follows its rows | 1 674 528 |
//! | `foreign` | a revocation elsewhere, polls and hints late or lost; two verifications | 2 954 310 |
//! | `abandoned` | whoever started a load goes away, and others have joined | 1 328 203 |
//! | `slow-writes` | commits that take their time, here and elsewhere | 227 427 |
//! | `short-log` | a log that forgets events behind a cursor | 286 565 |
//! | `replica` | a replica that lags answers first attempts, second ones ask the primary | 410 236 |
//! | `failover` | another server without the log's tail, whose numbers are used again | 2 638 936 |
//! | `left-behind` | and a replica with the lost tail that goes on to answer, or follows | 4 055 992 |
//! | `unwatched` | `LocalLog::max_age`: others write unseen, no lease | 344 527 |
//! | `unwatched-joiners` | the same with two verifications | 1 827 444 |
//! | `creation-by-id` | a key is made after a cached miss of its public id, then revoked | 2 109 739 |
//! | `creation-by-digest` | the same by digest | 2 109 739 |
//! | `two-keys` | two keys, both revoked | 707 116 |
//! | `shared-stripe` | the same with one minimum for both | 733 822 |
//! | `tenant` | a tenant is suspended and its key revoked, in either order | 2 175 163 |
//! | `receipt` | a receipt; the node registers, falls silent, is struck, registers anew | 1 932 656 |
//! | `receipt-news` | and has other news to report | 2 065 457 |
//! | `receipt-slow-beats` | beats are on their way for as long as they like | 1 564 692 |
//! | `receipt-slow-reads` | so are answers of the register | 2 354 543 |
//! | `receipt-leaving` | the node shuts down at any moment | 816 526 |
//! | `receipt-replica` | a replica answers loads | 621 769 |
//! | `receipt-failover` | another server takes over and lacks nothing | 989 783 |
//! | `receipt-losing-by-age` | and lacks a part of log and register; no polls | 856 858 |
//! | `receipt-losing` | the same with polls; in the binary | 27 149 022 |
//! | `receipt-losing-more` | and with beats that are not heard of; in the binary | 64 702 013 |
//!
//! A [`Mutation`] breaks one rule. The tests assert for each that it is found, or that it is not:
//! three rules turn out to keep no promise. Joining an early load on the second attempt only costs
//! a retry; the cursor's token only tells what a history's name tells, as long as every server has
//! a name of its own; and the lease that is cut when a node registers anew has run out by then.

mod action;
mod bounds;
pub mod configurations;
mod fingerprint;
mod flight;
mod mutation;
mod node;
mod poll;
mod promise;
mod protocol;
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
pub use configurations::Configuration;
pub use mutation::Mutation;
pub use promise::Verdict;
pub use protocol::Model;
pub use report::{Report, Violation};
pub use store::{Change, Facts};
