use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use postgres_cluster::{Cluster, Options, url};
use sqlx::PgConnection;

use crate::{Error, blocking, connection};

/// A Postgres server of one test, with a directory and a port of its own.
///
/// The user `postgres` may do all without a password. The port stays the same while the server is
/// down. Dropping it stops the server and deletes its directory.
///
/// The programs are those in `KEYWARD_TEST_POSTGRES_BIN`, which `cargo xtask test` sets, else those
/// that `pg_config`, `PATH` or the usual places of packages lead to. As root they run as the user
/// `postgres` or `nobody`.
#[derive(Debug)]
pub struct Server {
    cluster: Arc<Mutex<Cluster>>,
    url: String,
    port: u16,
}

/// A server that is not started yet.
#[derive(Debug, Clone, Default)]
pub struct Builder {
    options: Options,
}

impl Builder {
    /// Adds a line to `postgresql.conf`, for example `("fsync", "off")`; the last one of a name
    /// counts.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.options = self.options.setting(name, value);
        self
    }

    /// Starts it.
    ///
    /// # Errors
    ///
    /// When there is no Postgres, which says how to get one, or it does not start.
    pub async fn start(self) -> Result<Server, Error> {
        blocking(|| self.options.start()).await.map(Server::of)
    }
}

impl Server {
    /// Starts a server as Postgres comes, but for 200 connections.
    ///
    /// # Errors
    ///
    /// Those of [`Builder::start`].
    pub async fn start() -> Result<Self, Error> {
        Self::builder().start().await
    }

    /// A server with settings.
    #[must_use]
    pub fn builder() -> Builder {
        Builder::default()
    }

    fn of(cluster: Cluster) -> Self {
        Self {
            url: cluster.url(),
            port: cluster.port(),
            cluster: Arc::new(Mutex::new(cluster)),
        }
    }

    /// The URL of the database `postgres`.
    #[must_use]
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// The URL of a database.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        url::with_database(&self.url, database).unwrap_or_default()
    }

    /// `127.0.0.1:PORT`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The TCP port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The last lines of its log, for the message of a test that fails.
    #[must_use]
    pub fn log(&self) -> String {
        lock(&self.cluster).log()
    }

    /// Opens a connection to the database `postgres`.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn connect(&self) -> Result<PgConnection, Error> {
        connection::connect(&self.url).await
    }

    /// Runs statements in the database `postgres` on a connection of their own, and returns how
    /// many rows they changed.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses them.
    pub async fn execute(&self, sql: &str) -> Result<u64, Error> {
        connection::execute(&self.url, sql).await
    }

    /// Stops the server at once, without a checkpoint, and cuts its connections.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn stop(&self) -> Result<(), Error> {
        self.with(Cluster::stop).await
    }

    /// Kills every process of the server: a crash. The next start recovers.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn kill(&self) -> Result<(), Error> {
        self.with(Cluster::kill).await
    }

    /// Starts a server that was stopped or killed, and returns when it takes connections.
    ///
    /// # Errors
    ///
    /// When it runs, or does not start.
    pub async fn start_again(&self) -> Result<(), Error> {
        self.with(Cluster::start_again).await
    }

    /// Stops the server and starts it again.
    ///
    /// # Errors
    ///
    /// When it does not run, or does not start.
    pub async fn restart(&self) -> Result<(), Error> {
        self.with(Cluster::restart).await
    }

    /// Suspends every process of the server: connections stay open, and nothing answers.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn pause(&self) -> Result<(), Error> {
        self.with(Cluster::pause).await
    }

    /// Lets a server that is paused go on.
    ///
    /// # Errors
    ///
    /// When it does not run.
    pub async fn resume(&self) -> Result<(), Error> {
        self.with(Cluster::resume).await
    }

    /// Starts a standby that streams from this server and answers queries.
    ///
    /// With a delay it applies each commit that much later than this server made it.
    ///
    /// # Errors
    ///
    /// When this server does not run, or the standby does not start.
    pub async fn standby(&self, apply_delay: Option<Duration>) -> Result<Self, Error> {
        let standby = self
            .with(move |cluster| cluster.standby(apply_delay))
            .await?;
        Ok(Self::of(standby))
    }

    /// Makes a primary of a standby, and returns when it is one.
    ///
    /// # Errors
    ///
    /// When it is none, or does not run.
    pub async fn promote(&self) -> Result<(), Error> {
        self.with(Cluster::promote).await
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Cluster) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let cluster = Arc::clone(&self.cluster);
        blocking(move || work(&mut lock(&cluster))).await
    }
}

fn lock(cluster: &Mutex<Cluster>) -> std::sync::MutexGuard<'_, Cluster> {
    // A panic elsewhere leaves a cluster that can still be asked.
    cluster.lock().unwrap_or_else(PoisonError::into_inner)
}
