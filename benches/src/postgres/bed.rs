//! The server that is measured, and databases full of keys.

use keyward_postgres::PostgresStore;
use keyward_throwaway::Server;
use sqlx::{AssertSqlSafe, Connection, PgConnection, query_scalar, raw_sql};

use super::keys::fill;
use crate::Result;
use crate::rows::thousands;

/// A Postgres as it comes: a commit waits for the disk.
#[derive(Debug)]
pub(super) struct Bed {
    server: Server,
}

impl Bed {
    pub(super) async fn start() -> Result<Self> {
        let server = Server::start().await?;
        Ok(Self { server })
    }

    /// A database that holds the keys of the numbers below `n`.
    pub(super) async fn keys(&self, n: u64) -> Result<Filled> {
        let name = format!("keys_{n}");
        self.server
            .execute(&format!("CREATE DATABASE {name}"))
            .await?;
        let url = self.server.url_of(&name);
        PostgresStore::connect(&url)?.migrate().await?;
        let mut connection = PgConnection::connect(&url).await?;
        fill(&mut connection, n).await?;
        connection.close().await?;
        Ok(Filled { name, url, keys: n })
    }

    pub(super) async fn drop(&self, filled: Filled) -> Result<()> {
        let sql = format!("DROP DATABASE {} WITH (FORCE)", filled.name);
        self.server.execute(&sql).await?;
        self.server.execute("CHECKPOINT").await?;
        Ok(())
    }

    pub(super) fn log(&self) -> String {
        self.server.log()
    }

    /// What a reader must know of it.
    pub(super) async fn settings(&self) -> Result<String> {
        let mut connection = self.server.connect().await?;
        let mut told = Vec::new();
        for name in SETTINGS {
            let sql = format!("SHOW {name}");
            let value: String = query_scalar(AssertSqlSafe(sql))
                .fetch_one(&mut connection)
                .await?;
            told.push(format!("{name} {value}"));
        }
        connection.close().await?;
        Ok(told.join(", "))
    }
}

const SETTINGS: [&str; 5] = [
    "server_version",
    "fsync",
    "synchronous_commit",
    "shared_buffers",
    "max_connections",
];

/// A database with keys in it.
#[derive(Debug)]
pub(super) struct Filled {
    name: String,
    pub(super) url: String,
    pub(super) keys: u64,
}

impl Filled {
    /// `1,000,000 keys`
    pub(super) fn what(&self) -> String {
        format!("{} keys", thousands(self.keys))
    }

    /// The store as a service has it that gives no pool of its own.
    pub(super) fn store(&self) -> Result<PostgresStore> {
        Ok(PostgresStore::connect(&self.url)?)
    }

    pub(super) async fn execute(&self, sql: &'static str) -> Result<()> {
        let mut connection = PgConnection::connect(&self.url).await?;
        raw_sql(sql).execute(&mut connection).await?;
        Ok(connection.close().await?)
    }
}
