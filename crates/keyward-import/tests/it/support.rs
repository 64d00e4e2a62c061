use keyward_core::{Builder, Denied, DeniedKind, ImportError, Keyward, NewKey, Principal};
use keyward_memory::MemoryStore;
use keyward_store::{ForeignKeys, Kept, KeyFormat, KeyRecord};
use keyward_testkit::LeakWatch;

/// A service that accepts keys of another system.
pub(crate) struct Service {
    pub(crate) keys: Keyward,
    watch: LeakWatch,
}

impl Service {
    pub(crate) async fn start(foreign: impl ForeignKeys) -> Self {
        Self::with(|builder| builder.foreign(foreign)).await
    }

    pub(crate) async fn with(
        set: impl FnOnce(Builder<MemoryStore>) -> Builder<MemoryStore>,
    ) -> Self {
        let watch = LeakWatch::start();
        let builder = Keyward::builder(MemoryStore::default())
            .format(KeyFormat::new("ours_live").unwrap())
            // What runs beside it may take all processors for longer than a service waits.
            .lease(std::time::Duration::from_secs(60))
            .load_limit(std::time::Duration::from_secs(30));
        let keys = set(builder).start().await.unwrap();
        Self { keys, watch }
    }

    pub(crate) async fn import(&self, kept: Kept) -> Result<KeyRecord, ImportError> {
        self.keys
            .import(NewKey::named("ci").tenant("acme"), kept)
            .await
    }

    pub(crate) async fn verify(&self, credential: &str) -> Result<Principal, Denied> {
        self.keys.verifier().verify(credential.as_bytes()).await
    }

    /// The key passes, cached or not; it is refused with any other end, and once it is revoked; and it is
    /// not imported twice.
    pub(crate) async fn takes_over(&self, kept: Kept, credential: &str) {
        let shown = kept.hint.len();
        self.watch
            .secret(credential.get(shown..).unwrap_or_default());
        let key = self.import(kept.clone()).await.unwrap();
        for _cached in [false, true] {
            let principal = self.verify(credential).await.unwrap();
            assert_eq!(principal.key_id(), &key.id);
        }
        let end = if credential.ends_with('1') { "2" } else { "1" };
        let wrong = format!("{}{end}", &credential[..credential.len() - 1]);
        let longer = format!("{credential}1");
        for other in [wrong.as_str(), longer.as_str()] {
            let denied = self.verify(other).await.unwrap_err();
            assert_eq!(denied.kind(), DeniedKind::InvalidToken, "{denied:?}");
        }
        self.takes_no_more(kept).await;
        self.keys.revoke(&key.id).await.unwrap();
        let denied = self.verify(credential).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::InvalidToken);
    }

    /// What is there already is told, and left alone.
    pub(crate) async fn takes_no_more(&self, kept: Kept) {
        let again = self.import(kept).await;
        assert!(matches!(again, Err(ImportError::AlreadyThere)), "{again:?}");
    }
}
