//! The layers, seen from the requests and answers on either side of them.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod answers;
mod credentials;
mod deprecation;
mod extractors;
mod foreign;
mod scopes;
mod service;
mod support;
