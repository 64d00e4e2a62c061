use postgres_cluster::PoolMode;

use crate::{Error, Server, blocking};

/// A PgBouncer in front of a server; dropping it stops it.
///
/// The program is the one in `KEYWARD_TEST_PGBOUNCER`, which `cargo xtask test` sets, else the one
/// in `PATH` or in `/usr/sbin`. Debian 12 has 1.18, which knows nothing of prepared statements.
#[derive(Debug)]
pub struct PgBouncer {
    program: postgres_cluster::PgBouncer,
}

impl PgBouncer {
    /// Starts one. The settings are lines of the section `pgbouncer`; the last one of a name
    /// counts.
    ///
    /// # Errors
    ///
    /// When there is no PgBouncer, which says how to get it, or it does not start.
    pub async fn start(
        server: &Server,
        mode: PoolMode,
        settings: &[(&str, &str)],
    ) -> Result<Self, Error> {
        let port = server.port();
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let start = move || postgres_cluster::PgBouncer::start(port, mode, &settings);
        let program = blocking(start).await?;
        Ok(Self { program })
    }

    /// The URL of the database `postgres` through the pool.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// The URL of a database through the pool.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        self.program.url_of(database)
    }

    /// The last lines of its log, for the message of a test that fails.
    #[must_use]
    pub fn log(&self) -> String {
        self.program.log()
    }
}
