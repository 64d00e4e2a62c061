use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres_cluster::{Error, Result, search_path};

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

fn find(variable: &str, names: &[&str], missing: &str) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        let error = format!("{variable}: {} is not a file", path.display());
        return path
            .is_file()
            .then_some(path)
            .ok_or_else(|| Error::new(error));
    }
    let places = search_path();
    names
        .iter()
        .flat_map(|name| places.iter().map(move |place| place.join(name)))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::new(missing))
}

/// Tries whether a program starts, as far as saying its version.
///
/// # Errors
///
/// When it does not, for example because a library is missing.
pub fn try_program(program: &Path) -> Result<String> {
    let shown = program.display();
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .output()
        .map_err(Error::because(format!("cannot run {shown}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    match output.status.success() {
        true => Ok(text(&output.stdout)),
        false => Err(Error::new(format!(
            "{shown}: {}\n{}",
            output.status,
            text(&output.stderr)
        ))),
    }
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
