//! The program itself, on a real Postgres.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod bulk;
mod doctor;
mod import;
mod life;
mod report;
mod scanner;
mod support;
mod unheard;
mod usage;
mod verify;
