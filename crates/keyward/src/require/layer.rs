use std::sync::Arc;

use keyward_core::{Denied, Principal};
use keyward_store::{Scope, Scopes};
use tower_layer::Layer;

use super::RequireScopesService;
use crate::ProblemJson;

/// Lets only keys through that have certain scopes.
///
/// It stands within an [`ApiKeyLayer`](crate::ApiKeyLayer), often as a `route_layer`. Two of them
/// around one route both have to be satisfied. Without any scope it lets nobody through.
#[derive(Clone, Debug)]
pub struct RequireScopes<R = ProblemJson> {
    requirement: Arc<Requirement>,
    on_reject: R,
}

#[derive(Debug)]
pub(crate) struct Requirement {
    scopes: Scopes,
    all: bool,
}

impl RequireScopes {
    /// Only keys that have each of these scopes.
    #[must_use]
    pub fn all(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self::new(scopes, true)
    }

    /// Only keys that have at least one of these scopes.
    #[must_use]
    pub fn any(scopes: impl IntoIterator<Item = Scope>) -> Self {
        Self::new(scopes, false)
    }

    fn new(scopes: impl IntoIterator<Item = Scope>, all: bool) -> Self {
        Self {
            requirement: Arc::new(Requirement {
                scopes: scopes.into_iter().collect(),
                all,
            }),
            on_reject: ProblemJson::default(),
        }
    }
}

impl<R> RequireScopes<R> {
    /// Answers in this way where no `ApiKeyLayer` makes the answer anew. It has to be said
    /// where the default cannot make a body, as with tonic: there,
    /// [`GrpcStatus`](crate::GrpcStatus).
    #[must_use]
    pub fn on_reject<R2>(self, on_reject: R2) -> RequireScopes<R2> {
        RequireScopes {
            requirement: self.requirement,
            on_reject,
        }
    }

    /// The scopes that are asked for.
    #[must_use]
    pub fn scopes(&self) -> &Scopes {
        &self.requirement.scopes
    }

    /// Whether each of them is asked for, and not only one.
    #[must_use]
    pub fn needs_all(&self) -> bool {
        self.requirement.all
    }
}

impl<S, R: Clone> Layer<S> for RequireScopes<R> {
    type Service = RequireScopesService<S, R>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireScopesService::new(inner, self.requirement.clone(), self.on_reject.clone())
    }
}

impl Requirement {
    #[inline]
    pub(crate) fn check(&self, principal: &Principal) -> Result<(), Denied> {
        let has = |scope: &Scope| principal.scopes().allows(scope);
        let mut required = self.scopes.iter();
        let met = if self.all {
            !self.scopes.is_empty() && required.all(has)
        } else {
            required.any(has)
        };
        if met {
            Ok(())
        } else {
            Err(Denied::insufficient_scope(self.scopes.clone()))
        }
    }
}
