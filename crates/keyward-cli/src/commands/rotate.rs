use std::time::Duration;

use clap::Args;
use keyward::KeyId;
use serde_json::json;

use super::issue::print;
use crate::failure::Failure;
use crate::named::key_id;
use crate::options::Options;
use crate::out::Out;
use crate::service::{Service, with};
use crate::time::duration;

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// The id of the key
    id: String,
    /// How long the old key is good beside the new one: not at all unless said so
    #[arg(long, value_parser = duration, value_name = "24h")]
    overlap: Option<Duration>,
    /// Undoes a rotation while the overlap lasts: the new key is revoked, and the old one stays
    #[arg(long, conflicts_with = "overlap")]
    undo: bool,
}

impl Rotate {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let id = key_id(&self.id, options)?;
        if self.undo {
            return undo(&id, options, out).await;
        }
        let formats = options.some_formats()?;
        with(options, &[], async |service| {
            let old = service.key(&id).await?.record;
            if !formats.iter().any(|format| format.prefix() == old.prefix) {
                let first = formats.first().map_or("", |format| format.prefix());
                out.note(&format!(
                    "The format {} of the key is not among --format: the new one is of {first}.",
                    old.prefix
                ));
            }
            let overlap = self.overlap.unwrap_or_default();
            let issued = service.acting().rotate(&id).overlap(overlap).await?;
            let new = issued.key.id.clone();
            let Err(error) = print(issued, out) else {
                return Ok(());
            };
            let lost = format!("the new key could not be written ({})", error.kind());
            if overlap.is_zero() {
                return Err(Failure::Some(format!(
                    "{lost}: the secret of {new} is lost, and {id} is good no more; `keyward rotate \
                     {new}` gives another one"
                )));
            }
            take_back(&id, &new, &lost, service, out).await
        })
        .await
    }
}

/// Undoes a rotation whose new key nobody has, so that the old one, which is in use, goes on.
async fn take_back(
    old: &KeyId,
    new: &KeyId,
    lost: &str,
    service: &Service,
    out: &Out,
) -> Result<(), Failure> {
    if let Err(error) = service.acting().undo_rotation(old).await {
        out.note(&format!(
            "{lost}: the secret of {new} is lost, and {old} ends with the overlap. To undo the rotation \
             failed; `keyward rotate {old} --undo` tries again, and `keyward rotate {new}` gives another \
             key."
        ));
        return Err(error.into());
    }
    Err(Failure::Some(format!(
        "{lost}, and so the rotation is undone: {old} stays, and {new} is revoked"
    )))
}

async fn undo(id: &KeyId, options: &Options, out: &mut Out) -> Result<(), Failure> {
    let old = with(options, &[], async |service| {
        Ok(service.acting().undo_rotation(id).await?)
    })
    .await?;
    let written = if out.json {
        out.object(&json!({ "id": old.id.as_str(), "action": "undone" }))
    } else {
        out.line(&format!(
            "The rotation is undone: {} stays, and the new key is revoked.",
            old.id
        ))
    };
    written.map_err(Failure::Untold)
}
