//! What Postgres says when it fails, without what a row holds.

use std::fmt;

use keyward_store::StoreError;
use thiserror::Error;

/// A failure of the database, or of the way to it.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The server answered with an error.
    #[error("{0}")]
    Server(ServerError),
    /// The connection broke, could not be made, or was not free in time.
    #[error("the connection to the database failed")]
    Link(#[source] sqlx::Error),
    /// The server's answer cannot be read.
    #[error("the database holds what makes no sense: {0}")]
    Nonsense(&'static str),
    /// The database cannot be used as it is.
    #[error("{0}")]
    Unfit(String),
}

/// An error that the server answered with. Its detail is not kept: it quotes rows, digests among
/// them; nor is its message, where that quotes a value.
#[derive(Debug)]
pub(crate) struct ServerError {
    pub(crate) code: String,
    message: Option<String>,
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database answers with error {}", self.code)?;
        match &self.message {
            Some(message) => write!(f, ": {message}"),
            None => Ok(()),
        }
    }
}

impl From<sqlx::Error> for Failure {
    fn from(error: sqlx::Error) -> Self {
        match error {
            sqlx::Error::Database(error) => {
                let code = error.code().unwrap_or_default().into_owned();
                // Data exceptions and broken constraints.
                let quotes = code.starts_with("22") || code.starts_with("23");
                let message = (!quotes).then(|| error.message().to_owned());
                Self::Server(ServerError { code, message })
            }
            // They quote the value that could not be read.
            sqlx::Error::ColumnDecode { .. } | sqlx::Error::Decode(_) => {
                Self::Nonsense("a value of another type than it must have")
            }
            error => Self::Link(error),
        }
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        Self::new(failure)
    }
}

impl Failure {
    /// The `SQLSTATE`, where the server gave one.
    pub(crate) fn code(&self) -> Option<&str> {
        match self {
            Self::Server(error) => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the connection cannot be used any more.
    pub(crate) fn breaks_connection(&self) -> bool {
        match self {
            // Class 57 without "query canceled": the server shuts down, or ends the session.
            Self::Server(error) => error.code.starts_with("57P") || error.code.starts_with("08"),
            // There was none.
            Self::Link(sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed) => false,
            Self::Link(_) => true,
            Self::Nonsense(_) | Self::Unfit(_) => false,
        }
    }
}
