//! Programs from the packages of Debian and its kin, unpacked and not installed.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use postgres_cluster::Binaries;

use crate::Result;
use crate::workspace;

/// Returns the directory of the server's programs.
pub(super) fn postgres(place: &Path) -> Result<PathBuf> {
    programs(place, "postgresql", |root| {
        Ok(Binaries::below(root)?.directory().to_path_buf())
    })
}

/// Returns the program.
pub(super) fn pgbouncer(place: &Path) -> Result<PathBuf> {
    let directory = programs(place, "pgbouncer", |root| Ok(root.join("usr/sbin")))?;
    Ok(directory.join("pgbouncer"))
}

/// Returns the program: of Valkey where there is no Redis, as in the newest distributions.
pub(super) fn redis(place: &Path) -> Result<PathBuf> {
    let usr_bin = |root: &Path| Ok(root.join("usr/bin"));
    let redis = programs(place, "redis-server", usr_bin);
    let redis = redis.map(|directory| directory.join("redis-server"));
    redis.or_else(|error| match programs(place, "valkey-server", usr_bin) {
        Ok(directory) => Ok(directory.join("valkey-server")),
        Err(_) => Err(error),
    })
}

/// Returns the driver and the browser.
pub(super) fn chromium(place: &Path) -> Result<[PathBuf; 2]> {
    // What is called `chromium` among the programs is a script that looks for the browser where it would
    // be installed.
    let found = |root: &Path| {
        let browser = root.join("usr/lib/chromium/chromium");
        Ok(vec![root.join("usr/bin/chromedriver"), browser])
    };
    let directory = start_scripts(place, "chromium-driver", found)?;
    Ok(["chromedriver", "chromium"].map(|name| directory.join(name)))
}

/// Fetches a package and what it needs and the system has not, and returns a directory in which
/// its programs can be started.
fn programs(
    place: &Path,
    package: &str,
    find: impl FnOnce(&Path) -> Result<PathBuf>,
) -> Result<PathBuf> {
    start_scripts(place, package, |root| {
        let programs = fs::read_dir(find(root)?)?;
        programs.map(|program| Ok(program?.path())).collect()
    })
}

/// The same, of the programs that are found below the root of what was fetched.
fn start_scripts(
    place: &Path,
    package: &str,
    find: impl FnOnce(&Path) -> Result<Vec<PathBuf>>,
) -> Result<PathBuf> {
    let place = place.join(package);
    let started = place.join("bin");
    // Made last, so that it stands for all.
    if started.is_dir() {
        return Ok(started);
    }
    if place.is_dir() {
        fs::remove_dir_all(&place)?;
    }
    println!("{package} is missing; fetching it with apt-get");
    let root = place.join("root");
    let archives = place.join("archives");
    fetch(package, &archives, &root)?;
    fs::remove_dir_all(archives)?;
    let libraries = libraries(&root)?;
    let unfinished = place.join("bin.unfinished");
    fs::create_dir_all(&unfinished)?;
    for program in find(&root)? {
        let name = program.file_name().ok_or("a program without a name")?;
        let script = unfinished.join(name);
        fs::write(&script, starter(&program, &libraries))?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755))?;
    }
    fs::rename(unfinished, &started)?;
    Ok(started)
}

/// Lets apt work out and download what is missing, and unpacks that.
fn fetch(package: &str, archives: &Path, root: &Path) -> Result<()> {
    fs::create_dir_all(archives.join("partial"))?;
    if download(package, archives).is_err() {
        // A container often comes without the lists of packages.
        workspace::succeed(Command::new("apt-get").args(["-qq", "update"]))?;
        download(package, archives)?;
    }
    for archive in fs::read_dir(archives)? {
        let archive = archive?.path();
        if archive
            .extension()
            .is_some_and(|extension| extension == "deb")
        {
            let mut unpack = Command::new("dpkg-deb");
            unpack.arg("--extract").args([&archive, root]);
            workspace::succeed(&mut unpack)?;
        }
    }
    Ok(())
}

fn download(package: &str, archives: &Path) -> Result<()> {
    let mut apt = Command::new("apt-get");
    apt.args(["-qq", "--yes", "--no-install-recommends", "--download-only"]);
    apt.arg("-o");
    apt.arg(format!("Dir::Cache::archives={}", archives.display()));
    // Nothing is installed, so nobody needs to be kept out, and not only root may do it.
    apt.args(["-o", "Debug::NoLocking=true", "-o", "APT::Sandbox::User="]);
    apt.args(["install", package]);
    workspace::succeed(&mut apt)
}

/// The directories of libraries, as the loader does not look for them here: those of the machine's kind,
/// and those of a package in them.
fn libraries(root: &Path) -> Result<String> {
    let mut found = Vec::new();
    for parent in ["lib", "usr/lib"] {
        for directory in directories(&root.join(parent))? {
            let inner = directories(&directory)?;
            found.extend(std::iter::once(directory).chain(inner));
        }
    }
    let holds = |directory: &PathBuf| {
        fs::read_dir(directory).is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.file_name().to_string_lossy().contains(".so"))
        })
    };
    let found = found.iter().filter(|directory| holds(directory));
    let found: Vec<String> = found.map(|found| found.display().to_string()).collect();
    Ok(found.join(":"))
}

/// Those in a directory, which itself need not be there.
fn directories(parent: &Path) -> Result<Vec<PathBuf>> {
    let Ok(entries) = fs::read_dir(parent) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            found.push(path);
        }
    }
    Ok(found)
}

/// A script that starts a program with its libraries.
fn starter(program: &Path, libraries: &str) -> String {
    let program = quoted(&program.display().to_string());
    let libraries = quoted(libraries);
    format!("#!/bin/sh\nexport LD_LIBRARY_PATH={libraries}\nexec {program} \"$@\"\n")
}

fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_starter_passes_arguments_and_libraries_on_whatever_its_path_holds() {
        let directory = postgres_cluster::Directory::create().unwrap();
        let program = directory.path().join("it's a program");
        fs::write(&program, "echo \"$LD_LIBRARY_PATH\" \"$#\"").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let output = Command::new("sh")
            .args(["-c", &starter(&program, "/a b:/c"), "sh", "1 2", "3"])
            .output()
            .unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stdout), "/a b:/c 2\n");
    }
}
