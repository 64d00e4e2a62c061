use std::ffi::OsStr;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::{Error, Result};

/// Whom to run servers as: Postgres and PgBouncer refuse to run as root.
#[derive(Debug, Clone, Copy)]
pub(crate) enum User {
    Own,
    Other { uid: u32, gid: u32 },
}

/// Whether the user that servers run as may enter a directory. As root that is another user, and
/// may not enter the home directory of root.
///
/// # Errors
///
/// When that user cannot be found.
pub fn servers_may_enter(directory: &Path) -> Result<bool> {
    let mut enter = User::of_servers()?.command("sh");
    enter.args(["-c", r#"cd "$0""#]).arg(directory);
    let status = enter.current_dir("/").stderr(Stdio::null()).status();
    let status = status.map_err(Error::because("cannot run sh"))?;
    Ok(status.success())
}

impl User {
    /// Ourselves, or as root the user `postgres`, or else `nobody`.
    pub(crate) fn of_servers() -> Result<Self> {
        if id(&["-u"])? != Some(0) {
            return Ok(Self::Own);
        }
        for name in ["postgres", "nobody"] {
            if let (Some(uid), Some(gid)) = (id(&["-u", name])?, id(&["-g", name])?) {
                return Ok(Self::Other { uid, gid });
            }
        }
        Err(Error::new(
            "Postgres refuses to run as root, and there is no user `postgres` or `nobody` to run it as",
        ))
    }

    /// A command that this user runs, its own environment in English.
    pub(crate) fn command(self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("LC_ALL", "C");
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    pub(crate) fn give(self, path: &Path) -> Result<()> {
        match self {
            Self::Own => Ok(()),
            Self::Other { uid, gid } => chown(path, Some(uid), Some(gid)).map_err(Error::because(
                format!("cannot give {} away", path.display()),
            )),
        }
    }
}

/// Asks `id`; an unknown user has none.
fn id(arguments: &[&str]) -> Result<Option<u32>> {
    let output = Command::new("id")
        .args(arguments)
        .output()
        .map_err(Error::because("cannot run id"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().parse().ok())
}
