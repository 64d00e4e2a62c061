//! What is done to a key that exists. Afterwards the browser is sent to a page that can be reloaded; only
//! a secret is shown in the answer itself.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Redirect, Response};

use crate::asker::Asker;
use crate::failure::Failure;
use crate::fields::{Form, Key};
use crate::offer::overlap;
use crate::page::Page;
use crate::reveal::reveal;

pub(crate) async fn rotate(
    asker: Asker,
    Key(id): Key,
    State(page): State<Arc<Page>>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let overlap = overlap(&page, &fields)?;
    let acting = asker.acting(&page);
    let mut rotate = acting.rotate(&id).overlap(overlap);
    // A form that is sent again makes no second key, even if the first one was undone meanwhile.
    if let Some(seen) = fields.one("revision") {
        rotate = rotate.revision(seen.parse().map_err(|_| Failure::BadChoice)?);
    }
    let issued = rotate.await?;
    // The secret is shown whatever becomes of this question.
    let old = acting.get(&id).await.ok().flatten();
    let until = old
        .and_then(|old| old.record.successor)
        .map(|next| next.until);
    let until = until.filter(|_| !overlap.is_zero());
    Ok(reveal(&page, &asker, &issued, until))
}

pub(crate) async fn undo(
    asker: Asker,
    Key(id): Key,
    State(page): State<Arc<Page>>,
    _: Form,
) -> Result<Redirect, Failure> {
    asker.acting(&page).undo_rotation(&id).await?;
    Ok(to_key(&asker, &id, "undone"))
}

pub(crate) async fn revoke(
    asker: Asker,
    Key(id): Key,
    State(page): State<Arc<Page>>,
    Form(fields): Form,
) -> Result<Redirect, Failure> {
    let revoke = asker.acting(&page).revoke(&id);
    if fields.has("only") {
        revoke.only().await?;
    } else {
        revoke.await?;
    }
    Ok(Redirect::to(&format!("{}?done=revoked", asker.base.list())))
}

pub(crate) async fn suspend(
    asker: Asker,
    Key(id): Key,
    State(page): State<Arc<Page>>,
    _: Form,
) -> Result<Redirect, Failure> {
    asker.acting(&page).suspend(&id).await?;
    Ok(to_key(&asker, &id, "suspended"))
}

pub(crate) async fn resume(
    asker: Asker,
    Key(id): Key,
    State(page): State<Arc<Page>>,
    _: Form,
) -> Result<Redirect, Failure> {
    asker.acting(&page).resume(&id).await?;
    Ok(to_key(&asker, &id, "resumed"))
}

fn to_key(asker: &Asker, id: &keyward::KeyId, done: &str) -> Redirect {
    let key = asker.base.key(id.as_str());
    Redirect::to(&format!("{key}?done={done}"))
}
