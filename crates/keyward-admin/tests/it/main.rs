//! The routes on a service in memory and on one in Postgres. Every answer is held against the document.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod answer;
mod browsers;
mod cases;
mod document;
mod failures;
mod issuing;
mod life;
mod lists;
mod many;
mod matrix;
mod verifying;
mod world;
