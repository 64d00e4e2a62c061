use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{env, thread};

use postgres_cluster::url;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::sync::Mutex;

use crate::{Error, Server, connection};

/// The environment variable that names the server which tests share. Its user must be allowed to
/// create databases.
pub const DATABASE_URL: &str = "KEYWARD_TEST_DATABASE_URL";

/// The code of `insufficient_privilege`.
const NOT_ALLOWED: &str = "42501";

/// How long dropping a database may take, for example while its server is paused.
const DROP_LIMIT: Duration = Duration::from_secs(10);

/// An empty database of one test, on a server that tests share.
///
/// The server is the one of `KEYWARD_TEST_DATABASE_URL`, which `cargo xtask test` sets for all
/// tests. Without the variable it is one of this process, which takes a second to start and lives
/// as long as a database on it does.
///
/// Dropping it drops the database, and with it the connections that are still open.
#[derive(Debug)]
pub struct Database {
    name: String,
    url: String,
    admin_url: String,
    /// Keeps a server of this process alive.
    _server: Option<Arc<Server>>,
}

impl Database {
    /// Creates one.
    ///
    /// # Errors
    ///
    /// When there is no server, or its user may not create databases; it says what to do.
    pub async fn fresh() -> Result<Self, Error> {
        let (admin_url, server) = match env::var(DATABASE_URL) {
            Ok(url) => (url, None),
            Err(_) => {
                let server = server_of_this_process().await?;
                (server.url(), Some(server))
            }
        };
        let name = format!("keyward_test_{:016x}", random());
        let url = url::with_database(&admin_url, &name)
            .ok_or_else(|| Error::new(format!("{DATABASE_URL} is not postgres://…")))?;
        create(&admin_url, &name).await?;
        Ok(Self {
            name,
            url,
            admin_url,
            _server: server,
        })
    }

    /// Its URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The URL of the database from which it was created, whose user may drop it.
    #[must_use]
    pub fn admin_url(&self) -> &str {
        &self.admin_url
    }

    /// `HOST:PORT` of its server.
    #[must_use]
    pub fn address(&self) -> String {
        url::address(&self.url).unwrap_or_default()
    }

    /// Opens a connection.
    ///
    /// # Errors
    ///
    /// When the server does not answer.
    pub async fn connect(&self) -> Result<PgConnection, Error> {
        connection::connect(&self.url).await
    }

    /// Runs statements on a connection of their own, and returns how many rows they changed.
    ///
    /// # Errors
    ///
    /// When the server does not answer, or refuses them.
    pub async fn execute(&self, sql: &str) -> Result<u64, Error> {
        connection::execute(&self.url, sql).await
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let sql = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let url = self.admin_url.clone();
        let limited =
            async move { tokio::time::timeout(DROP_LIMIT, connection::execute(&url, &sql)).await };
        // A runtime cannot be waited for inside of another one, hence the thread. A database that
        // cannot be dropped, for example because its server is down, is no failure of the test.
        let dropping = thread::spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.is_ok_and(|runtime| runtime.block_on(limited).is_ok())
        });
        drop(dropping.join());
    }
}

/// Starts a server when no test of this process has one.
async fn server_of_this_process() -> Result<Arc<Server>, Error> {
    static SHARED: Mutex<Weak<Server>> = Mutex::const_new(Weak::new());
    let mut shared = SHARED.lock().await;
    if let Some(server) = shared.upgrade() {
        return Ok(server);
    }
    // It outlives no crash of the machine, so it need not wait for the disk.
    let server = Arc::new(Server::builder().setting("fsync", "off").start().await?);
    *shared = Arc::downgrade(&server);
    Ok(server)
}

async fn create(admin_url: &str, name: &str) -> Result<(), Error> {
    let mut admin = connection::connect(admin_url).await.map_err(|error| {
        let about = format!("{error}. {DATABASE_URL} names the server that tests share");
        Error::new(about)
    })?;
    // From the template that nobody can be connected to: others would make it fail.
    let sql = format!("CREATE DATABASE {name} TEMPLATE template0");
    let created = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut admin).await;
    created.map(drop).map_err(|error| match &error {
        sqlx::Error::Database(refused) if refused.code().as_deref() == Some(NOT_ALLOWED) => {
            Error::new(format!(
                "the user of {DATABASE_URL} may not create databases, and each test needs one of \
                 its own: ALTER ROLE … CREATEDB allows it"
            ))
        }
        _ => Error::because("cannot create a database")(error),
    })
}

/// The standard library's own source of randomness: the keys of its maps.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}
