use std::collections::BTreeMap;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand};
use keyward::{KeyFilter, KeyHash, ListQuery, Statuses};
use serde_json::json;

use super::list::print;
use crate::failure::Failure;
use crate::key::kept_as;
use crate::options::Options;
use crate::out::Out;
use crate::service::{Service, pages, with};
use crate::time::{duration, rough};

#[derive(Args, Debug)]
pub(crate) struct Report {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Keys that were neither used nor issued for so long
    Unused {
        /// For how long
        #[arg(long = "for", value_parser = duration, value_name = "90d", default_value = "90d")]
        idle: Duration,
        #[command(flatten)]
        of: Of,
    },
    /// Keys that are good now and end soon
    Expiring {
        /// How soon
        #[arg(long, value_parser = duration, value_name = "30d", default_value = "30d")]
        within: Duration,
        #[command(flatten)]
        of: Of,
    },
    /// How many keys are kept as what; those that lag behind the present hash are marked
    LegacyHashes {
        #[command(flatten)]
        of: Of,
    },
}

#[derive(Args, Debug)]
struct Of {
    /// Only keys of this tenant
    #[arg(long)]
    tenant: Option<String>,
}

impl Of {
    fn filter(&self) -> KeyFilter {
        match &self.tenant {
            None => KeyFilter::listed(),
            Some(tenant) => KeyFilter::listed().tenant(tenant.as_str()),
        }
    }
}

impl Report {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        with(options, &[], async |service| {
            let acting = service.acting();
            match &self.what {
                What::Unused { idle, of } => {
                    // What is refused already is no risk.
                    let filter = of.filter().standing(Statuses::USABLE);
                    let page = async |query: ListQuery| acting.unused_for(*idle, query).await;
                    let (keys, _) = pages(filter, usize::MAX, page).await?;
                    print(&keys, out)?;
                    if !keys.is_empty() {
                        let (count, idle) = (count(keys.len()), rough(*idle));
                        out.remark(&format!("{count} unused for {idle}."));
                    }
                    Ok(())
                }
                What::Expiring { within, of } => {
                    let page = async |query: ListQuery| acting.ending_within(*within, query).await;
                    let (mut keys, _) = pages(of.filter(), usize::MAX, page).await?;
                    keys.sort_by_key(|key| key.record.ends_at());
                    print(&keys, out)?;
                    if !keys.is_empty() {
                        let (count, within) = (count(keys.len()), rough(*within));
                        out.remark(&format!("{count} to end within {within}."));
                    }
                    Ok(())
                }
                What::LegacyHashes { of } => legacy(service, options, of.filter(), out).await,
            }
        })
        .await
    }
}

#[derive(Debug, Default)]
struct Kind {
    keys: u64,
    used: u64,
    legacy: bool,
}

/// How long ago a key was used that will soon move by itself.
const RECENTLY: Duration = Duration::from_secs(30 * 24 * 3600);

async fn legacy(
    service: &Service,
    options: &Options,
    filter: KeyFilter,
    out: &mut Out,
) -> Result<(), Failure> {
    let peppers = options.peppers()?;
    let (keys, _) = service.keys(filter, usize::MAX).await?;
    let since = SystemTime::now().checked_sub(RECENTLY);
    let mut kinds: BTreeMap<String, Kind> = BTreeMap::new();
    for key in &keys {
        let hash = &key.record.hash;
        let kind = kinds.entry(kept_as(hash)).or_default();
        kind.keys += 1;
        kind.used += u64::from(key.last_used_at.is_some_and(|used| Some(used) >= since));
        kind.legacy = matches!(hash, KeyHash::Foreign(_)) || peppers.supersede(hash);
    }
    if out.json {
        for (name, kind) in &kinds {
            out.object(&json!({
                "keptAs": name,
                "keys": kind.keys,
                "usedInThirtyDays": kind.used,
                "legacy": kind.legacy,
            }))?;
        }
        return Ok(());
    }
    let header = ["KEPT AS", "KEYS", "USED IN 30D", ""];
    let rows = kinds.iter().map(|(name, kind)| {
        let legacy = if kind.legacy { "legacy" } else { "" };
        let (keys, used) = (kind.keys.to_string(), kind.used.to_string());
        vec![name.clone(), keys, used, legacy.to_owned()]
    });
    out.table(&header, &[], rows)?;
    if kinds.values().any(|kind| kind.legacy) {
        out.note(
            "Legacy ones move to the present hash when they are used, where the service is built with \
             upgrade_foreign or a pepper; `keyward list --kept foreign` names those of other systems.",
        );
    }
    Ok(())
}

fn count(keys: usize) -> String {
    match keys {
        1 => "1 key is".to_owned(),
        keys => format!("{keys} keys are"),
    }
}
