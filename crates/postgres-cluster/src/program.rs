use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::binaries::run;
use crate::{Error, Result};

/// The directories in which programs are looked for.
#[must_use]
pub fn search_path() -> Vec<PathBuf> {
    env::var_os("PATH").map_or_else(Vec::new, |path| env::split_paths(&path).collect())
}

/// Finds a program: the one that the environment variable names, and that alone where it is set, else the
/// first of these names in these directories.
///
/// # Errors
///
/// When there is none, with the text that says how to get it.
pub fn find_program(
    variable: &str,
    names: &[&str],
    places: &[PathBuf],
    missing: &'static str,
) -> Result<PathBuf> {
    if let Some(path) = env::var_os(variable).map(PathBuf::from) {
        let error = format!("{variable}: {} is not a file", path.display());
        return path
            .is_file()
            .then_some(path)
            .ok_or_else(|| Error::new(error));
    }
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
    let mut version = Command::new(program);
    version.arg("--version");
    run(version)
}
