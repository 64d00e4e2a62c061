use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::time::timeout;

use super::Client;

/// A process that verifies and manages keys. It is killed when this is dropped.
#[derive(Debug)]
pub struct Node {
    child: Child,
    address: SocketAddr,
}

/// How a node is started.
#[derive(Debug, Clone)]
pub struct Settings<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its way to Postgres.
    pub database: &'a str,
    /// Whether it hears notifications.
    pub hints: bool,
}

impl Node {
    /// Starts one, and waits until it listens.
    ///
    /// # Errors
    /// When it ends before, or takes too long.
    pub async fn start(program: &Path, settings: &Settings<'_>) -> io::Result<Self> {
        let mut child = Command::new(program)
            .env("NAME", settings.name)
            .env("DATABASE_URL", settings.database)
            .env("HINTS", if settings.hints { "on" } else { "off" })
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let mut lines = BufReader::new(stdout).lines();
        let line = timeout(START, lines.next_line()).await??;
        let address = line.and_then(|line| line.parse().ok());
        let address = address.ok_or_else(|| io::Error::other("the node did not start"))?;
        Ok(Self { child, address })
    }

    /// A new client of it.
    #[must_use]
    pub const fn client(&self) -> Client {
        Client::new(self.address)
    }

    /// Stops it where it is, as a scheduler or a hypervisor can.
    ///
    /// # Errors
    /// When it has ended.
    pub fn freeze(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    /// Lets it go on.
    ///
    /// # Errors
    /// When it has ended.
    pub fn thaw(&self) -> io::Result<()> {
        self.signal(Signal::CONT)
    }

    /// Asks it to end, and waits for that.
    ///
    /// # Errors
    /// When it has ended already, or does not.
    pub async fn end(mut self) -> io::Result<()> {
        self.signal(Signal::TERM)?;
        timeout(START, self.child.wait()).await??;
        Ok(())
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        let id = self.child.id().and_then(|id| i32::try_from(id).ok());
        let pid = id.and_then(Pid::from_raw).ok_or(io::ErrorKind::NotFound)?;
        Ok(kill_process(pid, signal)?)
    }
}

const START: Duration = Duration::from_secs(30);
