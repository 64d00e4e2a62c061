use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use keyward_core::Verifier;
use keyward_store::{Clock, KeySnapshot, LocalLog, Lookup, Selector, StoreError};

use super::fixtures::format;

/// A store of a few rows that counts how often it is asked.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    rows: Arc<[KeySnapshot]>,
    asked: Arc<AtomicU64>,
}

impl Rows {
    pub(super) fn new(rows: impl IntoIterator<Item = KeySnapshot>) -> Self {
        Self {
            rows: rows.into_iter().collect(),
            asked: Arc::default(),
        }
    }

    /// A verifier over this store that has seen nothing of it yet.
    pub(super) async fn verifier(&self, clock: Clock) -> Result<Verifier, String> {
        let format = format().map_err(|error| error.to_string())?;
        let store = LocalLog::sole_writer(self.clone()).with_clock(clock.clone());
        let started = Verifier::builder(store)
            .format(format)
            .clock(clock)
            .verify_only()
            .await;
        started.map_err(|error| error.to_string())
    }

    /// How often the store was asked so far.
    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Lookup for Rows {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let asked_for = |row: &&KeySnapshot| match by {
            Selector::Key(key) => row.record.id == *key,
            Selector::PublicId { prefix, id } => {
                row.record.prefix == **prefix && row.record.public_id == Some(*id)
            }
            credential => credential.matches(&row.record),
        };
        Ok(self.rows.iter().filter(asked_for).cloned().collect())
    }
}
