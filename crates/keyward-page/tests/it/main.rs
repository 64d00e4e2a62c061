//! The settings page as a client sees it that runs no scripts.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod adversarial;
mod create;
mod life;
mod list;
mod mount;
mod support;
