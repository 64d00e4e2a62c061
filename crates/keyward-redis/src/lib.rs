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
//! them, or off none. The time is the server's own, so that the clocks of the nodes do not matter.
//!
//! Limits are counted in whole microseconds: nodes share at most a million requests a second for each.
//!
//! # While Redis is away
//! Nobody waits for a connection but the request that needs it, and it no longer than the [patience] of
//! [`RateLimits`], up to ten seconds; then, for a second, requests are answered as [`WhenAway`] says. One
//! request each second looks whether Redis is back. A connection may take a second to be made, however short
//! the patience is: it is made for those who come later.
//!
//! A connection that breaks is made anew. One that someone has lost patience with is sent a `PING`, and given
//! up if that is not answered within half a second; so is one over which Redis answers with an error,
//! since its name may lead to another server by now.
//!
//! # What it takes
//! Each client costs one name for each limit: some 200 bytes, of which the name itself, the rule and the id
//! or address are a third. It expires once it says nothing more: under a limit of N per W, W/N after one
//! request, and W after N at once. So a million clients at a time are 200 MB for each limit, and limits of
//! days hold those of days.
//!
//! **Nothing here bounds that.** [`RateLimits::room`] is that of a process. Keys, owners and tenants are as
//! many as the service has let in; addresses are as many as anyone has. Of IPv6, a /48 holds 65,536 that are
//! counted apart: 13 MB, for as long as the windows last. A /32 holds more than any server. Rules
//! [per address] are for short windows, in which few of them can come.
//!
//! # What Redis should be
//! One server that takes writes, or a proxy or name that leads to it (Sentinel, or what a provider offers).
//! What was counted is lost with a server that keeps nothing, or with a replica that takes over too early;
//! then everyone starts afresh.
//!
//! Operators owe it memory for what was said above, a `maxmemory`, and a policy that goes with it:
//! - `noeviction` forgets nothing. Once Redis is full (`-OOM`) it counts as away, for all clients, as
//!   [`WhenAway`] says, until enough has expired.
//! - `volatile-ttl` forgets what would expire next. Redis stays there, and whoever is forgotten starts
//!   afresh; a flood of new clients can bring that about.
//! - Every other policy may forget those first who have used up a long limit.
//!
//! Whatever else shares the server shares its memory and its policy: a server of its own is better. What it
//! finds under its names that is not its own, it takes for nothing counted, and writes over.
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
//! [per address]: keyward_limits::Rule::per_address
//! [patience]: keyward_limits::RateLimits::patience
//! [`RateLimits`]: keyward_limits::RateLimits
//! [`RateLimits::room`]: keyward_limits::RateLimits::room
//! [`WhenAway`]: keyward_limits::WhenAway

mod error;
mod limits;
mod link;
mod names;
mod script;

pub use error::{ConnectError, InvalidRedisUrl};
pub use limits::RedisLimits;
