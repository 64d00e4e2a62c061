use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use postgres_cluster::{Error, Result, search_path};

/// The environment variable that names the program of the server.
pub const REDIS: &str = "KEYWARD_TEST_REDIS";

/// What it may be called.
const PROGRAMS: [&str; 2] = ["redis-server", "valkey-server"];

const MISSING: &str = "\
no Redis or Valkey server found. One of these helps:
  - run the tests with `cargo xtask test`, which gets one for the run and installs nothing
  - apt-get install redis-server, dnf install valkey, or brew install redis
  - KEYWARD_TEST_REDIS=FILE names the program, of Redis 6 or Valkey 7 and later";

/// Finds the program: `KEYWARD_TEST_REDIS` alone where that is set, else `redis-server` or
/// `valkey-server` in `PATH`.
///
/// # Errors
///
/// When there is none; it says how to get it.
pub fn find_redis() -> Result<PathBuf> {
    if let Some(path) = env::var_os(REDIS).map(PathBuf::from) {
        let error = format!("{REDIS}: {} is not a file", path.display());
        return path
            .is_file()
            .then_some(path)
            .ok_or_else(|| Error::new(error));
    }
    let places = search_path();
    let programs = PROGRAMS.iter();
    programs
        .flat_map(|program| places.iter().map(move |place| place.join(program)))
        .find(|path| path.is_file())
        .ok_or_else(|| Error::new(MISSING))
}

/// Tries whether the program starts, as far as saying its version.
///
/// # Errors
///
/// When it does not, for example because a library is missing.
pub fn try_redis(program: &Path) -> Result<String> {
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
    fn the_error_of_a_machine_without_redis_names_every_way_out() {
        for way in ["cargo xtask test", "apt-get install", REDIS] {
            assert!(MISSING.contains(way), "{way}");
        }
    }
}
