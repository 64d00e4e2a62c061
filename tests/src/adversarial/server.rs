use std::io;
use std::net::SocketAddr;

use axum::Router;
use axum::routing::get;
use keyward::{ApiKeyLayer, RequireScopes};
use keyward_core::Verifier;
use keyward_store::{Clock, Scope};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;

use super::Fixtures;
use super::fixtures::WRITE;
use super::rows::Rows;

/// `/protected` behind the layer and `/public` beside it; the layer guards all other paths too.
pub(super) fn app(verifier: Verifier, required: Vec<Scope>) -> Router {
    Router::new()
        .route("/protected", get(async || "protected"))
        .route_layer(RequireScopes::all(required))
        .layer(ApiKeyLayer::new(verifier))
        .route("/public", get(async || "public"))
}

/// A server on a port of its own, whose verifier has not seen any key yet.
pub(super) struct Server {
    address: SocketAddr,
    rows: Rows,
    task: AbortHandle,
}

impl Server {
    pub(super) async fn start(fixtures: &Fixtures) -> io::Result<Self> {
        let rows = Rows::new(fixtures.rows().map_err(io::Error::other)?);
        let verifier = rows.verifier(Clock::system()).await.map_err(io::Error::other)?;
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = axum::serve(listener, app(verifier, vec![WRITE])).into_future();
        Ok(Self {
            address,
            rows,
            task: tokio::spawn(serving).abort_handle(),
        })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// How often the store was asked for a key so far.
    pub(super) fn lookups(&self) -> u64 {
        self.rows.asked()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}
