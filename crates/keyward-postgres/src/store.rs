use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use keyward_store::{
    Applied, AuditEntry, AuditQuery, Beat, Change, Changes, CommitError, Cursor, KeySnapshot,
    KeyStore, ListQuery, Loaded, Lookup, Node, NodeId, Page, ReadFrom, Records, Register,
    RegisteredNode, Selector, StoreError, Subject, SubjectState, Use,
};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgPool};
use tokio::time::timeout;

use crate::commit::Outcome;
use crate::housekeeping::Housekeeping;
use crate::link::Link;
use crate::pool::Connections;
use crate::spell::spell;
use crate::{audit, commit, list, load, migrate, poll, pool, ready, register, standing, touch};

/// Keys in Postgres.
///
/// # How changes are told
/// Triggers on the tables of keys, tenants and owners write a log of changes, whoever made them. Each
/// transaction takes one number when it commits, under one lock; so numbers come in the order in
/// which changes become visible. Every node polls the log over one connection of its own, on which it
/// also listens: a notification only makes it poll sooner.
///
/// # Connections
/// Everything but news goes over the pool. One connection more is opened to the address of the pool,
/// or to the one that [`direct`](PostgresStore::direct) names; it must not go through a pooler that
/// hands out servers by transaction. The pool may, if that is PgBouncer 1.21 or newer with
/// `max_prepared_statements` above 0: the service does not start otherwise.
///
/// # What operators owe
/// There is one primary at a time: one that was replaced must be fenced off. A commit that was
/// acknowledged survives: where failover is automatic, that takes a synchronous standby. The triggers
/// stay. Two-phase commit cannot be used for changes of keys; Postgres refuses it.
///
/// # Last uses
/// They are written in one statement per flush, beside the records, and nobody waits for the disk: a
/// crash of the server loses those of its last 0.6 s (three times `wal_writer_delay`), a crash of a
/// node those of its last flush interval.
///
/// # Rights
/// The role of the pool needs `USAGE` on the schema `keyward`, `SELECT`, `INSERT`, `UPDATE` and
/// `DELETE` on its tables, and `USAGE` on its sequences; to migrate, `CREATE` on the database.
#[derive(Clone)]
pub struct PostgresStore(Arc<Inner>);

struct Inner {
    pool: Connections,
    replicas: Option<Connections>,
    link: Link,
    housekeeping: Housekeeping,
}

impl PostgresStore {
    /// Keeps keys in the database of the host's pool.
    ///
    /// Look-ups are fastest from a pool that does not test connections before it lends them
    /// (`PgPoolOptions::test_before_acquire(false)`).
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        let direct = PgConnectOptions::clone(&pool.connect_options());
        Self::build(Connections::new(pool), None, direct)
    }

    /// Keeps keys in the database at `url`, over a pool of 16 connections, which are opened when they
    /// are needed.
    ///
    /// # Errors
    /// [`StoreError`] when that is no address of a Postgres database.
    pub fn connect(url: &str) -> Result<Self, StoreError> {
        let options = parse(url)?;
        let pool = PgPoolOptions::new()
            .max_connections(POOL_SIZE)
            .acquire_timeout(POOL_PATIENCE)
            .test_before_acquire(false)
            .connect_lazy_with(options);
        Ok(Self::new(pool))
    }

    /// Gets news from this address: that of the same database, where the pool's leads to a pooler.
    ///
    /// # Errors
    /// [`StoreError`] when that is no address of a Postgres database.
    pub fn direct(self, url: &str) -> Result<Self, StoreError> {
        let direct = parse(url)?;
        Ok(Self::build(
            self.0.pool.clone(),
            self.0.replicas.clone(),
            direct,
        ))
    }

    /// Looks keys up in replicas first. What is too old there to be believed is asked of the primary,
    /// and so is what a replica does not answer within half a second.
    #[must_use]
    pub fn replicas(self, pool: PgPool) -> Self {
        let direct = self.0.link.options().clone();
        Self::build(self.0.pool.clone(), Some(Connections::new(pool)), direct)
    }

    fn build(pool: Connections, replicas: Option<Connections>, direct: PgConnectOptions) -> Self {
        let direct = direct.disable_statement_logging();
        Self(Arc::new(Inner {
            pool,
            replicas,
            link: Link::new(direct),
            housekeeping: Housekeeping::default(),
        }))
    }

    /// Makes the schema `keyward`, or brings it up to date. Nodes that start together may all call
    /// this; the files are in `migrations/`, to be run by hand instead.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be reached or does not allow it. Nothing has changed
    /// then.
    ///
    /// # Cancel safety
    /// All of it is done, or nothing.
    pub async fn migrate(&self) -> Result<(), StoreError> {
        Ok(self.0.pool.with(migrate::migrate).await?)
    }

    /// Where look-ups and changes go, and where news come from.
    pub(crate) fn ways(&self) -> (PgConnectOptions, PgConnectOptions) {
        let pool = PgConnectOptions::clone(&self.0.pool.pool().connect_options());
        (pool, self.0.link.options().clone())
    }
}

