//! A throwaway Postgres for tests, and the ways in which one fails.
//!
//! - [`Database`] is a fresh database on a server that tests share: what most tests need.
//! - [`Server`] is a server of one test, which it may stop, kill, pause, follow and promote.
//! - [`Proxy`] stands between a client and a server, and is the network that fails.
//! - [`PgBouncer`] is the pooler between them.
//!
//! ```no_run
//! # async fn test() -> Result<(), keyward_throwaway::Error> {
//! use keyward_throwaway::{Database, Proxy, Server};
//!
//! let database = Database::fresh().await?;
//! database.execute("CREATE TABLE t (id int)").await?;
//!
//! let server = Server::start().await?;
//! let proxy = Proxy::to(server.address()).await?;
//! let url = proxy.url(&server.url()); // what the code under test connects to
//! proxy.freeze();
//! # drop(url);
//! # Ok(())
//! # }
//! ```
//!
//! Nothing needs cleaning up: servers and databases go with their values, and servers also when
//! the process is killed. Where the programs come from is said at [`Server`], and in the error of a
//! machine that has none.
#![cfg(unix)]

mod connection;
mod database;
mod pgbouncer;
mod proxy;
mod server;

pub use database::{DATABASE_URL, Database};
pub use pgbouncer::PgBouncer;
pub use postgres_cluster::{Error, PoolMode};
pub use proxy::Proxy;
pub use server::{Builder, Server};

/// Runs what blocks on a thread where it may.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(Error::because("a blocking task ended early"))?
}
