use std::error::Error;

use keyward_limits::LimitsAway;
use redis::RedisError;
use thiserror::Error;

/// A text is not the URL of a Redis. It does not say which text: that may hold a password.
#[derive(Debug, Error)]
#[error("this is not the URL of a Redis")]
pub struct InvalidRedisUrl(#[source] Option<Box<dyn Error + Send + Sync>>);

impl InvalidRedisUrl {
    pub(crate) fn new(cause: RedisError) -> Self {
        // The detail of an error is a part of the URL, and might be the password; the rest is not.
        let is_quiet = cause.detail().is_none();
        Self(is_quiet.then(|| cause.into()))
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
