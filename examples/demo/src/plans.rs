use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use keyward::{Keyward, LifecycleError};

/// Who pays.
///
/// A product pushes what its billing says: when a tenant is founded, and whenever its plan changes. Keys
/// heed it from their next request on, cached ones too.
#[derive(Clone, Debug)]
pub(crate) struct Plans {
    keys: Keyward,
    known: Arc<Mutex<HashSet<String>>>,
}

impl Plans {
    pub(crate) fn new(keys: Keyward) -> Self {
        let known = Arc::default();
        Self { keys, known }
    }

    pub(crate) async fn change(&self, tenant: &str, is_pro: bool) -> Result<(), LifecycleError> {
        self.found(tenant).await?;
        self.keys.tenant(tenant).by("billing").entitle(is_pro).await
    }

    /// A product has a table of its tenants, and does this as one is added. Here they come into being when
    /// they are first heard of, on whichever instance; the audit log says whether that was before.
    pub(crate) async fn found(&self, tenant: &str) -> Result<(), LifecycleError> {
        if !tenant.starts_with("free-") || self.lock().contains(tenant) {
            return Ok(());
        }
        let standing = self.keys.tenant(tenant).by("billing");
        // Nobody has said anything of it yet.
        if standing.state().await?.revision == 0 {
            standing.entitle(false).await?;
        }
        self.lock().insert(tenant.to_owned());
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
