//! Revocations a second. Each takes its number under one lock, which is held until its commit has
//! reached the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward::Keyward;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, query};

use super::bed::Filled;
use super::figures::{Rounds, rate};
use super::keys::{Key, format};
use crate::Result;
use crate::rows::Row;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    pub(super) window: Duration,
}

/// Uses up keys from `next` on.
pub(super) async fn run(filled: &Filled, plan: Plan, next: &Arc<AtomicU64>) -> Result<Vec<Row>> {
    filled.execute(PLAIN).await?;
    let pool = PgPoolOptions::new().max_connections(16);
    let pool = pool.test_before_acquire(false).connect(&filled.url).await?;
    let keys = Keyward::builder(filled.store()?).format(format()?);
    let keys = keys.start().await?;

    let mut figures = Rounds::default();
    for round in 0..=plan.rounds {
        for writers in WRITERS {
            for contender in CONTENDERS {
                let (pool, keys, next) = (pool.clone(), keys.clone(), next.clone());
                let work = move || {
                    let key = Key(next.fetch_add(1, Ordering::Relaxed));
                    write(contender, pool.clone(), keys.clone(), key)
                };
                let figure = rate(writers, plan.window, work).await?;
                // The first one opens connections.
                if round > 0 {
                    figures.note(&contender.name(writers), figure);
                }
            }
        }
    }
    keys.shutdown().await;

    let mut rows = Vec::new();
    for writers in WRITERS {
        let to = Contender::Plain.name(writers);
        for contender in CONTENDERS {
            rows.push(figures.row(SECTION, &contender.name(writers), "commits/s", &to)?);
        }
    }
    Ok(rows)
}

const WRITERS: [usize; 2] = [1, 8];
const SECTION: &str = "Revocations on Postgres";

#[derive(Debug, Clone, Copy)]
enum Contender {
    Plain,
    Update,
    Revoke,
}

const CONTENDERS: [Contender; 3] = [Contender::Plain, Contender::Update, Contender::Revoke];

impl Contender {
    fn name(self, writers: usize) -> String {
        let plural = if writers == 1 { "" } else { "s" };
        let what = match self {
            Self::Plain => "UPDATE of a table without a log of changes",
            Self::Update => "UPDATE of Keyward's table, as from psql",
            Self::Revoke => "Keyward::revoke",
        };
        format!("{writers} writer{plural}: {what}")
    }
}

async fn write(contender: Contender, pool: PgPool, keys: Keyward, key: Key) -> Result<()> {
    let id = key.id()?;
    let sql = match contender {
        Contender::Revoke => return Ok(keys.revoke(&id).await?),
        Contender::Plain => "UPDATE plain.keys SET revoked_at = now() WHERE id = $1",
        Contender::Update => {
            "UPDATE keyward.keys SET revoked_at = now(), revision = revision + 1 WHERE id = $1"
        }
    };
    let written = query(sql).bind(id.as_str()).execute(&pool).await?;
    match written.rows_affected() {
        1 => Ok(()),
        _ => Err("there are not enough keys to revoke".into()),
    }
}

/// As many as are revoked at most, and a look-up as in the real table.
const PLAIN: &str = "\
    CREATE TABLE plain.keys AS SELECT id, revoked_at FROM keyward.keys \
        ORDER BY id LIMIT 1000000; \
    ALTER TABLE plain.keys ADD PRIMARY KEY (id); \
    ANALYZE plain.keys; \
    CHECKPOINT";
