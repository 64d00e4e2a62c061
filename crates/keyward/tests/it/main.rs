//! The layers, seen from the requests and answers on either side of them.

mod allocations;
mod answers;
mod credentials;
mod extractors;
mod scopes;
mod service;
mod support;
