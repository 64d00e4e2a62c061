use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

use crate::program::search_path;
use crate::user::User;
use crate::{Error, Result};

/// The environment variable that names the directory of the server's programs.
pub const POSTGRES_BIN: &str = "KEYWARD_TEST_POSTGRES_BIN";

/// What a cluster is made and run with; where these are, the others are too.
const PROGRAMS: [&str; 3] = ["initdb", "postgres", "pg_ctl"];

const MISSING: &str = "\
no Postgres server found (initdb, postgres, pg_ctl). One of these helps:
  - run the tests with `cargo xtask test`, which gets a server for the run and installs nothing
  - apt-get install postgresql, dnf install postgresql-server, or brew install postgresql@17
  - KEYWARD_TEST_POSTGRES_BIN=DIRECTORY names the directory that holds the programs
  - KEYWARD_TEST_DATABASE_URL=postgres://USER:PASSWORD@HOST/DATABASE names a running server; it is
    enough for tests that need a database, not for those that stop the server";

/// The directory of a server's programs.
#[derive(Debug, Clone)]
pub struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    /// Looks in `KEYWARD_TEST_POSTGRES_BIN` alone where that is set, else where `pg_config` says, in
    /// `PATH`, and where the packages of Debian, Red Hat and Homebrew put them, the newest first.
    ///
    /// # Errors
    ///
    /// When there is none; it says how to get one.
    pub fn find() -> Result<Self> {
        if let Some(directory) = env::var_os(POSTGRES_BIN) {
            return Self::at(PathBuf::from(directory))
                .map_err(|error| Error::new(format!("{POSTGRES_BIN}: {error}")));
        }
        from_pg_config()
            .into_iter()
            .chain(search_path())
            .chain(packaged(Path::new("/")))
            .find_map(|directory| Self::at(directory).ok())
            .ok_or_else(|| Error::new(MISSING))
    }

    /// Takes the programs of this directory.
    ///
    /// # Errors
    ///
    /// When they are not there.
    pub fn at(directory: impl Into<PathBuf>) -> Result<Self> {
        let directory = directory.into();
        match PROGRAMS.iter().find(|name| !directory.join(name).is_file()) {
            None => Ok(Self { directory }),
            Some(name) => Err(Error::new(format!(
                "{} holds no {name}",
                directory.display()
            ))),
        }
    }

    /// Takes the newest ones that packages have put below a directory as if it were the root.
    ///
    /// # Errors
    ///
    /// When there are none.
    pub fn below(root: &Path) -> Result<Self> {
        packaged(root)
            .into_iter()
            .find_map(|directory| Self::at(directory).ok())
            .ok_or_else(|| Error::new(format!("no Postgres server below {}", root.display())))
    }

    /// Where they are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Tries whether the server starts as the user that is to run it, as far as saying its version.
    ///
    /// # Errors
    ///
    /// When it does not, for example because a library is missing or that user may not read it.
    pub fn try_out(&self) -> Result<String> {
        let mut version = self.command(User::of_servers()?, "postgres");
        version.arg("--version");
        run(version)
    }

    pub(crate) fn command(&self, user: User, program: &str) -> Command {
        let mut command = user.command(self.directory.join(program));
        // Ours may be one that the user of the servers may not enter.
        command.current_dir("/").stdin(Stdio::null());
        command
    }
}

/// Runs a command to its end and returns what it prints.
pub(crate) fn run(mut command: Command) -> Result<String> {
    let shown = Path::new(command.get_program()).display().to_string();
    let output = command
        .output()
        .map_err(Error::because(format!("cannot run {shown}")))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(Error::new(format!(
        "{shown}: {}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )))
}

fn from_pg_config() -> Option<PathBuf> {
    let mut command = Command::new("pg_config");
    command.arg("--bindir");
    run(command).ok().map(PathBuf::from)
}

/// Where packages put a server, below the root of the file system; the newest first.
fn packaged(root: &Path) -> Vec<PathBuf> {
    const PLACES: [(&str, &str); 4] = [
        ("usr/lib/postgresql", ""),
        ("usr", "pgsql-"),
        ("opt/homebrew/opt", "postgresql@"),
        ("usr/local/opt", "postgresql@"),
    ];
    let mut found = Vec::new();
    for (place, prefix) in PLACES {
        for entry in fs::read_dir(root.join(place))
            .into_iter()
            .flatten()
            .flatten()
        {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix));
            if let Some(version) = version.and_then(|version| version.parse::<u32>().ok()) {
                found.push((version, entry.path().join("bin")));
            }
        }
    }
    found.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    found.into_iter().map(|(_, directory)| directory).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::Directory;

    #[test]
    fn the_newest_package_comes_first() {
        let root = Directory::create_for(User::Own).unwrap();
        for version in [
            "usr/lib/postgresql/9",
            "usr/pgsql-17",
            "usr/lib/postgresql/15",
        ] {
            fs::create_dir_all(root.join(version)).unwrap();
        }
        fs::create_dir_all(root.join("usr/lib/postgresql/common")).unwrap();
        let expected = [
            "usr/pgsql-17/bin",
            "usr/lib/postgresql/15/bin",
            "usr/lib/postgresql/9/bin",
        ];
        assert_eq!(packaged(root.path()), expected.map(|path| root.join(path)));
    }

    #[test]
    fn a_directory_without_a_server_names_what_it_lacks() {
        let error = Binaries::at("/").unwrap_err();
        assert_eq!(error.to_string(), "/ holds no initdb");
    }

    #[test]
    fn the_error_of_a_machine_without_postgres_names_every_way_out() {
        for way in [
            "cargo xtask test",
            "apt-get install",
            POSTGRES_BIN,
            "KEYWARD_TEST_DATABASE_URL",
        ] {
            assert!(MISSING.contains(way), "{way}");
        }
    }
}
