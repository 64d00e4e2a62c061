//! Finds Chromium and its driver, and starts the driver, with nothing but the standard library.
//!
//! Two use it: xtask, which fetches what is missing, and the tests of pages. Every call blocks.
//!
//! Nothing is left behind: when the process ends in any way, even killed, a shell that waits stops the
//! driver with its browsers and deletes their directory.
#![cfg(unix)]

mod driver;
mod program;

pub use driver::Driver;
pub use program::{AXE, CHROMEDRIVER, CHROMIUM, find_axe, find_chromedriver, find_chromium};
