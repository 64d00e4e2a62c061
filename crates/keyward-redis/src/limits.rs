use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyward_limits::{LimitsAway, SharedLimit, SharedLimits, SharedTaken};
use tokio::time::timeout;

use crate::link::Link;
use crate::script::{invocation, taken};
use crate::{ConnectError, InvalidRedisUrl};

/// Limits in one Redis or Valkey, for every node that has the same prefix there. Clones share one
/// connection.
///
/// It is given to [`RateLimits::shared`](keyward_limits::RateLimits::shared); see the
/// [crate](crate) for an example.
#[derive(Clone)]
pub struct RedisLimits {
    link: Link,
    prefix: Arc<str>,
}

impl RedisLimits {
    /// Connects when the first request is counted: a service starts whether Redis is there or not.
    ///
    /// The URL is `redis://[USER][:PASSWORD@]HOST[:PORT][/DATABASE]`, or `redis+unix:///PATH`.
    ///
    /// # Errors
    /// [`InvalidRedisUrl`] when it is none.
    pub fn new(url: &str) -> Result<Self, InvalidRedisUrl> {
        Ok(Self {
            link: Link::new(url)?,
            prefix: PREFIX.into(),
        })
    }

    /// Connects now, for a service that would rather not start without.
    ///
    /// # Errors
    /// [`ConnectError`] when Redis does not answer within three seconds, or does not let this user run
    /// scripts.
    pub async fn connect(url: &str) -> Result<Self, ConnectError> {
        let limits = Self::new(url)?;
        match timeout(STARTING, limits.run(&[])).await {
            Ok(answer) => answer?,
            Err(elapsed) => return Err(LimitsAway::new(elapsed).into()),
        };
        Ok(limits)
    }

    /// Begins the names of its keys with this instead of `{keyward}:`, so that several services can have
    /// one Redis. In a cluster it needs a part in braces, which alone decides the slot.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<Arc<str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    async fn run(&self, limits: &[SharedLimit]) -> Result<SharedTaken, LimitsAway> {
        let script = invocation(&self.prefix, limits);
        let answer = self.link.run(&script).await.map_err(LimitsAway::new)?;
        taken(&answer, limits.len())
    }
}

#[async_trait]
impl SharedLimits for RedisLimits {
    async fn take(&self, limits: &[SharedLimit]) -> Result<SharedTaken, LimitsAway> {
        if limits.is_empty() {
            return Ok(SharedTaken::new(true, Vec::new()));
        }
        self.run(limits).await
    }
}

impl fmt::Debug for RedisLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLimits")
            .field("prefix", &self.prefix)
            .field("link", &self.link)
            .finish()
    }
}

const PREFIX: &str = "{keyward}:";
const STARTING: Duration = Duration::from_secs(3);
