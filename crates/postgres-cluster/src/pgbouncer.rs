use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::binaries::run;
use crate::cluster::tail;
use crate::directory::Directory;
use crate::port::free_port;
use crate::program::{find_program, search_path};
use crate::user::User;
use crate::{Error, Result};

/// The environment variable that names the program.
pub const PGBOUNCER: &str = "KEYWARD_TEST_PGBOUNCER";

const MISSING: &str = "\
no PgBouncer found. One of these helps:
  - run the tests with `cargo xtask test`, which gets it for the run and installs nothing
  - apt-get install pgbouncer, dnf install pgbouncer, or brew install pgbouncer
  - KEYWARD_TEST_PGBOUNCER=FILE names the program";

const START: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// When a connection to the server is free for another client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PoolMode {
    /// When its client leaves.
    Session,
    /// After each transaction.
    Transaction,
    /// After each statement.
    Statement,
}

/// A PgBouncer in front of a server on 127.0.0.1; dropping it stops it.
#[derive(Debug)]
pub struct PgBouncer {
    program: Program,
    directory: Directory,
    port: u16,
}

impl PgBouncer {
    /// Starts one in front of the server on a port. The settings are lines of its section
    /// `pgbouncer`, and the last one of a name counts.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not start.
    pub fn start(server: u16, mode: PoolMode, settings: &[(String, String)]) -> Result<Self> {
        let path = find_pgbouncer()?;
        let user = User::of_servers()?;
        let directory = Directory::create_for(user)?;
        let port = free_port()?;
        let configuration = directory.join("pgbouncer.ini");
        fs::write(&configuration, ini(server, port, mode, settings))
            .map_err(Error::because("cannot write pgbouncer.ini"))?;

        let log =
            File::create(directory.join("log")).map_err(Error::because("cannot create a log"))?;
        let errors = log
            .try_clone()
            .map_err(Error::because("cannot share the log"))?;
        let mut command = user.command(path);
        command.arg(&configuration).current_dir(directory.path());
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command
            .spawn()
            .map_err(Error::because("cannot run pgbouncer"))?;
        let mut bouncer = Self {
            program: Program(child),
            directory,
            port,
        };
        bouncer.wait_until_ready()?;
        Ok(bouncer)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The URL of a database of the server, through the pool.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log(&self) -> String {
        tail(&self.directory.join("log"))
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 0..START.as_millis() / LOOK_AGAIN.as_millis() {
            let ended = self.program.0.try_wait();
            if let Some(status) = ended.map_err(Error::because("cannot wait for pgbouncer"))? {
                return Err(Error::new(format!("pgbouncer: {status}\n{}", self.log())));
            }
            if TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).is_ok() {
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(Error::new(format!(
            "pgbouncer does not listen within {} s\n{}",
            START.as_secs(),
            self.log()
        )))
    }
}

/// Finds the program: `KEYWARD_TEST_PGBOUNCER` alone where that is set, else in `PATH` and in
/// `/usr/sbin`.
///
/// # Errors
///
/// When there is none; it says how to get it.
pub fn find_pgbouncer() -> Result<PathBuf> {
    let mut places = search_path();
    // Often not in the path of those who are not root.
    places.push("/usr/sbin".into());
    find_program(PGBOUNCER, &["pgbouncer"], &places, MISSING)
}

/// Tries whether the program starts as the user that is to run it, as far as saying its version.
///
/// # Errors
///
/// When it does not, for example because a library is missing.
pub fn try_pgbouncer(program: &Path) -> Result<String> {
    let mut version = User::of_servers()?.command(program);
    version.arg("--version").current_dir("/");
    run(version)
}

/// The process, which does not outlive this value.
#[derive(Debug)]
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        // There is nobody to tell of an error.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn ini(server: u16, port: u16, mode: PoolMode, settings: &[(String, String)]) -> String {
    let mode = match mode {
        PoolMode::Session => "session",
        PoolMode::Transaction => "transaction",
        PoolMode::Statement => "statement",
    };
    let theirs: String = settings
        .iter()
        .map(|(name, value)| format!("{name} = {value}\n"))
        .collect();
    format!(
        "[databases]\n\
         * = host=127.0.0.1 port={server} user=postgres\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         pidfile = pgbouncer.pid\n\
         auth_type = any\n\
         pool_mode = {mode}\n\
         max_client_conn = 200\n\
         ignore_startup_parameters = extra_float_digits\n\
         {theirs}"
    )
}
