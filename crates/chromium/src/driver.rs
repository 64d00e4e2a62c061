use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use postgres_cluster::{Directory, Error, Result, free_port, tail};

use crate::program::{find_chromedriver, find_chromium};

const START: Duration = Duration::from_secs(30);
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A driver on 127.0.0.1 that starts browsers as it is told to.
///
/// Dropping it stops it with its browsers, and deletes what they have written.
#[derive(Debug)]
pub struct Driver {
    process: Child,
    browser: PathBuf,
    port: u16,
    // Last, so that the janitor finds what the driver has left.
    directory: Directory,
}

impl Driver {
    /// Starts the driver that is found.
    ///
    /// # Errors
    ///
    /// When there is none, there is no browser, or it does not start.
    pub fn start() -> Result<Self> {
        let program = find_chromedriver()?;
        let browser = find_chromium()?;
        let directory = Directory::create()?;
        let port = free_port()?;
        let log = File::create(directory.path().join("log"));
        let log = log.map_err(Error::because("cannot create a log"))?;
        let errors = log.try_clone();
        let errors = errors.map_err(Error::because("cannot share the log"))?;
        let process = Command::new(program)
            .arg(format!("--port={port}"))
            // Where the janitor finds it, and its browsers, which start there too.
            .current_dir(directory.path())
            .env("HOME", directory.path())
            .env("TMPDIR", directory.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn()
            .map_err(Error::because("cannot run the driver"))?;
        let mut driver = Self {
            process,
            browser,
            port,
            directory,
        };
        driver.wait_until_ready()?;
        Ok(driver)
    }

    /// Where it listens.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// The browser that it is to start.
    #[must_use]
    pub fn browser(&self) -> &Path {
        &self.browser
    }

    /// What makes a browser start here, whoever runs it, without asking anything of the network.
    #[must_use]
    pub fn arguments(&self) -> Vec<String> {
        let profile = self.directory.path().join("profile");
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|word| (*word).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", profile.display()));
        arguments
    }

    fn wait_until_ready(&mut self) -> Result<()> {
        let log = self.directory.path().join("log");
        for _ in 0..START.as_millis() / LOOK_AGAIN.as_millis() {
            let ended = self.process.try_wait();
            if let Some(status) = ended.map_err(Error::because("cannot wait for the driver"))? {
                return Err(Error::new(format!("the driver: {status}\n{}", tail(&log))));
            }
            if self.answers().is_ok_and(|ready| ready) {
                return Ok(());
            }
            thread::sleep(LOOK_AGAIN);
        }
        let seconds = START.as_secs();
        let text = tail(&log);
        Err(Error::new(format!(
            "the driver does not answer within {seconds} s\n{text}"
        )))
    }

    fn answers(&self) -> std::io::Result<bool> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(1)))?;
        let request = "GET /status HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
        stream.write_all(request.as_bytes())?;
        // It says that it closes the connection, and leaves it open.
        let mut answer = Vec::new();
        let mut part = [0; 1024];
        while !answer.ends_with(b"}}") {
            match stream.read(&mut part)? {
                0 => break,
                length => answer.extend_from_slice(part.get(..length).unwrap_or_default()),
            }
        }
        Ok(String::from_utf8_lossy(&answer).contains("\"ready\":true"))
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // There is nobody to tell of an error; the janitor stops the browsers.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

const ARGUMENTS: [&str; 11] = [
    "--headless=new",
    // As root, which tests often are, there is no sandbox.
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-extensions",
    "--force-color-profile=srgb",
];
