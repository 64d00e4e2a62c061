//! A node in a process of its own: this program, started once more.
//!
//! It is told things by lines on its standard input, and answers by lines on its standard output.

use std::io::{BufRead, BufReader, Write, stdin, stdout};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;
use std::time::Duration;

use async_trait::async_trait;
use keyward::{BootTime, Changes, Clock, Cursor, DeniedKind, KeyStore, Loaded, ReadFrom};
use keyward::{Register, Selector, StoreError, Verification, Verifier};
use keyward_postgres::PostgresStore;
use tokio::runtime::{Builder, Runtime};

use super::keys::{Key, format};
use crate::Result;

/// The argument that makes a node of this program.
pub(crate) const ARGUMENT: &str = "--node";

/// How a node hears of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// Polls, and notifications that make it poll sooner.
    Hints,
    /// Polls alone, as if every notification were lost.
    Polls,
}

impl News {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Hints => "hints",
            Self::Polls => "polls",
        }
    }
}

/// The node as whoever started it sees it. Dropping this kills it.
#[derive(Debug)]
pub(super) struct Node {
    process: Child,
    /// Until it is to end.
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Node {
    pub(super) fn start(url: &str, news: News) -> Result<Self> {
        let mut process = Command::new(std::env::current_exe()?)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let input = process.stdin.take();
        let output = process.stdout.take().ok_or("a node without an output")?;
        let mut node = Self {
            process,
            input,
            output: BufReader::new(output),
        };
        node.say(&format!("{} {url}", news.as_str()))?;
        node.expect("ready")?;
        Ok(node)
    }

    /// Has it verify this key over and over, and returns when it has been accepted once.
    pub(super) fn watch(&mut self, key: Key) -> Result<()> {
        self.say(&key.0.to_string())?;
        self.expect("accepted").map(drop)
    }

    /// When the key that is watched was refused for the first time.
    pub(super) fn refused(&mut self) -> Result<BootTime> {
        let at = self.expect("refused")?;
        Ok(BootTime::from_nanos(at.trim().parse()?))
    }

    /// Has it shut down, and so leave the register of nodes.
    pub(super) fn end(mut self) -> Result<()> {
        drop(self.input.take());
        match self.process.wait()? {
            status if status.success() => Ok(()),
            status => Err(format!("a node ended with {status}").into()),
        }
    }

    fn say(&mut self, line: &str) -> Result<()> {
        let input = self.input.as_mut().ok_or("a node without an input")?;
        writeln!(input, "{line}")?;
        Ok(input.flush()?)
    }

    fn expect(&mut self, word: &str) -> Result<String> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        match line.strip_prefix(word) {
            Some(rest) => Ok(rest.to_owned()),
            None => Err(format!("a node ended, or said {line:?} instead of {word:?}").into()),
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        // It may have ended already, and there is nobody to tell of an error.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Is a node until its input ends.
///
/// # Errors
/// When its keys are not answered as they should be. Whoever reads its output finds it ended.
pub(crate) fn run() -> Result<()> {
    let mut lines = stdin().lock().lines();
    let first = lines.next().ok_or("nothing was said to this node")??;
    let (news, url) = first.split_once(' ').ok_or("no address of a database")?;

    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let verifier = runtime.block_on(start(url, news == News::Polls.as_str()))?;
    answer("ready")?;
    for line in lines {
        let credential = Key(line?.parse()?).credential();
        watch(&runtime, &verifier, credential.as_bytes())?;
    }
    runtime.block_on(verifier.shutdown());
    Ok(())
}

async fn start(url: &str, deaf: bool) -> Result<Verifier> {
    let store = Store {
        inner: PostgresStore::connect(url)?,
        deaf,
    };
    let verifier = Verifier::builder(store).format(format()?);
    Ok(verifier.verify_only().await?)
}

fn watch(runtime: &Runtime, verifier: &Verifier, credential: &[u8]) -> Result<()> {
    let clock = Clock::system();
    let mut accepted = false;
    loop {
        let decision = match verifier.check(credential) {
            Verification::Decided(decision) => decision,
            Verification::Pending(pending) => runtime.block_on(pending),
        };
        let now = clock.boot();
        match decision {
            Ok(_) if accepted => thread::sleep(PAUSE),
            Ok(_) => {
                accepted = true;
                answer("accepted")?;
            }
            Err(denied) if accepted && denied.kind() == DeniedKind::InvalidToken => {
                return answer(&format!("refused {}", now.as_nanos()));
            }
            Err(denied) => return Err(format!("refused for {}", denied.reason()).into()),
        }
    }
}

/// Between two verifications: requests without a pause would take a core away from what is measured.
const PAUSE: Duration = Duration::from_micros(20);

fn answer(line: &str) -> Result<()> {
    let mut output = stdout().lock();
    writeln!(output, "{line}")?;
    Ok(output.flush()?)
}

/// The store, which may be deaf to notifications.
#[derive(Debug)]
struct Store {
    inner: PostgresStore,
    deaf: bool,
}

#[deny(clippy::missing_trait_methods)]
#[async_trait]
impl KeyStore for Store {
    async fn ready(&self) -> Result<(), StoreError> {
        self.inner.ready().await
    }

    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError> {
        self.inner.load(by, from).await
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        self.inner.changes(since).await
    }

    async fn hint(&self, since: &Cursor) {
        if self.deaf {
            std::future::pending().await
        } else {
            self.inner.hint(since).await;
        }
    }

    fn register(&self) -> &dyn Register {
        self.inner.register()
    }
}
