//! A directory that does not outlive the process, nor do the servers that run in it.
//!
//! A shell waits for the end of its standard input, which only this process holds. That comes when
//! the value is dropped, and also when the process is killed with no time left to clean up. Then
//! the shell does what `janitor.sh` says.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::port::random;
use crate::user::User;
use crate::{Error, Result};

const JANITOR: &str = include_str!("janitor.sh");

/// A directory that the user of the servers owns, and the janitor that deletes it.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    janitor: Child,
}

impl Directory {
    /// Creates an empty one in the directory for temporary files.
    ///
    /// # Errors
    ///
    /// When it cannot be created or given to that user.
    pub fn create() -> Result<Self> {
        Self::create_for(User::of_servers()?)
    }

    pub(crate) fn create_for(user: User) -> Result<Self> {
        // Short, because the path of a Unix socket may not be long.
        let path = std::env::temp_dir().join(format!("pg-{:016x}", random()));
        let error = || format!("cannot create {}", path.display());
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .map_err(Error::because(error()))?;
        user.give(&path)?;
        let janitor = Command::new("sh")
            .args(["-c", JANITOR])
            .arg(&path)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // What kills our group must not kill it.
            .process_group(0)
            .spawn()
            .map_err(Error::because("cannot run sh"))?;
        Ok(Self { path, janitor })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        drop(self.janitor.stdin.take());
        // There is nobody to tell of an error.
        drop(self.janitor.wait());
    }
}
