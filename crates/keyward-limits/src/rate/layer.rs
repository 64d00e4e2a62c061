use keyward::ProblemJson;
use tower_layer::Layer;

use super::headers::Told;
use super::{RateLimitService, RateLimits};

/// Holds requests to limits: those beyond them are answered 429, with `Retry-After`, `RateLimit` and
/// `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10).
///
/// It stands within an [`ApiKeyLayer`](keyward::ApiKeyLayer), so only requests with a good key are counted
/// for the key, its owner and its tenant: a wrong secret burns nobody's limit. A request is counted once,
/// however many layers with the same [`RateLimits`] see it. As a `route_layer` behind
/// [`RequireScopes`](keyward::RequireScopes) it counts none that lacks a scope.
///
/// ```
/// # use std::time::Duration;
/// # use axum::{Router, routing::get};
/// # use keyward::{ApiKeyLayer, KeyFormat, Keyward, Limit};
/// # use keyward_limits::{RateLimitLayer, RateLimits, Rule};
/// # use keyward_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = Keyward::builder(MemoryStore::default())
/// #     .format(KeyFormat::new("acme_live")?)
/// #     .start()
/// #     .await?;
/// let minute = Limit::new(100, Duration::from_secs(60)).ok_or("no limit")?;
/// let limits = RateLimits::new([Rule::per_key("key").limits([minute])]);
///
/// let app: Router = Router::new()
///     .route("/orders", get(async || "orders"))
///     .layer(RateLimitLayer::new(limits))
///     .layer(ApiKeyLayer::new(keys.verifier()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct RateLimitLayer<R = ProblemJson> {
    limits: RateLimits,
    told: Told,
    on_reject: R,
}

impl RateLimitLayer {
    /// Counts under these rules.
    #[must_use]
    pub fn new(limits: RateLimits) -> Self {
        Self {
            limits,
            told: Told::default(),
            on_reject: ProblemJson::default(),
        }
    }
}

impl<R> RateLimitLayer<R> {
    /// Says what is left on the other answers too.
    #[must_use]
    pub const fn tell_always(mut self) -> Self {
        self.told.on_success = true;
        self
    }

    /// Says it in `X-RateLimit-Limit`, `-Remaining` and `-Reset` (in seconds) as well, for the limit of
    /// which the least is left.
    #[must_use]
    pub const fn x_headers(mut self) -> Self {
        self.told.x_headers = true;
        self
    }

    /// Answers in this way where no `ApiKeyLayer` makes the answer anew.
    #[must_use]
    pub fn on_reject<R2>(self, on_reject: R2) -> RateLimitLayer<R2> {
        RateLimitLayer {
            limits: self.limits,
            told: self.told,
            on_reject,
        }
    }
}

impl<S, R: Clone> Layer<S> for RateLimitLayer<R> {
    type Service = RateLimitService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        let (limits, on_reject) = (self.limits.clone(), self.on_reject.clone());
        RateLimitService::new(inner, limits, self.told, on_reject)
    }
}
