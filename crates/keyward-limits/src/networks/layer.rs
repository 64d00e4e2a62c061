use std::net::IpAddr;

use http::request::Parts;
use keyward::ProblemJson;
use tower_layer::Layer;

use super::NetworksService;
use crate::address::AddressOf;

/// Refuses keys that are used from elsewhere than their records say: 403.
///
/// It stands within an [`ApiKeyLayer`](keyward::ApiKeyLayer), next to it, and looks at
/// [`Principal::networks`](keyward::Principal::networks) for each request, whether the key is cached or not.
/// A key without networks may be used from anywhere; one with networks is refused also when the address of
/// the client is not known.
///
/// ```
/// # use std::net::{IpAddr, SocketAddr};
/// # use axum::{Router, extract::ConnectInfo, routing::get};
/// # use http::request::Parts;
/// # use keyward::{ApiKeyLayer, KeyFormat, Keyward, NewKey};
/// # use keyward_limits::NetworksLayer;
/// # use keyward_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = Keyward::builder(MemoryStore::default())
/// #     .format(KeyFormat::new("acme_live")?)
/// #     .start()
/// #     .await?;
/// let office = NewKey::named("office").tenant("acme-inc").networks(["192.0.2.0/24".parse()?]);
/// keys.issue(office).await?;
///
/// let peer = |parts: &Parts| -> Option<IpAddr> {
///     let ConnectInfo(peer) = parts.extensions.get::<ConnectInfo<SocketAddr>>()?;
///     Some(peer.ip())
/// };
/// let app: Router = Router::new()
///     .route("/orders", get(async || "orders"))
///     .layer(NetworksLayer::new(peer))
///     .layer(ApiKeyLayer::new(keys.verifier()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct NetworksLayer<R = ProblemJson> {
    address: AddressOf,
    on_reject: R,
}

impl NetworksLayer {
    /// Finds the address of a client like this; see [`TrustedProxies`](crate::TrustedProxies).
    #[must_use]
    pub fn new(address: impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static) -> Self {
        Self {
            address: AddressOf::new(address),
            on_reject: ProblemJson::default(),
        }
    }
}

impl<R> NetworksLayer<R> {
    /// Answers in this way where no `ApiKeyLayer` makes the answer anew.
    #[must_use]
    pub fn on_reject<R2>(self, on_reject: R2) -> NetworksLayer<R2> {
        NetworksLayer {
            address: self.address,
            on_reject,
        }
    }
}

impl<S, R: Clone> Layer<S> for NetworksLayer<R> {
    type Service = NetworksService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        NetworksService::new(inner, self.address.clone(), self.on_reject.clone())
    }
}
