use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, ExitStatus};
use std::thread;
use std::time::Duration;

use crate::binaries::{Binaries, run};
use crate::directory::Directory;
use crate::port::free_port;
use crate::user::User;
use crate::{Error, Result};

/// How long a server may take to start; after a crash it reads its log again.
const START: Duration = Duration::from_secs(60);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// How a cluster is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    settings: Vec<(String, String)>,
}

impl Options {
    /// Adds a line to `postgresql.conf`; the last one of a name counts.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Makes a cluster with the programs that [`Binaries::find`] finds, and starts it.
    ///
    /// # Errors
    ///
    /// When there is no Postgres, or it does not start.
    pub fn start(self) -> Result<Cluster> {
        self.start_with(Binaries::find()?)
    }

    /// Makes a cluster with these programs, and starts it.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start_with(self, binaries: Binaries) -> Result<Cluster> {
        let user = User::of_servers()?;
        let directory = Directory::create_for(user)?;
        let mut initdb = binaries.command(user, "initdb");
        initdb.args(["--username=postgres", "--auth=trust", "--encoding=UTF8"]);
        initdb.args(["--locale=C", "--no-sync", "--no-instructions", "--pgdata"]);
        initdb.arg(directory.join("data"));
        run(initdb)?;
        Cluster::first_start(binaries, user, directory, self.settings)
    }
}

/// A cluster of its own on 127.0.0.1, where `postgres` may do all without a password.
///
/// Dropping it stops the server and deletes its directory.
#[derive(Debug)]
pub struct Cluster {
    // First, so that it is dropped first: the janitor stops the server.
    pub(crate) directory: Directory,
    pub(crate) postmaster: Postmaster,
    pub(crate) binaries: Binaries,
    pub(crate) user: User,
    pub(crate) port: u16,
    pub(crate) settings: Vec<(String, String)>,
}

impl Cluster {
    /// The options, before anything is started.
    #[must_use]
    pub fn options() -> Options {
        Options::default()
    }

    /// The TCP port on 127.0.0.1. It stays the same for as long as the cluster lives.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of the database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The programs that it runs with.
    #[must_use]
    pub fn binaries(&self) -> &Binaries {
        &self.binaries
    }

    /// The last lines of the server's log.
    #[must_use]
    pub fn log(&self) -> String {
        tail(&self.directory.join("log"))
    }

    /// Starts the server over a directory that is ready, on the first port that proves free.
    pub(crate) fn first_start(
        binaries: Binaries,
        user: User,
        directory: Directory,
        settings: Vec<(String, String)>,
    ) -> Result<Self> {
        let mut cluster = Self {
            directory,
            postmaster: Postmaster(None),
            binaries,
            user,
            port: free_port()?,
            settings,
        };
        let mut tries = 5;
        loop {
            cluster.configure()?;
            match cluster.launch() {
                Err(error) if tries > 1 && error.to_string().contains("Address already in use") => {
                    tries -= 1;
                    cluster.port = free_port()?;
                }
                started => return started.map(|()| cluster),
            }
        }
    }

    fn configure(&self) -> Result<()> {
        let own = [
            ("listen_addresses", "127.0.0.1"),
            ("port", &self.port.to_string()),
            (
                "unix_socket_directories",
                &self.directory.path().display().to_string(),
            ),
            ("max_connections", "200"),
            // Inside of the directory, so that a server which is killed leaves nothing behind.
            ("dynamic_shared_memory_type", "mmap"),
        ]
        .map(|(name, value)| line(name, value));
        let theirs = self.settings.iter().map(|(name, value)| line(name, value));
        let lines: String = own.into_iter().chain(theirs).collect();
        let path = self.data().join("postgresql.conf");
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(lines.as_bytes()))
            .map_err(Error::because(format!("cannot write {}", path.display())))
    }

    /// Starts the server and waits until it takes connections.
    pub(crate) fn launch(&mut self) -> Result<()> {
        let path = self.directory.join("log");
        let log = File::options().create(true).append(true).open(&path);
        let log = log.map_err(Error::because(format!("cannot open {}", path.display())))?;
        let errors = log
            .try_clone()
            .map_err(Error::because("cannot share the log"))?;
        let mut postgres = self.binaries.command(self.user, "postgres");
        postgres
            .arg("-D")
            .arg(self.data())
            .stdout(log)
            .stderr(errors);
        let child = postgres
            .spawn()
            .map_err(Error::because("cannot run postgres"))?;
        self.postmaster = Postmaster(Some(child));
        for _ in 0..START.as_millis() / LOOK_AGAIN.as_millis() {
            if let Some(status) = self.postmaster.ended()? {
                return Err(Error::new(format!("postgres: {status}\n{}", self.log())));
            }
            if self.is_ready() {
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(Error::new(format!(
            "postgres is not ready within {} s\n{}",
            START.as_secs(),
            self.log()
        )))
    }

    /// Reads what `pg_ctl` reads too: the first line of the file is the process, the eighth its
    /// state. The file of a server that was killed is still there, and names another process.
    fn is_ready(&self) -> bool {
        let text = fs::read_to_string(self.data().join("postmaster.pid")).unwrap_or_default();
        let mut lines = text.lines().map(str::trim);
        let process = lines.next().and_then(|line| line.parse().ok());
        process.is_some() && process == self.postmaster.id() && lines.nth(6) == Some("ready")
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }
}

/// The server's first process, if it runs. Being our child, it is waited for by us alone.
#[derive(Debug)]
pub(crate) struct Postmaster(Option<Child>);

impl Postmaster {
    pub(crate) fn id(&self) -> Option<u32> {
        self.0.as_ref().map(Child::id)
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> Result<()> {
        if let Some(mut child) = self.0.take() {
            child
                .wait()
                .map_err(Error::because("cannot wait for postgres"))?;
        }
        Ok(())
    }

    fn ended(&mut self) -> Result<Option<ExitStatus>> {
        let status = match &mut self.0 {
            Some(child) => child.try_wait(),
            None => Ok(None),
        };
        let status = status.map_err(Error::because("cannot wait for postgres"))?;
        if status.is_some() {
            self.0 = None;
        }
        Ok(status)
    }
}

impl Drop for Postmaster {
    fn drop(&mut self) {
        // The janitor has stopped it, unless somebody killed the janitor. There is nobody to tell
        // of an error.
        if let Some(mut child) = self.0.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn line(name: &str, value: &str) -> String {
    format!("{name} = '{}'\n", value.replace('\'', "''"))
}

/// The last lines of a file.
#[must_use]
pub fn tail(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}
