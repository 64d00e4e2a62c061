//! The settings page in a real browser: Chromium, driven as a person would use it.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

mod access;
mod browser;
mod life;
mod safety;
mod secret;
mod site;
