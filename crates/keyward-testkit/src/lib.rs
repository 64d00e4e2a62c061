//! What a store of Keyward is tested with.
//!
//! - [`contract`] holds the laws that every store obeys, one function each.
//!   [`contract_tests!`] makes a test of each; a store that gives hints adds
//!   [`hint_contract_tests!`], and [`verifier_contract_tests!`] has those about the verifier over
//!   the store.
//! - [`FaultStore`] wraps a store and makes it fail, hang, lag or panic when told to.
//! - [`LeakWatch`] looks for secrets in everything that is logged.
//! - [`ManualClock`] moves a [`Clock`] by hand.
//!
//! Add it to the `dev-dependencies` of your store, with `tokio` and its features `macros` and
//! `rt-multi-thread`, and write in `tests/contract.rs`:
//!
//! ```
//! # use keyward_memory::MemoryStore;
//! keyward_testkit::contract_tests!(MemoryStore::default());
//! keyward_testkit::hint_contract_tests!(MemoryStore::default());
//! keyward_testkit::verifier_contract_tests!(MemoryStore::default());
//! # fn main() {}
//! ```
#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a law that does not hold panics: that is how a test fails"
)]

pub mod contract;
mod fault;
mod leaks;
mod macros;

pub use fault::{Call, Fault, FaultStore, Faults, Gate};
pub use keyward_store::{Clock, ManualClock};
pub use leaks::LeakWatch;
