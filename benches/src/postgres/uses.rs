//! Last uses: what writing a batch of them down takes.

use std::str::FromStr;
use std::time::{Duration, SystemTime};

use keyward::{Clock, Records, Use};
use keyward_postgres::PostgresStore;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{PgPool, query, raw_sql};

use super::bed::{Bed, Filled};
use super::figures::{Rounds, micros};
use super::keys::Key;
use crate::Result;
use crate::rows::{Row, thousands};

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rounds: usize,
}

pub(super) async fn run(bed: &Bed, filled: &Filled, plan: Plan) -> Result<Vec<Row>> {
    filled.execute(PLAIN).await?;
    let store = filled.store()?;
    let pool = PgPoolOptions::new().connect(&filled.url).await?;
    let (clock, mut at) = (Clock::system(), SystemTime::now());
    let mut figures = Rounds::default();
    // The first round makes the rows, as the first flushes of a service do.
    for round in 0..=plan.rounds {
        let mut note = |name: &str, figure| {
            if round > 0 {
                figures.note(name, figure);
            }
        };
        let start = clock.boot();
        for n in 0..ONE_BY_ONE {
            write_one(&pool, Key::scattered(n, filled.keys)).await?;
        }
        let took = micros(clock.boot().since(start));
        note(EACH, took / ONE_BY_ONE as f64);
        note(EACH_RATE, ONE_BY_ONE as f64 * 1e6 / took);

        for batch in BATCHES {
            // A use that is no later than the one before would not be written.
            at += Duration::from_secs(1);
            let uses = uses(filled, batch, at)?;
            let start = clock.boot();
            store.touch(&uses).await?;
            let took = micros(clock.boot().since(start));
            note(&time_of(batch), took);
            note(&rate_of(batch), batch as f64 * 1e6 / took);
        }
    }

    let mut rows = vec![
        figures.row(SECTION, EACH, "µs", EACH)?,
        figures.row(SECTION, EACH_RATE, "rows/s", EACH_RATE)?,
    ];
    for batch in BATCHES {
        rows.push(figures.row(SECTION, &time_of(batch), "µs", EACH)?);
        rows.push(figures.row(SECTION, &rate_of(batch), "rows/s", EACH_RATE)?);
        at += Duration::from_secs(1);
        let statements = statements(bed, filled, &uses(filled, batch, at)?).await?;
        rows.push(Row {
            section: SECTION,
            name: format!("{}: statements", time_of(batch)),
            unit: "statements",
            min: statements,
            median: statements,
            ratio_to: "one for each key".to_owned(),
            ratio: statements / batch as f64,
        });
    }
    Ok(rows)
}

const BATCHES: [u64; 3] = [1, 100, 10_000];
const ONE_BY_ONE: u64 = 20;
const SECTION: &str = "Last uses on Postgres";
const EACH: &str = "a committed UPDATE for each use";
const EACH_RATE: &str = "a committed UPDATE for each use: rate";

fn time_of(batch: u64) -> String {
    let plural = if batch == 1 { "" } else { "s" };
    format!("one flush of {} key{plural}", thousands(batch))
}

fn rate_of(batch: u64) -> String {
    format!("{}: rate", time_of(batch))
}

fn uses(filled: &Filled, batch: u64, at: SystemTime) -> Result<Vec<Use>> {
    let mut uses = Vec::new();
    for n in 0..batch {
        let key = Key::scattered(n, filled.keys).id()?;
        uses.push(Use { key, at });
    }
    // As a service's flush has them.
    uses.sort_by(|one, other| one.key.cmp(&other.key));
    Ok(uses)
}

/// What people write by hand, who have a column for it.
async fn write_one(pool: &PgPool, key: Key) -> Result<()> {
    let written = query(
        "INSERT INTO plain.last_used (key, at) VALUES ($1, clock_timestamp()) \
         ON CONFLICT (key) DO UPDATE SET at = excluded.at",
    )
    .bind(key.id()?.as_str())
    .execute(pool)
    .await?;
    match written.rows_affected() {
        1 => Ok(()),
        _ => Err("a use was not written".into()),
    }
}

const PLAIN: &str = "CREATE SCHEMA plain; \
    CREATE TABLE plain.last_used (key text PRIMARY KEY, at timestamptz NOT NULL)";

/// How many statements one flush is, as the server's log has them.
async fn statements(bed: &Bed, filled: &Filled, uses: &[Use]) -> Result<f64> {
    let options = PgConnectOptions::from_str(&filled.url)?
        .options([("log_statement", "all"), ("log_parameter_max_length", "0")]);
    let pool = PgPoolOptions::new().max_connections(1);
    let pool = pool.connect_with(options).await?;
    let store = PostgresStore::new(pool.clone());
    store.touch(uses).await?;
    raw_sql("SELECT 'one more flush'").execute(&pool).await?;
    store.touch(uses).await?;
    pool.close().await;

    let log = bed.log();
    let (_, behind) = log
        .rsplit_once("SELECT 'one more flush'")
        .ok_or("the server's log lacks the statements")?;
    let statement =
        |line: &&str| line.contains("LOG:  execute") || line.contains("LOG:  statement");
    Ok(behind.lines().filter(statement).count() as f64)
}
