use std::io;

use clap::Args;
use serde_json::json;

use super::change::receipt;
use super::list;
use super::which::Which;
use crate::ask::confirm;
use crate::failure::Failure;
use crate::options::Options;
use crate::out::{Out, Unwritten};
use crate::service::with;

#[derive(Args, Debug)]
#[command(
    override_usage = "keyward bulk-revoke [OPTIONS] --tenant <TENANT> …, or another of the filters below"
)]
#[command(group(clap::ArgGroup::new("some").required(true).multiple(true).args(
    ["tenant", "owner", "tag", "prefix", "environment", "older_than", "unused_for"]
)))]
pub(crate) struct BulkRevoke {
    #[command(flatten)]
    which: Which,
    /// Only lists and counts them
    #[arg(long)]
    dry_run: bool,
    /// Does not ask
    #[arg(long, short, conflicts_with = "dry_run")]
    yes: bool,
    /// Waits until every node heeds it, and says of each why that is certain
    #[arg(long, conflicts_with = "dry_run")]
    everywhere: bool,
}

/// The most keys that are shown before they are revoked.
const SHOWN: usize = 1_000;

impl BulkRevoke {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let ask = !self.dry_run && !self.yes;
        if ask && !Out::can_ask() {
            let why = "nobody can be asked: look with --dry-run, then say --yes";
            return Err(Failure::Usage(why.to_owned()));
        }
        let filter = self.which.filter()?;
        with(options, &[], async |service| {
            let revocation = service.acting().revoke_all(filter.clone());
            if self.dry_run {
                let count = revocation.dry_run().await?;
                let (keys, more) = service.keys(filter, SHOWN).await?;
                list::print(&keys, out)?;
                if more {
                    out.note(&format!("Of more keys, these are the newest {SHOWN}."));
                }
                return Ok(counted(count, "would be revoked", true, out)?);
            }
            if ask {
                let count = service.acting().revoke_all(filter).dry_run().await?;
                if count == 0 {
                    return Ok(counted(0, "revoked", false, out)?);
                }
                confirm(out, &format!("This revokes {} for good.", keys(count)))?;
            }
            let count = revocation.await?;
            let mut unwritten = Unwritten::default();
            unwritten.keep(counted(count, "revoked", false, out));
            if self.everywhere {
                unwritten.keep(receipt(&service.keys.confirm_everywhere().await, out));
            }
            unwritten.after(Ok(()))
        })
        .await
    }
}

fn counted(count: u64, what: &str, dry_run: bool, out: &mut Out) -> io::Result<()> {
    if out.json {
        return out.object(&json!({ "keys": count, "dryRun": dry_run }));
    }
    out.line(&format!("{} {what}.", keys(count)))
}

pub(super) fn keys(count: u64) -> String {
    match count {
        1 => "1 key".to_owned(),
        count => format!("{count} keys"),
    }
}
