//! Limits and guards, seen from the requests and answers on either side of them.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod answers;
mod failures;
mod guards;
mod limits;
mod networks;
mod shared;
mod support;
