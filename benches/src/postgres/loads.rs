//! How long one load takes, by how many keys there are.

use keyward::{Clock, KeyStore, ReadFrom};
use keyward_postgres::PostgresStore;

use super::bed::Filled;
use super::figures::{P50, P99, Ranks, Rounds, micros};
use super::keys::{Key, Way};
use crate::Result;
use crate::random::Random;
use crate::rows::Row;

/// How much of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Plan {
    pub(super) rounds: usize,
    pub(super) loads: usize,
}

/// Databases take turns, the smallest one first: the others are compared with it.
pub(super) async fn run(databases: &[Filled], plan: Plan) -> Result<Vec<Row>> {
    let mut stores = Vec::new();
    for filled in databases {
        let store = filled.store()?;
        // Opens the connection, has the statements planned, and reads a part of the table.
        for way in WAYS {
            load(store.clone(), filled.keys, way, plan.loads, 1).await?;
        }
        stores.push(store);
    }

    let mut figures = Rounds::default();
    for round in 0..plan.rounds {
        for (filled, store) in databases.iter().zip(&stores) {
            for way in WAYS {
                let seed = 2 + round as u64;
                let load = load(store.clone(), filled.keys, way, plan.loads, seed);
                // As a task, and not on the thread that waits for all: each answer would wake it.
                let ranks = tokio::spawn(load).await??;
                for (rank, share) in [P50, P99] {
                    figures.note(&name(filled, way, rank), ranks.at(share));
                }
            }
        }
    }

    let smallest = databases.first().ok_or("no database to load from")?;
    let mut rows = Vec::new();
    for way in WAYS {
        for filled in databases {
            for (rank, _) in [P50, P99] {
                let to = name(smallest, way, rank);
                rows.push(figures.row(SECTION, &name(filled, way, rank), "µs", &to)?);
            }
        }
    }
    Ok(rows)
}

const SECTION: &str = "One load from Postgres at a time";

const WAYS: [Way; 2] = [Way::PublicId, Way::Digest];

fn name(filled: &Filled, way: Way, rank: &str) -> String {
    let by = match way {
        Way::PublicId => "by public id",
        Way::Digest => "by digest",
    };
    format!("{}, {by}: {rank}", filled.what())
}

async fn load(store: PostgresStore, keys: u64, way: Way, loads: usize, seed: u64) -> Result<Ranks> {
    let (clock, mut random) = (Clock::system(), Random::new(seed));
    let mut took = Vec::with_capacity(loads);
    for _ in 0..loads {
        let key = Key(random.below(usize::try_from(keys)?) as u64);
        let by = key.selector(way)?;
        let start = clock.boot();
        let loaded = store.load(&by, ReadFrom::Any).await?;
        took.push(micros(clock.boot().since(start)));
        if loaded.found.len() != 1 {
            return Err("a key was not found that is there".into());
        }
    }
    Ranks::of(took)
}
