use std::time::Duration;

use clap::Args;
use keyward::KeyId;
use serde_json::json;

use super::change::key_id;
use super::issue::hand_over;
use crate::failure::Failure;
use crate::options::Options;
use crate::out::Out;
use crate::service::with;
use crate::time::duration;

#[derive(Args, Debug)]
pub(crate) struct Rotate {
    /// The id of the key
    #[arg(value_parser = key_id)]
    id: KeyId,
    /// How long the old key is good beside the new one: not at all unless said so
    #[arg(long, value_parser = duration, value_name = "24h")]
    overlap: Option<Duration>,
    /// Undoes a rotation while the overlap lasts: the new key is revoked, and the old one stays
    #[arg(long, conflicts_with = "overlap")]
    undo: bool,
}

impl Rotate {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        if self.undo {
            return self.undo(options, out).await;
        }
        let formats = options.some_formats()?;
        with(options, &[], async |service| {
            let old = service.key(&self.id).await?.record;
            if !formats.iter().any(|format| format.prefix() == old.prefix) {
                let first = formats.first().map_or("", |format| format.prefix());
                out.note(&format!(
                    "The format {} of the key is not among --format: the new one is of {first}.",
                    old.prefix
                ));
            }
            let rotation = service.acting().rotate(&self.id);
            let issued = rotation.overlap(self.overlap.unwrap_or_default()).await?;
            hand_over(service, issued, out).await
        })
        .await
    }

    async fn undo(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let old = with(options, &[], async |service| {
            Ok(service.acting().undo_rotation(&self.id).await?)
        })
        .await?;
        if out.json {
            return Ok(out.object(&json!({ "id": old.id.as_str(), "action": "undone" }))?);
        }
        let told = format!(
            "The rotation is undone: {} stays, and the new key is revoked.",
            old.id
        );
        Ok(out.line(&told)?)
    }
}
