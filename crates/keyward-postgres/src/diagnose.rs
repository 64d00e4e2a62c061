//! What an operator asks when something seems wrong: facts, which others judge.
//!
//! Nothing is prepared for it: through a pooler that leaves prepared statements behind, which is one of
//! the things to be found, the answers could be another's.

use std::time::{Duration, SystemTime};

use keyward_store::{Clock, StoreError};
use sqlx::postgres::{PgConnectOptions, PgListener, PgPoolOptions};
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tokio::time::timeout;
use uuid::Uuid;

use crate::PostgresStore;
use crate::error::Failure;
use crate::load::history;
use crate::migrate::{VERSION, version};
use crate::pooler::{Way, probe};
use crate::rows::Columns;

/// How a database, and the ways to it, are at this moment. [`PostgresStore::diagnose`] gives it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The version of the server, as it tells it.
    pub server: String,
    /// Whether the server is a standby, which keeps no keys.
    pub standby: bool,
    /// Settings for these connections that must be otherwise, as `name = value`.
    pub unfit_settings: Vec<String>,
    /// Whether the server forces what was acknowledged to the disk.
    pub fsync: bool,
    /// What the way of the pool is like.
    pub pool: Way,
    /// What the way is like that news come by.
    pub direct: Result<Way, StoreError>,
    /// How long a notification took from one connection to another; the error says why none came.
    pub notification: Result<Duration, StoreError>,
    /// The clock of the server beside that of this machine.
    pub clock: ClockFacts,
    /// The last migration that has been run; 0 is none.
    pub schema: i32,
    /// The migration that this version of the crate needs.
    pub schema_needed: i32,
    /// Every trigger that tells of changes. Empty where there is no schema.
    pub triggers: Vec<TriggerFacts>,
    /// The log of changes; `None` where there is no schema.
    pub log: Option<LogFacts>,
    /// The nodes on the register.
    pub nodes: Vec<NodeFacts>,
    /// The standbys that follow this server, as far as the role may see them.
    pub standbys: Vec<StandbyFacts>,
}

/// How two clocks differ.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ClockFacts {
    /// By how much the clock of the server differs from that of this machine.
    pub difference: Duration,
    /// Whether that of the server is ahead.
    pub server_is_ahead: bool,
    /// The difference is not known better than this: half of the time that it took to ask.
    pub uncertainty: Duration,
}

/// A trigger that must fire always.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TriggerFacts {
    /// The table.
    pub table: String,
    /// The trigger.
    pub name: String,
    /// Whether it fires.
    pub fires: Fires,
}

/// When a trigger fires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fires {
    /// Always, which it must.
    Always,
    /// Not in every session.
    Sometimes,
    /// It is disabled.
    Never,
    /// There is none.
    Missing,
}

/// The log of changes.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct LogFacts {
    /// The last change.
    pub number: u64,
    /// How long ago it was made.
    pub age: Duration,
    /// How many changes are kept.
    pub kept: u64,
    /// How long ago the first that is kept was made.
    pub oldest: Duration,
}

/// A node on the register.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeFacts {
    /// Its name, to people.
    pub name: String,
    /// How long it believes what it knows without news.
    pub lease: Duration,
    /// How long ago it was heard of.
    pub seen: Duration,
    /// How many changes it has not applied yet; `None` where it has told of none in this history.
    pub behind: Option<u64>,
}

/// A standby of this server.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct StandbyFacts {
    /// Its name.
    pub name: String,
    /// What it is doing, in Postgres' words: `streaming` when all is well.
    pub state: String,
    /// Whether commits wait for it, in Postgres' words: `async`, `potential`, `sync` or `quorum`.
    pub sync: String,
    /// By how much it lags behind, where it is known to.
    pub lag: Option<Duration>,
}

impl PostgresStore {
    /// Looks at the database and the ways to it. Nothing is changed, and nobody is woken.
    ///
    /// It takes some connections of its own beside the pool, and some seconds where notifications do
    /// not come through.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be reached, or does not let this role look.
    pub async fn diagnose(&self) -> Result<Diagnosis, StoreError> {
        let (pool, direct) = self.ways();
        Ok(diagnose(&pool, &direct).await?)
    }

    /// The last migration that has been run, and the one that this version needs; 0 is none.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be reached.
    pub async fn schema_version(&self) -> Result<(i32, i32), StoreError> {
        let (pool, _) = self.ways();
        Ok((present(&pool).await?, VERSION))
    }
}

