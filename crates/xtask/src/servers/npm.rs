//! A script for browsers, from the registry of npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::Result;
use crate::workspace;

const PACKAGE: &str = "axe-core@4.14.1";
const SCRIPT: &str = "package/axe.min.js";
/// The SHA-256 of the script.
const SUM: &str = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c";

/// Returns the script.
pub(super) fn axe(place: &Path) -> Result<PathBuf> {
    let place = place.join("axe");
    let unpacked = place.join("unpacked");
    let script = unpacked.join(SCRIPT);
    if script.is_file() {
        return Ok(script);
    }
    if place.is_dir() {
        fs::remove_dir_all(&place)?;
    }
    fs::create_dir_all(&place)?;
    println!("axe-core is missing; fetching {PACKAGE} with npm");
    let mut pack = Command::new("npm");
    pack.args(["pack", "--silent", PACKAGE, "--pack-destination"]);
    pack.arg(&place).stdout(Stdio::null());
    workspace::succeed(&mut pack)?;

    let archive = fs::read_dir(&place)?
        .next()
        .ok_or("npm left no archive")??;
    let unfinished = place.join("unfinished");
    fs::create_dir(&unfinished)?;
    let mut unpack = Command::new("tar");
    unpack
        .arg("-xzf")
        .arg(archive.path())
        .arg("-C")
        .arg(&unfinished);
    workspace::succeed(&mut unpack)?;
    let found = sum(&unfinished.join(SCRIPT))?;
    if found != SUM {
        return Err(
            format!("{PACKAGE} is not what it was: {SCRIPT} has the SHA-256 {found}").into(),
        );
    }
    fs::rename(unfinished, unpacked)?;
    Ok(script)
}

/// The SHA-256 of a file, by the program that the system has for it.
fn sum(file: &Path) -> Result<String> {
    for words in [&["sha256sum"][..], &["shasum", "-a", "256"]] {
        let mut command = Command::new(words[0]);
        let output = command.args(&words[1..]).arg(file).output();
        if let Ok(output) = output
            && output.status.success()
        {
            let text = String::from_utf8_lossy(&output.stdout);
            let sum = text.split_whitespace().next();
            return Ok(sum.unwrap_or_default().to_owned());
        }
    }
    Err("neither sha256sum nor shasum works here".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_is_that_of_the_content() {
        let directory = postgres_cluster::Directory::create().unwrap();
        let file = directory.path().join("abc");
        fs::write(&file, "abc").unwrap();
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(sum(&file).unwrap(), abc);
    }
}
