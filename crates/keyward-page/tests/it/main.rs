//! The settings page as a client sees it that runs no scripts.

mod adversarial;
mod create;
mod life;
mod list;
mod mount;
mod support;
