//! The connection, which is there when it is needed, and given up when it does not answer.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisError, RedisResult, ScriptInvocation, cmd};
use tokio::time::Instant;

use crate::InvalidRedisUrl;

/// A way to one server.
pub(crate) struct Link {
    client: Client,
    current: Mutex<Option<Connection>>,
}

struct Connection {
    manager: ConnectionManager,
    /// Unlike that of every other of this link.
    number: u64,
    /// Whether it has ever answered.
    answered: bool,
    /// When the first question was asked that nothing was answered after.
    waits_since: Option<Instant>,
}

impl Link {
    pub(crate) fn new(url: &str) -> Result<Self, InvalidRedisUrl> {
        let client = Client::open(url).map_err(InvalidRedisUrl::new)?;
        Ok(Self {
            client,
            current: Mutex::default(),
        })
    }

    /// Runs the script, over a new connection where the present one has broken.
    pub(crate) async fn run(&self, script: &ScriptInvocation<'_>) -> RedisResult<Vec<u64>> {
        let (mut manager, number, answered) = self.ask()?;
        let mut answer = script.invoke_async(&mut manager).await;
        if let Err(error) = &answer
            && answered
            && error.is_connection_dropped()
        {
            // The server went, and may be back: its manager connects anew. Perhaps it has counted before
            // it went; twice is better than not at all.
            answer = script.invoke_async(&mut manager).await;
        }
        match &answer {
            Ok(_) => self.answered(number),
            Err(error) if is_about_the_script(error) => self.answered(number),
            // A manager keeps to some errors for good, and does not leave a server that was demoted.
            Err(_) => self.give_up(number),
        }
        answer
    }

    /// The present connection, or a new one. This connects to nothing yet.
    fn ask(&self) -> RedisResult<(ConnectionManager, u64, bool)> {
        let now = Instant::now();
        let mut current = self.lock();
        let next = match &mut *current {
            Some(connection) if !connection.is_silent(now) => {
                connection.waits_since.get_or_insert(now);
                let Connection {
                    number, answered, ..
                } = *connection;
                return Ok((connection.manager.clone(), number, answered));
            }
            Some(connection) => connection.number + 1,
            None => 0,
        };
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config())?;
        // It connects for as long as someone polls it, and who asks may lose patience.
        let mut connecting = manager.clone();
        tokio::spawn(async move { connecting.send_packed_command(&cmd("PING")).await });
        *current = Some(Connection {
            manager: manager.clone(),
            number: next,
            answered: false,
            waits_since: Some(now),
        });
        Ok((manager, next, false))
    }

    fn answered(&self, number: u64) {
        if let Some(connection) = &mut *self.lock()
            && connection.number == number
        {
            connection.answered = true;
            connection.waits_since = None;
        }
    }

    fn give_up(&self, number: u64) {
        let mut current = self.lock();
        if let Some(connection) = &*current
            && connection.number == number
        {
            *current = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    fn is_silent(&self, now: Instant) -> bool {
        self.waits_since
            .is_some_and(|since| now.saturating_duration_since(since) > SILENCE)
    }
}

/// The client knows the password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.lock().as_ref().is_some_and(|is| is.answered);
        f.debug_struct("Link")
            .field("connected", &connected)
            .finish_non_exhaustive()
    }
}

/// Whether the server has said what it thinks of the values that it found, over a good connection.
fn is_about_the_script(error: &RedisError) -> bool {
    matches!(error.code(), Some("ERR" | "WRONGTYPE"))
        || error.kind() == ErrorKind::UnexpectedReturnType
}

fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        // Who asks again tries again: nothing goes on by itself while nobody asks.
        .set_number_of_retries(0)
        .set_connection_timeout(Some(CONNECTING))
        .set_response_timeout(Some(SILENCE))
        .set_concurrency_limit(AT_ONCE)
        .set_pipeline_buffer_size(AT_ONCE)
}

const CONNECTING: Duration = Duration::from_secs(1);
/// A server that says nothing for so long is not asked over the same connection again.
const SILENCE: Duration = Duration::from_millis(500);
/// So many questions are on the way; further ones wait until their patience ends.
const AT_ONCE: usize = 1_024;
