//! Limits and guards around API keys: tower layers that stand beside
//! [`ApiKeyLayer`](keyward::ApiKeyLayer), each of them off until it is asked for.
//!
//! | layer | stands | and answers |
//! |---|---|---|
//! | [`GuardLayer`] | around `ApiKeyLayer` | 403 to keys from browsers, or in the clear |
//! | [`FailureLimitLayer`] | around `ApiKeyLayer` | 429 to bad keys, beyond so many from one address |
//! | [`NetworksLayer`] | within `ApiKeyLayer`, next to it | 403 to keys used from elsewhere than they may |
//! | [`RateLimitLayer`] | within `ApiKeyLayer` | 429 beyond the limits of key, owner, tenant or client |
//!
//! # Limits
//! A limit of N requests per W is held by the generic cell rate algorithm: N requests pass at once, and
//! then one each W/N. In any stretch of the length W at most 2N − 1 pass; whoever needs N in any W asks for
//! half. What has been counted outlives the cache of keys, is bounded, and is forgotten once it equals
//! nothing counted.
//!
//! Only requests with a good key are counted for it, so that nobody can use up the limit of a key by
//! wrong secrets; and a 429 tells whoever holds a key that it is good. Requests without one are counted by
//! their address, where a rule says so.

mod address;
mod failures;
mod guard;
mod networks;
mod rate;

/// The futures of this crate's services.
pub mod future {
    pub use crate::failures::ResponseFuture as FailureLimitFuture;
    pub use crate::guard::ResponseFuture as GuardFuture;
    pub use crate::rate::future::ResponseFuture as RateLimitFuture;
}

pub use address::TrustedProxies;
pub use failures::{FailureLimitLayer, FailureLimitService};
pub use guard::{GuardLayer, GuardService};
pub use networks::{NetworksLayer, NetworksService};
pub use rate::{
    LimitsAway, RateLimitLayer, RateLimitService, RateLimits, Rule, SharedLimit, SharedLimits,
    SharedTaken, WhenAway,
};
