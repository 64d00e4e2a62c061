//! The miss path: how many keys a second are found that no cache holds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward::{KeyStore, ReadFrom, Verification, Verifier};
use keyward_postgres::PostgresStore;
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, query_as};

use super::bed::Filled;
use super::figures::{Rounds, rate};
use super::keys::{Key, Way, format};
use crate::Result;
use crate::rows::Row;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    pub(super) window: Duration,
}

pub(super) async fn run(filled: &Filled, plan: Plan) -> Result<Vec<Row>> {
    let (store, plain) = (filled.store()?, PgPoolOptions::new());
    let tuned = plain.clone().max_connections(16).test_before_acquire(false);
    let contenders = [
        Contender::Select(BY_HAND, plain.connect(&filled.url).await?),
        Contender::Select(TUNED, tuned.connect(&filled.url).await?),
        Contender::Load(Way::Digest, store.clone()),
        Contender::Load(Way::PublicId, store.clone()),
        Contender::Verify(store),
    ];
    let next = Arc::new(AtomicU64::new(0));

    // Opens connections and has statements planned.
    for contender in &contenders {
        window(contender, 64, filled, plan.window / 2, &next).await?;
    }
    let mut figures = Rounds::default();
    for _ in 0..plan.rounds {
        for tasks in TASKS {
            for contender in &contenders {
                let figure = window(contender, tasks, filled, plan.window, &next).await?;
                figures.note(&name(contender.name(), tasks, filled), figure);
            }
        }
    }

    let mut rows = Vec::new();
    for tasks in TASKS {
        let to = name(BY_HAND, tasks, filled);
        for contender in &contenders {
            let name = name(contender.name(), tasks, filled);
            rows.push(figures.row(SECTION, &name, "loads/s", &to)?);
        }
    }
    Ok(rows)
}

const TASKS: [usize; 3] = [1, 16, 64];
const SECTION: &str = "Misses on Postgres";
const BY_HAND: &str = "one SELECT by digest, sqlx pool as it comes";
const TUNED: &str = "one SELECT by digest, pool of 16 that does not ping";

fn name(contender: &str, tasks: usize, filled: &Filled) -> String {
    let plural = if tasks == 1 { "" } else { "s" };
    format!("{}, {tasks} task{plural}: {contender}", filled.what())
}

enum Contender {
    Select(&'static str, PgPool),
    Load(Way, PostgresStore),
    Verify(PostgresStore),
}

impl Contender {
    const fn name(&self) -> &'static str {
        match self {
            Self::Select(name, _) => name,
            Self::Load(Way::Digest, _) => "the store's load by digest",
            Self::Load(Way::PublicId, _) => "the store's load by public id",
            Self::Verify(_) => "the verifier, nothing cached",
        }
    }
}

async fn window(
    contender: &Contender,
    tasks: usize,
    filled: &Filled,
    window: Duration,
    next: &Arc<AtomicU64>,
) -> Result<f64> {
    let (next, keys) = (next.clone(), filled.keys);
    let key = move || Key::scattered(next.fetch_add(1, Ordering::Relaxed), keys);
    match contender {
        Contender::Select(_, pool) => {
            let pool = pool.clone();
            let work = move || select(pool.clone(), key());
            rate(tasks, window, work).await
        }
        Contender::Load(way, store) => {
            let (way, store) = (*way, store.clone());
            let work = move || load(store.clone(), key(), way);
            rate(tasks, window, work).await
        }
        Contender::Verify(store) => {
            // A new one each time, with empty caches; it writes no last use down.
            let verifier = Verifier::builder(store.clone()).format(format()?);
            let verifier = verifier.verify_only().await?;
            let verifying = verifier.clone();
            let work = move || verify(verifying.clone(), key());
            let figure = rate(tasks, window, work).await;
            verifier.shutdown().await;
            figure
        }
    }
}

/// What people write by hand.
async fn select(pool: PgPool, key: Key) -> Result<()> {
    let found: Option<(String, String, Vec<String>)> = query_as(
        "SELECT id, tenant, scopes FROM keyward.keys WHERE digest = $1 AND revoked_at IS NULL \
         AND (expires_at IS NULL OR expires_at > now())",
    )
    .bind(key.digest().as_bytes().as_slice())
    .fetch_optional(&pool)
    .await?;
    found.map(drop).ok_or_else(|| NOT_FOUND.into())
}

async fn load(store: PostgresStore, key: Key, way: Way) -> Result<()> {
    let loaded = store.load(&key.selector(way)?, ReadFrom::Any).await?;
    match &*loaded.found {
        [_] => Ok(()),
        _ => Err(NOT_FOUND.into()),
    }
}

async fn verify(verifier: Verifier, key: Key) -> Result<()> {
    match verifier.check(key.credential().as_bytes()) {
        Verification::Pending(pending) => match pending.await {
            Ok(_) => Ok(()),
            Err(denied) => Err(format!("a good key was refused: {}", denied.reason()).into()),
        },
        Verification::Decided(_) => Err("a key was known that was never asked for".into()),
    }
}

const NOT_FOUND: &str = "a key was not found that is there";
