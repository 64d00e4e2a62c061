//! The laws that every store obeys.
//!
//! Each is a plain function that takes a fresh store, and panics when the law does not hold. The
//! law itself is in its documentation. [`contract_tests!`](crate::contract_tests) makes a test of
//! each.
//!
//! The laws of [`life`], [`import`], [`coherence`], [`receipt`] and [`outage`] are about the whole service: they
//! run the verifier over the store. [`verifier_contract_tests!`](crate::verifier_contract_tests)
//! makes tests of these. Those of [`issuing`], [`rotation`], [`keeping`], [`acting`], [`giving`],
//! [`events`] and [`model`] are about the management of keys;
//! [`lifecycle_contract_tests!`](crate::lifecycle_contract_tests) makes tests of them.

pub mod acting;
pub mod audit;
pub mod cap;
pub mod coherence;
pub mod commit;
pub mod delete;
pub mod events;
pub mod feed;
pub mod filter;
pub mod find;
pub mod foreign;
pub mod giving;
pub mod import;
pub mod issuing;
pub mod keeping;
pub mod life;
pub mod list;
pub mod load;
pub mod mixed;
pub mod model;
pub mod outage;
pub mod race;
pub mod receipt;
pub mod register;
pub mod rotation;
pub mod standing;
pub mod token;
pub mod touch;
pub mod unique;

mod population;
mod sample;
mod service;
mod team;
mod tools;
