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
        let verifier = rows
            .verifier(Clock::system())
            .await
            .map_err(io::Error::other)?;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adversarial::answer::Outcome;
    use crate::adversarial::{Suite, http1};

    /// The whole answer to a request with this key, but for the time in it.
    async fn answer(server: &Server, key: &str) -> (u16, String) {
        let request = format!(
            "GET /protected HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n\
             Connection: close\r\n\r\n"
        );
        let exchanged = http1::exchange(server.address(), request.into_bytes()).await;
        let Outcome::Answered(answer) = exchanged.unwrap() else {
            panic!("no answer");
        };
        let text = String::from_utf8(answer.received).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("date: "));
        (answer.status, lines.collect::<Vec<_>>().join("\n"))
    }

    /// Whoever tries keys cannot tell what is the matter with one: neither the first time, when the
    /// store is asked, nor later.
    #[tokio::test]
    async fn all_bad_keys_get_one_answer() {
        let fixtures = Suite::own().unwrap().fixtures;
        let server = Server::start(&fixtures).await.unwrap();
        let (status, shape) = answer(&server, "not-a-key").await;
        assert_eq!(status, 401);
        let bad = [
            "unknown",
            "wrong_secret",
            "bad_checksum",
            "revoked",
            "expired",
            "suspended_tenant",
        ];
        for name in [bad, bad].concat() {
            let (status, answered) = answer(&server, fixtures.key(name).unwrap()).await;
            assert_eq!((status, answered.as_str()), (401, shape.as_str()), "{name}");
        }
        let valid = answer(&server, fixtures.key("valid").unwrap()).await;
        assert_eq!(valid.0, 200);
    }
}
