use std::path::PathBuf;

use postgres_cluster::{Result, find_program, search_path};

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
    find_program(REDIS, &PROGRAMS, &search_path(), MISSING)
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
