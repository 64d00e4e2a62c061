use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use keyward::{Acting, Action, Actor, KeyRecord, Reach};

use crate::base::Base;
use crate::failure::Failure;
use crate::page::Page;

/// Who asks, and where they found the page.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) actor: Actor,
    pub(crate) base: Base,
}

impl FromRequestParts<Arc<Page>> for Asker {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, page: &Arc<Page>) -> Result<Self, Response> {
        let base = parts.extensions.get::<Base>().cloned();
        let base = base.ok_or_else(|| Failure::NoPage.into_response())?;
        let actor = page.actors.actor(parts).await?;
        Ok(Self { actor, base })
    }
}

impl Asker {
    /// What they may do to keys.
    pub(crate) fn acting<'a>(&'a self, page: &'a Page) -> Acting<'a> {
        page.keys.acting_as(&self.actor)
    }

    /// Whether they may do this to that key. It decides about buttons; the service asks again.
    pub(crate) fn may(&self, page: &Page, action: Action, record: &KeyRecord) -> bool {
        let permitted = page.keys.policy().permits(&self.actor, action, record);
        permitted.is_ok()
    }

    /// With whose keys they may do this.
    pub(crate) fn reach(&self, page: &Page, action: Action) -> Reach {
        page.keys.policy().reach(&self.actor, action)
    }

    /// Whether they may do nothing but look.
    pub(crate) fn only_looks(&self, page: &Page) -> bool {
        let changes = [
            Action::Issue,
            Action::Update,
            Action::Rotate,
            Action::Suspend,
            Action::Revoke,
        ];
        let mut changes = changes.into_iter();
        changes.all(|action| self.reach(page, action) == Reach::Nobody)
    }
}
