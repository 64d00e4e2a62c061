use tower_layer::Layer;

use super::DeprecationService;

/// Tells clients that another key has taken the place of theirs.
///
/// While both are good, answers to the old key bear `Deprecation` (RFC 9745 §2), which says since when
/// it is replaced, and `Sunset` (RFC 8594 §3), which says when it ends. Others are left as they are. It
/// stands within an [`ApiKeyLayer`](crate::ApiKeyLayer).
///
/// ```
/// # use axum::{Router, routing::get};
/// # use keyward::{ApiKeyLayer, DeprecationLayer, KeyFormat, Keyward};
/// # use keyward_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = Keyward::builder(MemoryStore::default())
/// #     .format(KeyFormat::new("acme_live")?)
/// #     .start()
/// #     .await?;
/// let app: Router = Router::new()
///     .route("/orders", get(async || "orders"))
///     .layer(DeprecationLayer::new())
///     .layer(ApiKeyLayer::new(keys.verifier()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct DeprecationLayer(());

impl DeprecationLayer {
    /// The layer.
    #[must_use]
    pub const fn new() -> Self {
        Self(())
    }
}

impl<S> Layer<S> for DeprecationLayer {
    type Service = DeprecationService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        DeprecationService::new(inner)
    }
}
