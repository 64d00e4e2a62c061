use std::time::SystemTime;

use clap::Args;
use keyward::KeyId;

use super::bulk_revoke::keys as counted;
use super::change::Keys;
use crate::ask::confirm;
use crate::failure::Failure;
use crate::key;
use crate::options::Options;
use crate::out::Out;
use crate::service::{Service, with};

#[derive(Args, Debug)]
pub(crate) struct Revoke {
    #[command(flatten)]
    keys: Keys,
    /// Leaves the other half of a rotation as it is
    #[arg(long)]
    only: bool,
    /// Does not ask
    #[arg(long, short)]
    yes: bool,
}

impl Revoke {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let ids = self.keys.ids(options)?;
        with(options, &[], async |service| {
            if !self.yes && Out::can_ask() {
                ask(&ids, service, out).await?;
            }
            let revoke = async |id: &KeyId| {
                let revocation = service.acting().revoke(id);
                let revocation = if self.only {
                    revocation.only()
                } else {
                    revocation
                };
                revocation.await
            };
            self.keys.each(&ids, service, out, "revoked", revoke).await
        })
        .await
    }
}

async fn ask(ids: &[KeyId], service: &Service, out: &Out) -> Result<(), Failure> {
    let mut keys = Vec::new();
    for id in ids {
        keys.push(service.key(id).await?);
    }
    let list = key::list(&keys, SystemTime::now(), out.columns());
    out.note_table(&list.header, &list.soft, list.rows);
    let count = u64::try_from(keys.len()).unwrap_or(u64::MAX);
    let question = format!("\nThis revokes {} for good.", counted(count));
    confirm(out, &question)
}
