use std::time::SystemTime;

use clap::{Args, ValueEnum};
use keyward::{KeptAs, KeyStatus, PepperId, Statuses};

use super::which::Which;
use crate::failure::Failure;
use crate::key;
use crate::options::Options;
use crate::out::Out;
use crate::service::with;

#[derive(Args, Debug)]
pub(crate) struct List {
    #[command(flatten)]
    which: Which,
    /// Only keys that stand so; without it, all but revoked and retired ones
    #[arg(long, value_delimiter = ',')]
    status: Vec<Status>,
    /// Revoked and retired keys too
    #[arg(long, conflicts_with = "status")]
    all: bool,
    /// Only keys that are kept so: sha256, foreign, or pepper:NAME
    #[arg(long, value_parser = kept)]
    kept: Option<KeptAs>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Status {
    Active,
    Retiring,
    Suspended,
    Expired,
    Retired,
    Revoked,
}

impl From<Status> for KeyStatus {
    fn from(status: Status) -> Self {
        match status {
            Status::Active => Self::Active,
            Status::Retiring => Self::Retiring,
            Status::Suspended => Self::Suspended,
            Status::Expired => Self::Expired,
            Status::Retired => Self::Retired,
            Status::Revoked => Self::Revoked,
        }
    }
}

impl List {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let mut filter = self.which.filter()?;
        if self.all {
            filter = filter.standing(Statuses::ALL);
        } else if !self.status.is_empty() {
            filter = filter.standing(self.status.iter().map(|status| (*status).into()).collect());
        }
        if let Some(kept) = self.kept {
            filter = filter.kept(kept);
        }
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let (keys, more) = with(options, &[], async |service| {
            service.keys(filter, most).await
        })
        .await?;
        print(&keys, out)?;
        if more {
            out.note(&format!(
                "Of more keys, these are the newest {most}; --limit shows more."
            ));
        }
        Ok(())
    }
}

/// Keys, as a table or as objects.
pub(super) fn print(keys: &[keyward::KeySnapshot], out: &mut Out) -> Result<(), Failure> {
    let now = SystemTime::now();
    if out.json {
        for key in keys {
            out.object(&key::object(key, now))?;
        }
    } else if keys.is_empty() {
        out.note("There are no such keys.");
    } else {
        let list = key::list(keys, now, out.columns());
        out.table(&list.header, &list.soft, list.rows)?;
    }
    Ok(())
}

fn kept(text: &str) -> Result<KeptAs, String> {
    match (text, text.strip_prefix("pepper:")) {
        ("sha256", _) => Ok(KeptAs::Sha256),
        ("foreign", _) => Ok(KeptAs::Foreign),
        (_, Some(name)) if !name.is_empty() => Ok(KeptAs::Pepper(PepperId::new(name))),
        _ => Err("keys are kept as sha256, foreign or pepper:NAME".to_owned()),
    }
}
