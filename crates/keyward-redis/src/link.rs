//! The connection, which is there when it is needed, and given up when it does not answer.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::{Client, ErrorKind, RedisResult, ScriptInvocation, ServerErrorKind, cmd};
use tokio::runtime::Handle;
use tokio::time::timeout;

use crate::InvalidRedisUrl;

/// A way to one server. Clones share it.
#[derive(Clone)]
pub(crate) struct Link(Arc<Inner>);

struct Inner {
    client: Client,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    current: Option<Connection>,
    /// How many connections there have been.
    made: u64,
}

struct Connection {
    manager: ConnectionManager,
    /// Unlike that of every other of this link, now and before.
    number: u64,
    /// Whether it has ever answered.
    answered: bool,
    /// Whether someone finds out at present whether it does.
    is_judged: bool,
}

/// A question on its way. Where it is dropped without an answer, someone has lost patience.
struct Asked<'a> {
    link: &'a Link,
    manager: ConnectionManager,
    number: u64,
    answered: bool,
    is_over: bool,
}

impl Link {
    pub(crate) fn new(url: &str) -> Result<Self, InvalidRedisUrl> {
        let client = Client::open(url).map_err(InvalidRedisUrl::new)?;
        Ok(Self(Arc::new(Inner {
            client,
            state: Mutex::default(),
        })))
    }

    /// Runs the script, over a new connection where the present one has broken.
    pub(crate) async fn run(&self, script: &ScriptInvocation<'_>) -> RedisResult<Vec<u64>> {
        let mut asked = self.ask()?;
        let mut answer = script.invoke_async(&mut asked.manager).await;
        if let Err(error) = &answer
            && asked.answered
            && error.is_connection_dropped()
        {
            // The server went, and may be back: its manager connects anew. Perhaps it has counted before
            // it went; twice is better than not at all.
            answer = script.invoke_async(&mut asked.manager).await;
        }
        asked.is_over = true;
        match &answer {
            Ok(_) => self.answered(asked.number),
            // The script takes whatever it finds, so every error is one of the server, or of the way there:
            // a manager keeps to some for good, and does not leave a server that was demoted. Which one it
            // is cannot be told, as Redis 6 says `ERR` of all that a script meets.
            Err(_) => self.give_up(asked.number),
        }
        answer
    }

    /// A question over the present connection, or a new one. This connects to nothing yet.
    fn ask(&self) -> RedisResult<Asked<'_>> {
        let mut state = self.lock();
        let state = &mut *state;
        let connection = match &mut state.current {
            Some(connection) => connection,
            none => {
                let client = self.0.client.clone();
                let manager = ConnectionManager::new_lazy_with_config(client, config())?;
                state.made += 1;
                // It connects for as long as someone polls it, and who asks may lose patience.
                tokio::spawn(self.judge(manager.clone(), state.made, CONNECTING + SILENCE));
                none.insert(Connection {
                    manager,
                    number: state.made,
                    answered: false,
                    is_judged: true,
                })
            }
        };
        Ok(Asked {
            link: self,
            manager: connection.manager.clone(),
            number: connection.number,
            answered: connection.answered,
            is_over: false,
        })
    }

    /// Finds out whether a connection answers, once someone has lost patience with it.
    ///
    /// That alone says nothing of it: the patience may have been short, or the caller may have gone away.
    fn doubt(&self, number: u64) {
        if let Some(connection) = self.lock().of(number)
            && !connection.is_judged
            && let Ok(runtime) = Handle::try_current()
        {
            connection.is_judged = true;
            runtime.spawn(self.judge(connection.manager.clone(), number, SILENCE));
        }
    }

    /// Keeps the connection if the server answers over it within that time, and gives it up if not.
    fn judge(
        &self,
        mut manager: ConnectionManager,
        number: u64,
        within: Duration,
    ) -> impl Future<Output = ()> + Send + use<> {
        let link = self.clone();
        async move {
            match timeout(within, cmd("PING").exec_async(&mut manager)).await {
                Ok(Ok(())) => link.keep(number),
                // A user who may do nothing but count is answered too.
                Ok(Err(error)) if error.kind() == NOT_ALLOWED => link.keep(number),
                _ => link.give_up(number),
            }
        }
    }

    fn answered(&self, number: u64) {
        if let Some(connection) = self.lock().of(number) {
            connection.answered = true;
        }
    }

    fn keep(&self, number: u64) {
        if let Some(connection) = self.lock().of(number) {
            connection.answered = true;
            connection.is_judged = false;
        }
    }

    fn give_up(&self, number: u64) {
        let mut state = self.lock();
        if state.of(number).is_some() {
            state.current = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        let state = self.0.state.lock();
        state.unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The present connection, if it is that one.
    fn of(&mut self, number: u64) -> Option<&mut Connection> {
        let current = self.current.as_mut();
        current.filter(|connection| connection.number == number)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.link.doubt(self.number);
        }
    }
}

/// The client knows the password.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let connected = self.lock().current.as_ref().is_some_and(|is| is.answered);
        f.debug_struct("Link")
            .field("connected", &connected)
            .finish_non_exhaustive()
    }
}

fn config() -> ConnectionManagerConfig {
    ConnectionManagerConfig::new()
        // Who asks again tries again: nothing goes on by itself while nobody asks.
        .set_number_of_retries(0)
        .set_connection_timeout(Some(CONNECTING))
        .set_response_timeout(Some(LONGEST))
        .set_concurrency_limit(AT_ONCE)
        .set_pipeline_buffer_size(AT_ONCE)
}

const NOT_ALLOWED: ErrorKind = ErrorKind::Server(ServerErrorKind::NoPerm);
const CONNECTING: Duration = Duration::from_secs(1);
/// A server that says nothing for so long, once it is in doubt, is not asked over the same connection again.
const SILENCE: Duration = Duration::from_millis(500);
/// Nobody waits longer for an answer, however patient.
const LONGEST: Duration = Duration::from_secs(10);
/// So many questions are on the way; further ones wait until their patience ends.
const AT_ONCE: usize = 1_024;

#[cfg(test)]
mod tests {
    use super::*;

    fn link() -> Link {
        Link::new("redis://127.0.0.1:1").unwrap()
    }

    /// What is judged meanwhile does not run before this test waits for something.
    #[tokio::test]
    async fn who_asked_over_a_former_connection_does_not_end_the_present_one() {
        let link = link();
        let mut former = Vec::new();
        for _ in 0..3 {
            let asked = link.ask().unwrap();
            let number = asked.number;
            assert!(!former.contains(&number));
            for former in &former {
                link.give_up(*former);
                link.keep(*former);
            }
            let present = link.ask().unwrap();
            assert_eq!((present.number, present.answered), (number, false));
            link.give_up(number);
            former.push(number);
        }
    }

    #[tokio::test]
    async fn a_connection_is_judged_once_at_a_time() {
        let link = link();
        let number = link.ask().unwrap().number;
        let is_judged = || link.lock().of(number).unwrap().is_judged;
        // By who connects, whoever else doubts it.
        assert!(is_judged());
        link.keep(number);
        let asked = link.ask().unwrap();
        assert!(asked.answered && !is_judged());
        drop(asked);
        assert!(is_judged());
        // An answer to someone else is not the verdict.
        link.answered(number);
        assert!(is_judged());
    }

    /// As where a service is dropped after its runtime.
    #[test]
    fn a_question_can_be_dropped_anywhere() {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let link = link();
        let asked = runtime.block_on(async { link.ask().unwrap() });
        link.keep(asked.number);
        drop(runtime);
        drop(asked);
        assert!(link.lock().current.is_some());
    }
}
