use std::io;
use std::net::SocketAddr;

use super::Fixtures;
use axum::Router;
use axum::routing::get;

/// temporary
pub(super) struct Server {
    address: SocketAddr,
}
impl Server {
    pub(super) async fn start(_f: &Fixtures) -> io::Result<Self> {
        let l = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let address = l.local_addr()?;
        let app = Router::new().route("/protected", get(async || "ok"));
        tokio::spawn(async move { axum::serve(l, app).await });
        Ok(Self { address })
    }
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
    pub(super) fn lookups(&self) -> u64 {
        0
    }
}
