//! Support for the tests of this package, which need several crates at once.

pub mod adversarial;
pub mod cluster;
