//! The keys themselves, and who revokes them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, SystemTime};

use keyward::{Change, Digest, KeyHash, Write};
use keyward::{KeyFormat, KeyId, KeyRecord, Keyward, Records, Verifier};
use keyward_memory::MemoryStore;
use tokio::time::{MissedTickBehavior, interval};

use crate::Result;

pub(super) struct Keys {
    service: Keyward,
    all: Vec<Key>,
}

struct Key {
    id: KeyId,
    credential: String,
    standing: AtomicU8,
}

/// What this program knows of a key for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// Its revocation has begun.
    Leaving,
    /// Its revocation has returned: no request that starts now may pass.
    Revoked,
}

impl Keys {
    /// Fills a store with `n` keys, starts a service on it, and lets it see each of them.
    pub(super) async fn start(n: usize) -> Result<Self> {
        let format = KeyFormat::new("acme_live")?;
        let store = Arc::new(MemoryStore::default());
        let mut all = Vec::with_capacity(n);
        while all.len() < n {
            // Not through the service, which waits after each change until it has learnt of it.
            let mut change = Change::new(SystemTime::now());
            for _ in 0..AT_ONCE.min(n - all.len()) {
                let (key, record) = make(&format)?;
                all.push(key);
                change = change.write(Write::Insert(record));
            }
            store.commit(&change).await?;
        }

        let service = Keyward::builder(store)
            .format(format)
            .cache_capacity(2 * n as u64)
            .start()
            .await?;
        let verifier = service.verifier();
        for key in &all {
            if let Err(denied) = verifier.verify(key.credential.as_bytes()).await {
                return Err(format!("a good key was refused: {}", denied.reason()).into());
            }
        }
        Ok(Self { service, all })
    }

    /// Revokes this share of the keys in a minute, evenly, until all are gone.
    pub(super) async fn revoke(self: Arc<Self>, share: f64) {
        let pause = Duration::from_secs(60).div_f64((self.all.len() as f64 * share).max(1.0));
        let mut tick = interval(pause);
        tick.set_missed_tick_behavior(MissedTickBehavior::Burst);
        for key in &self.all {
            tick.tick().await;
            key.standing.store(LEAVING, Ordering::SeqCst);
            if self.service.revoke(&key.id).await.is_ok() {
                key.standing.store(REVOKED, Ordering::SeqCst);
            }
        }
    }

    pub(super) async fn stop(&self) {
        self.service.shutdown().await;
    }

    pub(super) fn verifier(&self) -> Verifier {
        self.service.verifier()
    }

    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn credential(&self, n: usize) -> &str {
        &self.all[n].credential
    }

    pub(super) fn standing(&self, n: usize) -> Standing {
        match self.all[n].standing.load(Ordering::SeqCst) {
            GOOD => Standing::Good,
            LEAVING => Standing::Leaving,
            _ => Standing::Revoked,
        }
    }
}

fn make(format: &KeyFormat) -> Result<(Key, KeyRecord)> {
    let made = format.generate()?;
    let credential = made.plaintext.expose().to_owned();
    let hash = KeyHash::Sha256(Digest::sha256(credential.as_bytes()));
    let mut record = KeyRecord::new(KeyId::generate(), "acme-inc", hash);
    record.name = "bench".to_owned();
    record.prefix = format.prefix().to_owned();
    record.public_id = made.public_id;
    record.hint = made.hint;
    let key = Key {
        id: record.id.clone(),
        credential,
        standing: AtomicU8::new(GOOD),
    };
    Ok((key, record))
}

const AT_ONCE: usize = 1_000;
const GOOD: u8 = 0;
const LEAVING: u8 = 1;
const REVOKED: u8 = 2;
