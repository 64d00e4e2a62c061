use std::path::PathBuf;

use postgres_cluster::{Result, find_program, search_path};

/// The environment variable that names the driver.
pub const CHROMEDRIVER: &str = "KEYWARD_TEST_CHROMEDRIVER";
/// The environment variable that names the browser.
pub const CHROMIUM: &str = "KEYWARD_TEST_CHROMIUM";
/// The environment variable that names the script that checks accessibility.
pub const AXE: &str = "KEYWARD_TEST_AXE";

const MISSING: &str = "\
no Chromium with its driver found. One of these helps:
  - run the tests with `cargo xtask test`, which gets one for the run and installs nothing
  - apt-get install chromium-driver
  - KEYWARD_TEST_CHROMEDRIVER=FILE and KEYWARD_TEST_CHROMIUM=FILE name the programs";

const MISSING_AXE: &str = "\
axe-core, which checks accessibility, is not there. One of these helps:
  - run the tests with `cargo xtask test`, which gets it for the run from npm
  - KEYWARD_TEST_AXE=FILE names its axe.min.js";

/// Finds the driver: `KEYWARD_TEST_CHROMEDRIVER` alone where that is set, else `chromedriver` in `PATH`.
///
/// # Errors
///
/// When there is none; it says how to get it.
pub fn find_chromedriver() -> Result<PathBuf> {
    find(CHROMEDRIVER, &["chromedriver"], MISSING)
}

/// Finds the browser: `KEYWARD_TEST_CHROMIUM` alone where that is set, else `chromium` in `PATH`, or what
/// it is called elsewhere.
///
/// # Errors
///
/// When there is none; it says how to get it.
pub fn find_chromium() -> Result<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    find(CHROMIUM, &names, MISSING)
}

/// Finds the script that `KEYWARD_TEST_AXE` names.
///
/// # Errors
///
/// When there is none; it says how to get it.
pub fn find_axe() -> Result<PathBuf> {
    find(AXE, &[], MISSING_AXE)
}

fn find(variable: &str, names: &[&str], missing: &'static str) -> Result<PathBuf> {
    find_program(variable, names, &search_path(), missing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_errors_of_a_machine_without_them_name_every_way_out() {
        for way in [
            "cargo xtask test",
            "apt-get install",
            CHROMEDRIVER,
            CHROMIUM,
        ] {
            assert!(MISSING.contains(way), "{way}");
        }
        for way in ["cargo xtask test", AXE] {
            assert!(MISSING_AXE.contains(way), "{way}");
        }
    }
}
