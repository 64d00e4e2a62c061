use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Builder, Denied, DeniedKind, Issued, Keyward, NewKey, Principal, Verifier};
use keyward_memory::MemoryStore;
use keyward_store::KeyFormat;
use keyward_testkit::{Clock, FaultStore, Faults, LeakWatch, ManualClock};

pub(crate) type Store = Arc<FaultStore<MemoryStore>>;

/// A service whose store can be made to misbehave, and whose clock stands still.
pub(crate) struct Service {
    pub(crate) keys: Keyward,
    pub(crate) verifier: Verifier,
    pub(crate) store: Store,
    pub(crate) faults: Faults,
    pub(crate) clock: ManualClock,
    pub(crate) watch: LeakWatch,
}

impl Service {
    pub(crate) async fn start() -> Self {
        Self::with(|builder| builder).await
    }

    pub(crate) async fn with(set: impl FnOnce(Builder<Store>) -> Builder<Store>) -> Self {
        let watch = LeakWatch::start();
        let (clock, hand) = Clock::manual();
        let (store, faults) = FaultStore::new(MemoryStore::with_clock(clock.clone()));
        let store = Arc::new(store);
        let builder = Keyward::builder(store.clone())
            .format(format())
            .clock(clock);
        let keys = set(builder).start().await.unwrap();
        Self {
            verifier: keys.verifier(),
            keys,
            store,
            faults,
            clock: hand,
            watch,
        }
    }

    pub(crate) async fn issue(&self) -> Issued {
        self.issue_as(NewKey::named("ci").tenant("acme")).await
    }

    pub(crate) async fn issue_as(&self, new: NewKey) -> Issued {
        let issued = self.keys.issue(new).await.unwrap();
        self.watch.issued(&issued);
        issued
    }

    pub(crate) async fn verify(&self, key: &Issued) -> Result<Principal, Denied> {
        self.verifier.verify(key.secret.expose().as_bytes()).await
    }

    /// What a client would be told.
    pub(crate) async fn kind(&self, key: &Issued) -> Option<DeniedKind> {
        self.verify(key).await.err().map(|denied| denied.kind())
    }
}

pub(crate) fn format() -> KeyFormat {
    KeyFormat::new("acme_live").unwrap()
}

/// Long beside everything that takes no waiting, and short beside a test's patience.
pub(crate) const MOMENT: Duration = Duration::from_millis(50);

pub(crate) const ACCEPTED: Option<DeniedKind> = None;
pub(crate) const REFUSED: Option<DeniedKind> = Some(DeniedKind::InvalidToken);
pub(crate) const UNAVAILABLE: Option<DeniedKind> = Some(DeniedKind::Unavailable);
