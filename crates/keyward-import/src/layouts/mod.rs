//! What other systems' rows look like.

mod better_auth;
mod drf_api_key;
mod prefixed_api_key;
mod sanctum;
mod unkey;

pub use better_auth::{BetterAuth, BetterAuthRow};
pub use drf_api_key::{DrfApiKey, DrfApiKeyRow};
pub use prefixed_api_key::{PrefixedApiKey, PrefixedApiKeyRow};
pub use sanctum::{Sanctum, SanctumRow};
pub use unkey::{Unkey, UnkeyRow};
