use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use postgres_cluster::{Directory, Error, Result, free_port, signal, tail};

use crate::program::find_redis;
use crate::wire::ask;

const START: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(2);

/// How a server is started.
#[derive(Debug, Clone, Default)]
pub struct Options {
    settings: Vec<(String, String)>,
    password: Option<String>,
}

impl Options {
    /// Adds a setting as `redis.conf` has them.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Asks clients for this password.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Starts a server with the program that [`find_redis`] finds.
    ///
    /// # Errors
    ///
    /// When there is none, or it does not start.
    pub fn start(self) -> Result<RedisServer> {
        let program = find_redis()?;
        self.start_with(program)
    }

    /// Starts a server with this program.
    ///
    /// # Errors
    ///
    /// When it does not start.
    pub fn start_with(self, program: impl Into<PathBuf>) -> Result<RedisServer> {
        let mut server = RedisServer {
            process: Process(None),
            directory: Directory::create()?,
            program: program.into(),
            options: self,
            port: free_port()?,
        };
        let mut tries = 5;
        loop {
            match server.launch() {
                Err(error) if tries > 1 && error.to_string().contains("already in use") => {
                    tries -= 1;
                    server.port = free_port()?;
                }
                started => return started.map(|()| server),
            }
        }
    }
}

/// A Redis or Valkey server of its own on 127.0.0.1, which keeps nothing on disk.
///
/// The port stays the same for as long as the value lives, also while the server is down. Dropping it
/// stops the server and deletes its directory.
#[derive(Debug)]
pub struct RedisServer {
    // First, so that it is dropped first: it need not wait for the janitor.
    process: Process,
    directory: Directory,
    program: PathBuf,
    options: Options,
    port: u16,
}

impl RedisServer {
    /// Starts a server as it comes.
    ///
    /// # Errors
    ///
    /// Those of [`Options::start`].
    pub fn start() -> Result<Self> {
        Self::options().start()
    }

    /// The options, before anything is started.
    #[must_use]
    pub fn options() -> Options {
        Options::default()
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its URL, with the password where there is one.
    #[must_use]
    pub fn url(&self) -> String {
        let login = self.options.password.as_ref();
        let login = login.map_or_else(String::new, |password| format!(":{password}@"));
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// The last lines of its log.
    #[must_use]
    pub fn log(&self) -> String {
        tail(&self.directory.path().join("log"))
    }

    /// Runs a command, and returns the text of its answer: of several parts, a line each.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or with an error.
    pub fn command(&self, words: &[&str]) -> Result<String> {
        let shown = words.first().copied().unwrap_or_default();
        let login = self.options.password.as_deref().map(|word| ["AUTH", word]);
        let login = login.as_ref().map(|words| &words[..]);
        let commands: Vec<_> = login.into_iter().chain([words]).collect();
        ask(self.port, &commands).map_err(Error::because(format!("{shown} failed")))
    }

    /// Kills the server: what it held is gone.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn kill(&mut self) -> Result<()> {
        let mut child = self.process.0.take().ok_or_else(down)?;
        child
            .kill()
            .and_then(|()| child.wait())
            .map_err(Error::because("cannot kill the server"))?;
        Ok(())
    }

    /// Starts a server that was killed, and waits until it answers.
    ///
    /// # Errors
    ///
    /// When it runs, or does not start.
    pub fn start_again(&mut self) -> Result<()> {
        match self.process.0 {
            Some(_) => Err(Error::new("the server runs already")),
            None => self.launch(),
        }
    }

    /// Kills the server and starts it again.
    ///
    /// # Errors
    ///
    /// When it does not run, or does not start.
    pub fn restart(&mut self) -> Result<()> {
        self.kill()?;
        self.start_again()
    }

    /// Suspends the server: connections stay open, and nothing answers.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn pause(&self) -> Result<()> {
        signal("STOP", &[self.running()?])
    }

    /// Lets a server that is paused go on.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub fn resume(&self) -> Result<()> {
        signal("CONT", &[self.running()?])
    }

    fn running(&self) -> Result<u32> {
        self.process.0.as_ref().map(Child::id).ok_or_else(down)
    }

    fn launch(&mut self) -> Result<()> {
        let path = self.directory.path().join("log");
        let log = File::create(&path).map_err(Error::because("cannot create a log"))?;
        let errors = log
            .try_clone()
            .map_err(Error::because("cannot share the log"))?;
        let mut command = Command::new(&self.program);
        // Where the janitor finds it.
        command.current_dir(self.directory.path());
        command.args(["--port", &self.port.to_string()]);
        command.args(["--bind", "127.0.0.1", "--daemonize", "no"]);
        command.args(["--save", "", "--appendonly", "no"]);
        command.args(["--pidfile", "redis.pid", "--dir", "."]);
        for (name, value) in &self.options.settings {
            command.args([&format!("--{name}"), value]);
        }
        if let Some(password) = &self.options.password {
            command.args(["--requirepass", password]);
        }
        command.stdin(Stdio::null()).stdout(log).stderr(errors);
        let child = command
            .spawn()
            .map_err(Error::because("cannot run the server"))?;
        self.process = Process(Some(child));
        self.wait_until_ready()
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        for _ in 0..START.as_millis() / LOOK_AGAIN.as_millis() {
            let ended = self.process.0.as_mut().map(Child::try_wait).transpose();
            let ended = ended.map_err(Error::because("cannot wait for the server"))?;
            if let Some(status) = ended.flatten() {
                self.process = Process(None);
                return Err(Error::new(format!("the server: {status}\n{}", self.log())));
            }
            if self.command(&["PING"]).is_ok() {
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        }
        Err(Error::new(format!(
            "the server does not answer within {} s\n{}",
            START.as_secs(),
            self.log()
        )))
    }
}

/// The process, which does not outlive this value.
#[derive(Debug)]
struct Process(Option<Child>);

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            // There is nobody to tell of an error.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

fn down() -> Error {
    Error::new("the server does not run")
}
