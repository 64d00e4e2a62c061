//! The node's own connection to the primary: it listens for hints, and polls and beats go over it.
//!
//! One task owns it, since a connection that waits for notifications cannot be asked at the same
//! time. That polls go over the connection that listens is also what tells whether it still hears
//! anything: a dead socket answers no poll, and is replaced by one that listens before it is asked.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use keyward_store::Cursor;
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{Acquire, PgConnection};
use tokio::sync::{mpsc, oneshot, watch};

use crate::error::Failure;

/// The channel on which triggers notify; what they say there is nothing.
const CHANNEL: &str = "keyward";

pub(crate) type Working<'c, T> = Pin<Box<dyn Future<Output = Result<T, Failure>> + Send + 'c>>;

pub(crate) struct Link {
    options: PgConnectOptions,
    /// To the task, once there is one.
    jobs: Mutex<Option<mpsc::UnboundedSender<Box<dyn Job>>>>,
    news: watch::Sender<News>,
}

/// What is known of changes without asking.
#[derive(Clone, Copy, Debug, Default)]
struct News {
    /// Counts notifications.
    heard: u64,
    /// How many had been heard when the last answered poll was sent.
    settled: u64,
    /// The last change that a poll told of.
    number: u64,
}

impl Link {
    pub(crate) fn new(options: PgConnectOptions) -> Self {
        Self {
            options,
            jobs: Mutex::new(None),
            news: watch::Sender::default(),
        }
    }

    pub(crate) const fn options(&self) -> &PgConnectOptions {
        &self.options
    }

    /// Does one thing on the connection, after what was asked for before.
    ///
    /// # Cancel safety
    /// When it is dropped half-way, the connection is replaced.
    pub(crate) async fn with<T: Send + 'static>(
        &self,
        work: impl for<'c> FnOnce(&'c mut PgConnection) -> Working<'c, T> + Send + 'static,
    ) -> Result<T, Failure> {
        let (answer, answered) = oneshot::channel();
        self.send(Box::new(Asked { work, answer }));
        let lost = Failure::Unfit("the runtime of the store has ended".to_owned());
        answered.await.unwrap_or(Err(lost))
    }

    /// Notes how many notifications there are before a poll: it tells of those.
    pub(crate) fn before_poll(&self) -> u64 {
        self.news.borrow().heard
    }

    /// Notes that a poll told of all changes up to `number`.
    pub(crate) fn after_poll(&self, heard: u64, number: u64) {
        self.news.send_modify(|news| {
            news.settled = news.settled.max(heard);
            news.number = number;
        });
    }

    /// Waits until there may be changes behind `since`.
    pub(crate) async fn hint(&self, since: &Cursor) {
        let mut news = self.news.subscribe();
        let rumour = |news: &News| news.heard > news.settled || news.number != since.number();
        // The sender lives as long as `self`, so this fails never.
        let _closed = news.wait_for(rumour).await;
    }

    fn send(&self, job: Box<dyn Job>) {
        let mut jobs = self.jobs.lock().unwrap_or_else(PoisonError::into_inner);
        let job = match &*jobs {
            Some(running) => match running.send(job) {
                Ok(()) => return,
                // The runtime that it ran on has ended.
                Err(mpsc::error::SendError(job)) => job,
            },
            None => job,
        };
        let (sender, receiver) = mpsc::unbounded_channel();
        tokio::spawn(attend(self.options.clone(), receiver, self.news.clone()));
        // It was made just now, and its receiver with it.
        let _sent = sender.send(job);
        *jobs = Some(sender);
    }
}

/// Owns the connection, until the link is dropped.
async fn attend(
    options: PgConnectOptions,
    mut jobs: mpsc::UnboundedReceiver<Box<dyn Job>>,
    news: watch::Sender<News>,
) {
    let mut line: Option<PgListener> = None;
    loop {
        let job = match &mut line {
            None => jobs.recv().await,
            Some(listener) => tokio::select! {
                job = jobs.recv() => job,
                heard = listener.try_recv() => {
                    if !matches!(heard, Ok(Some(_))) {
                        line = None;
                    }
                    // A connection that is lost is news too: have it replaced soon.
                    note(&news, &mut line);
                    continue;
                }
            },
        };
        let Some(job) = job else { return };
        let listened = line.is_some();
        line = job.run(line, &options).await;
        let heard = match &mut line {
            Some(listener) => listener.next_buffered().is_some(),
            // Lost just now: nobody listens until there is another job.
            None => listened,
        };
        if heard {
            note(&news, &mut line);
        }
    }
}

fn note(news: &watch::Sender<News>, line: &mut Option<PgListener>) {
    while line
        .as_mut()
        .is_some_and(|line| line.next_buffered().is_some())
    {}
    news.send_modify(|news| news.heard += 1);
}

/// LISTEN comes first: what is committed after the poll that follows is heard.
async fn connect(options: &PgConnectOptions) -> Result<PgListener, Failure> {
    // A pool of one, which the listener asks for.
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(CONNECT_LIMIT)
        .max_lifetime(None)
        .idle_timeout(None)
        .test_before_acquire(false)
        .connect_lazy_with(options.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    listener.ignore_pool_close_event(true);
    listener.eager_reconnect(false);
    listener.listen(CHANNEL).await?;
    Ok(listener)
}

const CONNECT_LIMIT: Duration = Duration::from_secs(5);

#[async_trait]
trait Job: Send {
    /// Gives the connection back if it can still be used.
    async fn run(
        self: Box<Self>,
        line: Option<PgListener>,
        options: &PgConnectOptions,
    ) -> Option<PgListener>;
}

struct Asked<T, F> {
    work: F,
    answer: oneshot::Sender<Result<T, Failure>>,
}

#[async_trait]
impl<T, F> Job for Asked<T, F>
where
    T: Send + 'static,
    F: for<'c> FnOnce(&'c mut PgConnection) -> Working<'c, T> + Send + 'static,
{
    async fn run(
        self: Box<Self>,
        line: Option<PgListener>,
        options: &PgConnectOptions,
    ) -> Option<PgListener> {
        let Self { work, mut answer } = *self;
        if answer.is_closed() {
            return line;
        }
        let doing = async {
            let mut line = match line {
                Some(line) => line,
                None => connect(options).await?,
            };
            let outcome = work(line.acquire().await?).await;
            Ok::<_, Failure>((line, outcome))
        };
        let (line, outcome) = tokio::select! {
            done = doing => match done {
                Ok((line, outcome)) => (Some(line), outcome),
                Err(failure) => (None, Err(failure)),
            },
            // Whoever asked has given up: nobody knows what the connection is doing.
            () = answer.closed() => return None,
        };
        let sound = !outcome.as_ref().is_err_and(Failure::breaks_connection);
        // Whoever asked may have given up meanwhile.
        let _unheard = answer.send(outcome);
        line.filter(|_| sound)
    }
}
