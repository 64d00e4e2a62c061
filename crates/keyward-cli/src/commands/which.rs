use std::time::{Duration, SystemTime};

use clap::Args;
use keyward::{KeyFilter, Owner};

use crate::failure::Failure;
use crate::time::duration;

/// Which keys are meant.
#[derive(Args, Clone, Debug)]
#[group(id = "which", multiple = true)]
pub(super) struct Which {
    /// Keys of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Keys of this owner, as kind:id
    #[arg(long, value_parser = owner, value_name = "KIND:ID")]
    owner: Option<Owner>,
    /// Keys with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Keys whose format has this prefix
    #[arg(long)]
    prefix: Option<String>,
    /// Keys for this environment
    #[arg(long)]
    environment: Option<String>,
    /// Keys that were issued longer ago than that
    #[arg(long, value_parser = duration, value_name = "90d")]
    older_than: Option<Duration>,
    /// Keys that were neither used nor issued for that long
    #[arg(long, value_parser = duration, value_name = "90d")]
    unused_for: Option<Duration>,
}

impl Which {
    pub(super) fn filter(&self) -> Result<KeyFilter, Failure> {
        let mut filter = KeyFilter::listed();
        if let Some(tenant) = &self.tenant {
            filter = filter.tenant(tenant.as_str());
        }
        if let Some(owner) = &self.owner {
            filter = filter.owner(owner.clone());
        }
        if let Some(tag) = &self.tag {
            filter = filter.tag(tag);
        }
        if let Some(prefix) = &self.prefix {
            filter = filter.prefix(prefix);
        }
        if let Some(environment) = &self.environment {
            filter = filter.environment(environment);
        }
        if let Some(age) = self.older_than {
            filter = filter.created_before(ago(age)?);
        }
        if let Some(idle) = self.unused_for {
            filter = filter.idle_since(ago(idle)?);
        }
        Ok(filter)
    }
}

fn ago(duration: Duration) -> Result<SystemTime, Failure> {
    let then = SystemTime::now().checked_sub(duration);
    let then = then.filter(|then| *then >= SystemTime::UNIX_EPOCH);
    then.ok_or_else(|| Failure::Usage("that is longer ago than there are keys".to_owned()))
}

/// An owner as it is written on a command line.
pub(super) fn owner(text: &str) -> Result<Owner, String> {
    match text.split_once(':') {
        Some((kind, id)) if !kind.is_empty() && !id.is_empty() => Ok(Owner::new(kind, id)),
        _ => Err("an owner is written like user:ada".to_owned()),
    }
}
