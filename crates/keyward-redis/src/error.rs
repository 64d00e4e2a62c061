use std::error::Error;

use keyward_limits::LimitsAway;
use thiserror::Error;

/// A text is not the URL of a Redis. It does not say which text: that may hold a password.
#[derive(Debug, Error)]
#[error("this is not the URL of a Redis")]
pub struct InvalidRedisUrl(#[source] Box<dyn Error + Send + Sync>);

impl InvalidRedisUrl {
    pub(crate) fn new(cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self(cause.into())
    }
}

/// Why there is no connection to Redis.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ConnectError {
    /// The URL will never lead there.
    #[error(transparent)]
    Url(#[from] InvalidRedisUrl),
    /// It cannot be asked now.
    #[error(transparent)]
    Away(#[from] LimitsAway),
}