async fn present(pool: &PgConnectOptions) -> Result<i32, Failure> {
    let mut connection = PgConnection::connect_with(pool).await?;
    let present = version(&mut connection).await?;
    connection.close().await?;
    Ok(present)
}

async fn diagnose(
    pool: &PgConnectOptions,
    direct: &PgConnectOptions,
) -> Result<Diagnosis, Failure> {
    let mut connection = PgConnection::connect_with(pool).await?;
    let asked = &mut connection;
    let row = sqlx::raw_sql(SERVER).fetch_one(&mut *asked).await?;
    let (server, standby, fsync) = (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
    let unfit_settings: Vec<String> = row.try_get(3)?;
    let clock = clock(asked).await?;
    let schema = version(asked).await?;
    let (mut triggers, mut log, mut nodes) = (Vec::new(), None, Vec::new());
    if schema > 0 {
        triggers = self::triggers(asked).await?;
        let (facts, names) = self::log(asked).await?;
        nodes = self::nodes(asked, facts.number, names).await?;
        log = Some(facts);
    }
    let standbys = standbys(asked).await?;
    let notification = notification(direct, asked).await;
    connection.close().await?;
    Ok(Diagnosis {
        server,
        standby,
        unfit_settings,
        fsync,
        pool: probe(pool).await?,
        direct: probe(direct).await.map_err(StoreError::from),
        notification: notification.map_err(StoreError::from),
        clock,
        schema,
        schema_needed: VERSION,
        triggers,
        log,
        nodes,
        standbys,
    })
}

const SERVER: &str = "\
    SELECT current_setting('server_version'), pg_is_in_recovery(), \
        current_setting('fsync')::boolean, \
        ARRAY(SELECT s.name || ' = ' || current_setting(s.name) FROM (VALUES \
            ('server_encoding', 'UTF8'), \
            ('default_transaction_isolation', 'read committed'), \
            ('default_transaction_read_only', 'off')) AS s (name, must) \
            WHERE current_setting(s.name) <> s.must)";

const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";

/// Asked some times, and told by the answer that took least.
async fn clock(connection: &mut PgConnection) -> Result<ClockFacts, Failure> {
    let boot = Clock::system();
    let mut best: Option<ClockFacts> = None;
    for _ in 0..3 {
        let (asked, start) = (SystemTime::now(), boot.boot());
        let micros: i64 = sqlx::raw_sql(CLOCK)
            .fetch_one(&mut *connection)
            .await?
            .try_get(0)?;
        let uncertainty = boot.boot().since(start) / 2;
        let micros = u64::try_from(micros).map_err(|_| Failure::Nonsense("a time before 1970"))?;
        let theirs = SystemTime::UNIX_EPOCH + Duration::from_micros(micros);
        let ours = asked + uncertainty;
        let (difference, server_is_ahead) = match theirs.duration_since(ours) {
            Ok(ahead) => (ahead, true),
            Err(behind) => (behind.duration(), false),
        };
        if best.is_none_or(|best| uncertainty < best.uncertainty) {
            best = Some(ClockFacts {
                difference,
                server_is_ahead,
                uncertainty,
            });
        }
    }
    best.ok_or(Failure::Nonsense("no time"))
}

const TRIGGERS: &str = "\
    SELECT t.name, t.trigger, p.tgenabled::text FROM (VALUES \
        ('keys', 'keyward_changed'), ('keys', 'keyward_truncated'), \
        ('tenants', 'keyward_changed'), ('tenants', 'keyward_truncated'), \
        ('owners', 'keyward_changed'), ('owners', 'keyward_truncated'), \
        ('commits', 'keyward_truncated'), ('events', 'keyward_truncated')) AS t (name, trigger) \
    LEFT JOIN pg_trigger p ON p.tgrelid = to_regclass('keyward.' || t.name) AND p.tgname = t.trigger";

async fn triggers(connection: &mut PgConnection) -> Result<Vec<TriggerFacts>, Failure> {
    let rows = sqlx::raw_sql(TRIGGERS).fetch_all(connection).await?;
    let facts = rows.iter().map(|row| {
        let mut columns = Columns::new(row);
        let (table, name) = (columns.next()?, columns.next()?);
        let fires = match columns.next::<Option<&str>>()? {
            None => Fires::Missing,
            Some("A") => Fires::Always,
            Some("D") => Fires::Never,
            Some(_) => Fires::Sometimes,
        };
        Ok(TriggerFacts { table, name, fires })
    });
    facts.collect()
}

const LOG: &str = "\
    SELECT b.number, a.number, extract(epoch FROM clock_timestamp() - b.at)::float8, \
        extract(epoch FROM clock_timestamp() - a.at)::float8, l.history \
    FROM keyward.log l, \
        LATERAL (SELECT number, at FROM keyward.commits ORDER BY number LIMIT 1) a, \
        LATERAL (SELECT number, at FROM keyward.commits ORDER BY number DESC LIMIT 1) b";

/// The log, and how nodes call its history.
async fn log(connection: &mut PgConnection) -> Result<(LogFacts, i64), Failure> {
    let row = sqlx::raw_sql(LOG).fetch_one(connection).await?;
    let mut columns = Columns::new(&row);
    let (number, first) = (columns.number()?, columns.number()?);
    let (age, oldest) = (span(columns.next()?), span(columns.next()?));
    let history = history(Some(columns.next::<Uuid>()?));
    let facts = LogFacts {
        number,
        age,
        kept: number.saturating_sub(first) + 1,
        oldest,
    };
    Ok((facts, history.as_u64().cast_signed()))
}

const NODES: &str = "\
    SELECT name, lease_ms, extract(epoch FROM clock_timestamp() - seen_at)::float8, history, number \
    FROM keyward.nodes ORDER BY name, id";

async fn nodes(
    connection: &mut PgConnection,
    head: u64,
    now: i64,
) -> Result<Vec<NodeFacts>, Failure> {
    let rows = sqlx::raw_sql(NODES).fetch_all(connection).await?;
    let facts = rows.iter().map(|row| {
        let mut columns = Columns::new(row);
        let name = columns.next()?;
        let lease = Duration::from_millis(columns.number()?);
        let seen = span(columns.next()?);
        let (history, number): (Option<i64>, Option<i64>) = (columns.next()?, columns.next()?);
        let number = number.filter(|_| history == Some(now));
        let behind = number.map(|number| head.saturating_sub(number.cast_unsigned()));
        Ok(NodeFacts {
            name,
            lease,
            seen,
            behind,
        })
    });
    facts.collect()
}

/// Of others' connections a role may see less than their being there, unless it is `pg_monitor`'s.
const STANDBYS: &str = "\
    SELECT coalesce(application_name, ''), coalesce(state, 'unknown'), \
        coalesce(sync_state, 'unknown'), extract(epoch FROM replay_lag)::float8 \
    FROM pg_stat_replication ORDER BY 1";

async fn standbys(connection: &mut PgConnection) -> Result<Vec<StandbyFacts>, Failure> {
    let rows = sqlx::raw_sql(STANDBYS).fetch_all(connection).await?;
    let facts = rows.iter().map(|row| {
        let mut columns = Columns::new(row);
        Ok(StandbyFacts {
            name: columns.next()?,
            state: columns.next()?,
            sync: columns.next()?,
            lag: columns.next::<Option<f64>>()?.map(span),
        })
    });
    facts.collect()
}

/// Sends a notification over the one way and waits for it on the other, on a channel of its own, so
/// that no node is woken.
async fn notification(
    direct: &PgConnectOptions,
    sender: &mut PgConnection,
) -> Result<Duration, Failure> {
    let pool = PgPoolOptions::new()
        .max_connections(1)
        .acquire_timeout(PATIENCE)
        .connect_lazy_with(direct.clone());
    let mut listener = PgListener::connect_with(&pool).await?;
    let channel = format!("keyward_diagnose_{}", Uuid::now_v7().simple());
    listener.listen(&channel).await?;
    let clock = Clock::system();
    let start = clock.boot();
    // The name was made just now, of digits and letters.
    let notify = AssertSqlSafe(format!("NOTIFY {channel}"));
    sqlx::raw_sql(notify).execute(sender).await?;
    match timeout(PATIENCE, listener.recv()).await {
        Ok(heard) => {
            heard?;
            Ok(clock.boot().since(start))
        }
        Err(_elapsed) => Err(Failure::Unfit(format!(
            "no notification came within {} s",
            PATIENCE.as_secs()
        ))),
    }
}

const PATIENCE: Duration = Duration::from_secs(5);

/// So many seconds; none where a clock was set back in between.
fn span(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or_default()
}
