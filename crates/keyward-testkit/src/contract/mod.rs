//! The laws that every store obeys.
//!
//! Each is a plain function that takes a fresh store, and panics when the law does not hold. The
//! law itself is in its documentation. [`contract_tests!`](crate::contract_tests) makes a test of
//! each.

pub mod audit;
pub mod cap;
pub mod commit;
pub mod feed;
pub mod find;
pub mod list;
pub mod load;
pub mod race;
pub mod standing;
pub mod touch;
pub mod unique;

mod sample;
mod tools;
