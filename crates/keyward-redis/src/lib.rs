//! Rate limits that several nodes share, in Redis 6 and later or Valkey 7 and later.
//!
//! ```no_run
//! # use std::num::NonZeroU32;
//! # use std::time::Duration;
//! # use keyward::Limit;
//! # use keyward_limits::{RateLimits, Rule, WhenAway};
//! # use keyward_redis::RedisLimits;
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let minute = Limit::new(100, Duration::from_secs(60)).ok_or("no limit")?;
//! let redis = RedisLimits::new("redis://redis.internal")?;
//! let three = NonZeroU32::new(3).ok_or("no nodes")?;
//! let limits = RateLimits::new([Rule::per_key("key").limits([minute])])
//!     .shared("api", redis, WhenAway::LocalShare(three));
//! # let _ = limits;
//! # Ok(())
//! # }
//! ```
//!
//! # What is asked
//! Each request is one call of one script, whatever the number of its limits: it is taken off all of
//! them, or off none. The time is the server's own, so that the clocks of the nodes do not matter. A
//! limit costs one key of some hundred bytes, which expires once it equals nothing counted.
//!
//! Limits are counted in whole microseconds: nodes share at most a million requests a second for each.
//!
//! # While Redis is away
//! Nobody waits for a connection but the request that needs it, and it no longer than the patience of
//! [`RateLimits`]; then, for a second, requests are answered as [`WhenAway`] says. One request each second
//! looks whether Redis is back. A connection that breaks is made anew, and one that does not answer is
//! given up.
//!
//! # What Redis should be
//! One server that takes writes, or a proxy or name that leads to it (Sentinel, or what a provider offers).
//! What was counted is lost with a server that keeps nothing, or with a replica that takes over too early;
//! then everyone starts afresh. With `maxmemory` the policy should be `noeviction` or `volatile-ttl`: another
//! one may forget what is still counted.
//!
//! All names begin with `{keyward}:`, which puts them into one slot of a cluster, as a script needs it. But
//! this is no client of clusters: it can be led to the node of that slot by a proxy, and does not follow
//! redirections itself, which count as Redis being away.
//!
//! Names hold what they are of: ids of keys and tenants, addresses of clients. No secret is among them, and
//! no hash of one.
//!
//! For `rediss://`, add the crate `redis` with its feature `tokio-rustls-comp` (and a provider of rustls) to
//! the service: TLS is the host's to choose.
//!
//! [`RateLimits`]: keyward_limits::RateLimits
//! [`WhenAway`]: keyward_limits::WhenAway

mod error;
mod limits;
mod link;
mod names;
mod script;

pub use error::{ConnectError, InvalidRedisUrl};
pub use limits::RedisLimits;
