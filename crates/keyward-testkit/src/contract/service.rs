//! A service over the store under test, which can be made to misbehave.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use keyward_core::{Builder, Denied, DeniedKind, Issued, Keyward, NewKey, Principal, Reason};
use keyward_store::{
    Digest, KeyFormat, KeyHash, KeyId, KeyRecord, KeyStore, Plaintext, Records, Scope,
};
use tokio::time::{Instant, sleep};

use crate::{FaultStore, Faults, LeakWatch};

/// A node: what it asks of the store passes through the faults.
pub(super) struct Node<S> {
    /// Without faults.
    pub(super) store: Arc<S>,
    pub(super) faults: Faults,
    pub(super) keys: Keyward,
    through: Arc<FaultStore<Arc<S>>>,
    watch: LeakWatch,
}

type Setup<S> = Builder<Arc<FaultStore<Arc<S>>>>;

/// Of the formats of every node: found by public id, and found by digest alone.
pub(super) const FORMATS: [&str; 2] = ["acme_live", "acme_opaque"];

pub(super) const READ: Scope = Scope::from_static("orders:read");
pub(super) const WRITE: Scope = Scope::from_static("orders:write");

pub(super) fn format(prefix: &str) -> KeyFormat {
    // No checksum, so that a wrong secret can be made by hand.
    let format = KeyFormat::builder(prefix).without_checksum();
    let format = match prefix {
        "acme_opaque" => format.without_public_id(),
        _ => format,
    };
    format.build().unwrap()
}

impl<S: Records + KeyStore> Node<S> {
    pub(super) async fn start(store: S) -> Self {
        Self::start_with(store, |builder| builder).await
    }

    pub(super) async fn start_with(store: S, settings: impl FnOnce(Setup<S>) -> Setup<S>) -> Self {
        Self::over(Arc::new(store), settings).await
    }

    /// Another node over the same store, with no faults of this one's.
    pub(super) async fn another(&self) -> Self {
        self.another_with(|builder| builder).await
    }

    pub(super) async fn another_with(&self, settings: impl FnOnce(Setup<S>) -> Setup<S>) -> Self {
        Self::over(self.store.clone(), settings).await
    }

    async fn over(store: Arc<S>, settings: impl FnOnce(Setup<S>) -> Setup<S>) -> Self {
        let watch = LeakWatch::start();
        let (through, faults) = FaultStore::new(store.clone());
        let through = Arc::new(through);
        // So patient that a slow machine changes no answer, and that nothing is refused because a
        // lease ran out: what is refused was heard of.
        let setup = Keyward::builder(through.clone())
            .lease(Duration::from_secs(60))
            .load_limit(Duration::from_secs(20))
            .poll_limit(Duration::from_secs(20));
        let setup = FORMATS
            .iter()
            .fold(setup, |setup, prefix| setup.format(format(prefix)));
        let keys = settings(setup).start().await.unwrap();
        Self {
            store,
            faults,
            keys,
            through,
            watch,
        }
    }

    /// The store with the faults.
    pub(super) fn through(&self) -> &FaultStore<Arc<S>> {
        &self.through
    }

    pub(super) async fn issue(&self, format: &str) -> Issued {
        let issued = self.keys.issue(new_key(format)).await.unwrap();
        self.issued(issued)
    }

    /// A key that must not appear in any log.
    pub(super) fn issued(&self, issued: Issued) -> Issued {
        self.watch.issued(&issued);
        issued
    }

    pub(super) async fn verify(&self, key: &Plaintext) -> Result<Principal, Denied> {
        let verifier = self.keys.verifier();
        verifier.verify(key.expose().as_bytes()).await
    }

    pub(super) async fn accepts(&self, issued: &Issued) -> bool {
        self.verify(&issued.secret).await.is_ok()
    }

    pub(super) async fn refuses(&self, key: &Plaintext, reason: Reason) {
        let denied = self.verify(key).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::InvalidToken, "{denied:?}");
        assert_eq!(denied.reason(), reason);
    }

    /// As a node that is somewhere else sees it.
    pub(super) async fn record(&self, id: &KeyId) -> KeyRecord {
        super::tools::get(&self.store, id).await.unwrap()
    }

    /// Returns when this node has heard of everything that was committed before.
    pub(super) async fn catch_up(&self) {
        let nobody = self.keys.tenant("nobody");
        nobody.suspend().await.unwrap();
        nobody.resume().await.unwrap();
    }
}

pub(super) fn new_key(format: &str) -> NewKey {
    NewKey::named("ci").tenant("acme-inc").format(format)
}

/// A key that no store knows, and the record that would make it one.
pub(super) fn unknown_key(prefix: &str) -> (Plaintext, KeyRecord) {
    let generated = format(prefix).generate().unwrap();
    let secret = generated.plaintext;
    let hash = KeyHash::Sha256(Digest::sha256(secret.expose().as_bytes()));
    let mut record = KeyRecord::new(KeyId::generate(), "acme-inc", hash);
    record.name = "made by hand".to_owned();
    record.prefix = prefix.to_owned();
    record.public_id = generated.public_id;
    record.hint = generated.hint;
    record.created_at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000);
    (secret, record)
}

/// The same key with another secret.
pub(super) fn with_wrong_secret(key: &Plaintext) -> Plaintext {
    let mut wrong = key.expose().to_owned();
    let last = wrong.pop();
    wrong.push(if last == Some('a') { 'b' } else { 'a' });
    Plaintext::new(wrong)
}

/// Of a node that is cut off within a test's time.
pub(super) fn short_lease<S>(builder: Builder<S>) -> Builder<S> {
    let part = Duration::from_millis(300);
    let most = Duration::from_millis(900);
    let builder = builder.lease(LEASE).poll_interval(part);
    builder.poll_limit(part).load_limit(most)
}

pub(super) const LEASE: Duration = Duration::from_secs(1);

/// Waits until something holds; fails when it does not in `limit`.
pub(super) async fn within(limit: Duration, what: &str, holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < limit, "{what}: not in {limit:?}");
        sleep(Duration::from_millis(5)).await;
    }
}

/// Many poll intervals, for a slow machine, and far less than a lease.
pub(super) const SOON: Duration = Duration::from_secs(10);