fn parse(url: &str) -> Result<PgConnectOptions, StoreError> {
    let is_postgres = ["postgres://", "postgresql://"]
        .iter()
        .any(|scheme| url.starts_with(scheme));
    // The error may quote the address, and the password in it.
    let options = PgConnectOptions::from_str(url).ok().filter(|_| is_postgres);
    let wrong = || StoreError::new("this is no address of a Postgres database");
    Ok(options.ok_or_else(wrong)?.disable_statement_logging())
}

const POOL_SIZE: u32 = 16;
/// Below the time limit of a look-up.
const POOL_PATIENCE: Duration = Duration::from_millis(1_500);

impl fmt::Debug for PostgresStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PostgresStore")
    }
}

#[async_trait]
impl Lookup for PostgresStore {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        Ok(self.load(by, ReadFrom::Primary).await?.found)
    }
}

#[async_trait]
impl Records for PostgresStore {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        let change = spell(change)?;
        let (mut tries, mut dead) = (0, 0);
        loop {
            // Before it is sent, a failure is certain: so a connection that has died since it was
            // used last is found before.
            let mut sent = false;
            let send = async |connection: &mut _| {
                pool::ping(connection).await?;
                sent = true;
                commit::commit(connection, &change).await
            };
            let outcome = self.0.pool.with(send).await;
            match outcome {
                Ok(Outcome::Made) => return Ok(()),
                Ok(Outcome::Refused(error)) => return Err(error),
                Ok(Outcome::Overtaken(_)) if tries < MAX_TRIES => tries += 1,
                Ok(Outcome::Overtaken(failure)) => {
                    return Err(CommitError::NotCommitted(failure.into()));
                }
                Err(failure) if sent => return Err(CommitError::Unknown(failure.into())),
                Err(failure) if failure.breaks_connection() && dead < 1 => dead += 1,
                Err(failure) => return Err(CommitError::NotCommitted(failure.into())),
            }
        }
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let list = async |connection: &mut _| list::list(connection, query).await;
        Ok(self.0.pool.with_retry(list).await?)
    }

    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError> {
        let standing = async |connection: &mut _| standing::standing(connection, subject).await;
        Ok(self.0.pool.with_retry(standing).await?)
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        let audit = async |connection: &mut _| audit::audit(connection, query).await;
        Ok(self.0.pool.with_retry(audit).await?)
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        let touch = async |connection: &mut _| touch::touch(connection, uses).await;
        Ok(self.0.pool.with_retry(touch).await?)
    }
}

/// How often a change is sent again when others were in its way.
const MAX_TRIES: u32 = 100;

#[async_trait]
impl KeyStore for PostgresStore {
    async fn ready(&self) -> Result<(), StoreError> {
        let pool = self.0.pool.pool().connect_options();
        Ok(ready::check(&pool, self.0.link.options()).await?)
    }

    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError> {
        let load = async |connection: &mut _| load::load(connection, by).await;
        if let (Some(replicas), ReadFrom::Any) = (&self.0.replicas, from)
            && let Ok(Ok(loaded)) = timeout(REPLICA_PATIENCE, replicas.with(load)).await
        {
            return Ok(loaded);
        }
        // Whatever is wrong with the replicas, the primary knows.
        Ok(self.0.pool.with_retry(load).await?)
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        let link = &self.0.link;
        let heard = link.before_poll();
        let since = since.clone();
        let changes = link
            .with(move |connection| {
                Box::pin(async move { poll::changes(connection, &since).await })
            })
            .await?;
        link.after_poll(heard, changes.cursor.number());
        self.0.housekeeping.tick(&self.0.pool);
        Ok(changes)
    }

    async fn hint(&self, since: &Cursor) {
        self.0.link.hint(since).await;
    }

    fn register(&self) -> &dyn Register {
        self
    }
}

#[async_trait]
impl Register for PostgresStore {
    async fn beat(&self, node: &Node) -> Result<Beat, StoreError> {
        let copy = node.clone();
        let beat = self.0.link.with(move |connection| {
            Box::pin(async move { register::beat(connection, &copy).await })
        });
        match timeout(LINK_PATIENCE, beat).await {
            Ok(Ok(beat)) => Ok(beat),
            // As long as there is any way to the database, the node is alive.
            _ => {
                let beat = async |connection: &mut _| register::beat(connection, node).await;
                Ok(self.0.pool.with_retry(beat).await?)
            }
        }
    }

    async fn applied(&self, node: &NodeId, applied: Applied) -> Result<(), StoreError> {
        let node = *node;
        let note = self.0.link.with(move |connection| {
            Box::pin(async move { register::applied(connection, &node, applied).await })
        });
        Ok(note.await?)
    }

    async fn nodes(&self) -> Result<Vec<RegisteredNode>, StoreError> {
        Ok(self.0.pool.with_retry(register::nodes).await?)
    }

    async fn strike(&self, node: &NodeId, beat: u64) -> Result<bool, StoreError> {
        let strike = async |connection: &mut _| register::strike(connection, node, beat).await;
        Ok(self.0.pool.with(strike).await?)
    }
}

/// A quarter of what a look-up may take, so that replicas which hang make no key unavailable.
const REPLICA_PATIENCE: Duration = Duration::from_millis(500);
/// Half of the time that a beat may take.
const LINK_PATIENCE: Duration = Duration::from_millis(500);
