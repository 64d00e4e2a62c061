//! Keyward's keys in Postgres 13 or newer.
//!
//! ```no_run
//! # async fn run(pool: sqlx::PgPool) -> Result<(), Box<dyn std::error::Error>> {
//! use keyward_postgres::PostgresStore;
//!
//! let store = PostgresStore::new(pool);      // or PostgresStore::connect("postgres://…")
//! store.migrate().await?;                    // any number of nodes may do this at once
//! # Ok(())
//! # }
//! ```
//!
//! Everything lies in the schema `keyward`. The log of changes is written by triggers, so a key that
//! is revoked in `psql`, by a cascade or by another service is refused as soon as one that is
//! revoked through the API: see [`PostgresStore`] for how, and for what operators owe.

mod audit;
mod commit;
mod diagnose;
mod error;
mod filter;
mod housekeeping;
mod link;
mod list;
mod load;
mod locks;
mod migrate;
mod poll;
mod pool;
mod pooler;
mod ready;
mod register;
mod rows;
mod spell;
mod standing;
mod store;
mod time;
mod touch;

pub use diagnose::{ClockFacts, Diagnosis, Fires, LogFacts, NodeFacts, StandbyFacts, TriggerFacts};
pub use pooler::Way;
pub use store::PostgresStore;
