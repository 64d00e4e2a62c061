use std::error::Error;
use std::io;

use keyward::{CommitError, ImportError, IssueError, LifecycleError, StartError, StoreError};
use thiserror::Error;

use crate::named::no_such_key;

/// Why a command did not do what it was asked for.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Something is wrong with some of it, and has been told already.
    #[error("{0}")]
    Some(String),
    /// The database failed with some of it, which has been told already.
    #[error("{0}")]
    SomeStore(String),
    /// Something was changed as it should be, and to say so failed.
    #[error("it is done, but what became of it could not all be written")]
    Untold(#[source] io::Error),
    /// It was asked for in a way that makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file that was named, or standard input, cannot be read.
    #[error("cannot read {0}")]
    File(String, #[source] io::Error),
    /// It cannot be.
    #[error("{0}")]
    Refused(String),
    /// The key is not valid, which has been told already.
    #[error("the key is not valid")]
    NotValid,
    /// Whether the key is valid could not be found out.
    #[error("the key cannot be verified at the moment: {0}")]
    Unavailable(keyward::Reason),
    /// It cannot be done to that key, or not like that.
    #[error(transparent)]
    Lifecycle(LifecycleError),
    /// The key cannot be issued.
    #[error(transparent)]
    Issue(IssueError),
    /// The database cannot be reached, or does not do as it is asked.
    #[error("the database cannot do it")]
    Store(#[source] StoreError),
    /// The database lacks the schema, or some of it.
    #[error("{0}: `keyward init` does it")]
    Schema(&'static str),
    /// The database cannot be used as it is.
    #[error("{0}")]
    Start(&'static str, #[source] StartError),
    /// What was to be said could not be.
    #[error("the output cannot be written")]
    Output(#[from] io::Error),
}

impl Failure {
    /// The exit code.
    pub(crate) fn code(&self) -> u8 {
        match self {
            // Whoever read the output wanted no more of it. What changes something makes that `Untold`.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => DONE,
            Self::Some(_) | Self::Untold(_) | Self::Output(_) => SOME,
            Self::Usage(_) | Self::File(..) => USAGE,
            Self::Refused(_) | Self::NotValid => REFUSED,
            Self::Lifecycle(error) => of_lifecycle(error),
            Self::Issue(error) => of_issue(error),
            Self::Store(_) | Self::SomeStore(_) | Self::Schema(_) | Self::Unavailable(_) => STORE,
            Self::Start(_, StartError::Store(_) | StartError::NotReady(_)) => STORE,
            Self::Start(..) => USAGE,
        }
    }

    /// Whether it is the database's.
    pub(crate) fn is_outage(&self) -> bool {
        self.code() == STORE
    }

    /// Whether there is something to say about it that has not been said.
    pub(crate) fn is_news(&self) -> bool {
        match self {
            Self::NotValid => false,
            Self::Output(error) => error.kind() != io::ErrorKind::BrokenPipe,
            _ => true,
        }
    }

    /// The error and everything behind it, in one line.
    pub(crate) fn told(&self) -> String {
        let mut told = self.to_string();
        let mut next = self.source();
        while let Some(error) = next {
            let text = error.to_string();
            // Some errors repeat what lies behind them, and some only say that something does.
            if !told.ends_with(&text) && !SAYING_NOTHING.contains(&&*text) {
                told = format!("{told}: {text}");
            }
            next = error.source();
        }
        told
    }
}

/// What errors of a store say on the way to the cause.
const SAYING_NOTHING: [&str; 3] = [
    "the store cannot answer",
    "the store cannot be used as it is",
    "the store does not answer",
];

/// As what cannot be read.
pub(crate) const STANDARD_INPUT: &str = "standard input";

const DONE: u8 = 0;
const SOME: u8 = 1;
const USAGE: u8 = 2;
const REFUSED: u8 = 3;
const STORE: u8 = 4;

fn of_lifecycle(error: &LifecycleError) -> u8 {
    match error {
        LifecycleError::Store(_) => STORE,
        LifecycleError::Commit(error) => of_commit(error),
        _ => REFUSED,
    }
}

fn of_issue(error: &IssueError) -> u8 {
    match error {
        IssueError::Store(_) => STORE,
        IssueError::Commit(error) => of_commit(error),
        _ => REFUSED,
    }
}

/// Whether the store failed, and not the change.
pub(crate) const fn is_outage(error: &ImportError) -> bool {
    matches!(
        error,
        ImportError::Commit(CommitError::NotCommitted(_) | CommitError::Unknown(_))
    )
}

const fn of_commit(error: &CommitError) -> u8 {
    match error {
        CommitError::NotCommitted(_) | CommitError::Unknown(_) => STORE,
        _ => REFUSED,
    }
}

impl From<LifecycleError> for Failure {
    fn from(error: LifecycleError) -> Self {
        match error {
            LifecycleError::NotFound(id) => no_such_key(&id),
            error => Self::Lifecycle(error),
        }
    }
}

impl From<IssueError> for Failure {
    fn from(error: IssueError) -> Self {
        Self::Issue(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        let told = match &error {
            StartError::NotReady(_) => "the database cannot be used as it is",
            StartError::Store(_) => "the database does not answer",
            StartError::Format(_) => "these formats cannot be",
            _ => "the settings make no sense",
        };
        Self::Start(told, error)
    }
}
