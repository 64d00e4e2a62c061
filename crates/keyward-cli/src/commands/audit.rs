use std::time::{Duration, SystemTime};

use clap::Args;
use keyward::{AuditEntry, AuditQuery, KeyId, Owner, TenantId};
use serde_json::{Value, json};

use super::which::owner;
use crate::failure::Failure;
use crate::key;
use crate::named::key_id;
use crate::options::Options;
use crate::out::{Out, shown};
use crate::service::{Service, with};
use crate::time::{moment_past, spelled};

#[derive(Args, Debug)]
pub(crate) struct Audit {
    /// Lines about this key
    #[arg(long = "key", value_name = "ID")]
    named: Option<String>,
    /// The same, once it is known to be an id.
    #[arg(skip)]
    key: Option<KeyId>,
    /// Lines about this tenant and its keys
    #[arg(long)]
    tenant: Option<String>,
    /// Lines about keys of this owner, as kind:id
    #[arg(long, value_parser = owner, value_name = "KIND:ID")]
    owner: Option<Owner>,
    /// Lines from this moment on, or from so long ago
    #[arg(long, value_parser = moment_past, value_name = "24h")]
    since: Option<SystemTime>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Goes on with what happens from then on
    #[arg(long, short)]
    follow: bool,
}

const HEADER: [&str; 6] = ["TIME", "ACTION", "KEY", "TENANT", "BY", "WHAT"];

impl Audit {
    pub(super) async fn run(mut self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        let named = self.named.as_deref();
        self.key = named.map(|id| key_id(id, options)).transpose()?;
        with(options, &[], async |service| {
            // What comes after this is for the second part.
            let position = service.keys.last_event().await?;
            let entries = self.last(service, position).await?;
            if out.json {
                for entry in &entries {
                    out.object(&object(entry))?;
                }
            } else if !entries.is_empty() {
                out.table(&HEADER, &[3, 4, 5], entries.iter().map(row))?;
            } else if !self.follow {
                out.note("There are no such lines.");
            }
            if self.follow {
                self.follow(service, position, out).await?;
            }
            Ok(())
        })
        .await
    }

    /// The last lines up to a position, oldest first.
    async fn last(&self, service: &Service, end: u64) -> Result<Vec<AuditEntry>, Failure> {
        let most = usize::try_from(self.limit).unwrap_or(usize::MAX);
        let mut query = AuditQuery::default().newest_first().limit(LINES_AT_ONCE);
        query.after = Some(end.saturating_add(1));
        query.key.clone_from(&self.key);
        query.tenant = self.tenant.as_deref().map(TenantId::from);
        query.owner.clone_from(&self.owner);
        let mut entries = Vec::new();
        loop {
            let part = service.acting().audit(&query).await?;
            let whole = part.len() == LINES_AT_ONCE;
            query.after = part.last().map(|entry| entry.position);
            // Lines bear the times of the nodes that wrote them, whose clocks may differ.
            let past = part.iter().all(|entry| self.is_before(entry, SLACK));
            let part = part
                .into_iter()
                .filter(|entry| !self.is_before(entry, Duration::ZERO));
            entries.extend(part);
            if entries.len() >= most || !whole || past {
                entries.truncate(most);
                entries.reverse();
                return Ok(entries);
            }
        }
    }

    fn is_before(&self, entry: &AuditEntry, slack: Duration) -> bool {
        let since = self.since.and_then(|since| since.checked_sub(slack));
        since.is_some_and(|since| entry.record.at < since)
    }

    async fn follow(&self, service: &Service, end: u64, out: &mut Out) -> Result<(), Failure> {
        let mut events = service.keys.events_after(end);
        loop {
            let entry = tokio::select! {
                entry = events.next() => entry?,
                // So that no node is left behind on the register, for which others would wait.
                stop = tokio::signal::ctrl_c() => return Ok(stop?),
            };
            if !self.concerns(&entry) {
                continue;
            }
            if out.json {
                out.object(&object(&entry))?;
            } else {
                let row: Vec<String> = row(&entry).iter().map(|text| shown(text)).collect();
                out.line(&row.join("  "))?;
            }
        }
    }

    fn concerns(&self, entry: &AuditEntry) -> bool {
        let record = &entry.record;
        let tenant = self.tenant.as_deref().map(TenantId::from);
        (self.key.is_none() || self.key == record.key)
            && (tenant.is_none() || tenant == record.tenant)
            && (self.owner.is_none() || self.owner == record.owner)
    }
}

const LINES_AT_ONCE: usize = 1_000;
const SLACK: Duration = Duration::from_secs(3_600);

fn row(entry: &AuditEntry) -> Vec<String> {
    let record = &entry.record;
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "–".to_owned());
    vec![
        spelled(record.at),
        record.action.as_str().to_owned(),
        or_none(record.key.as_ref().map(ToString::to_string)),
        or_none(record.tenant.as_ref().map(ToString::to_string)),
        or_none(record.actor.clone()),
        what(entry),
    ]
}

/// What changed, or what was refused and why.
fn what(entry: &AuditEntry) -> String {
    let record = &entry.record;
    if let Some(refusal) = &record.refusal {
        return match &record.after {
            Some(wanted) => format!("{refusal}: {wanted}"),
            None => refusal.clone(),
        };
    }
    let (before, after) = (
        facts(record.before.as_deref()),
        facts(record.after.as_deref()),
    );
    let Some(Value::Object(after)) = after else {
        return String::new();
    };
    let Some(Value::Object(before)) = before else {
        // All of a new key: as much as tells it from others.
        let facts = ["name", "hint"].map(|fact| after.get(fact).and_then(Value::as_str));
        let facts: Vec<&str> = facts.into_iter().flatten().collect();
        return facts.join(" ");
    };
    let changes = after.iter().map(|(fact, is)| match before.get(fact) {
        None | Some(Value::Null) => format!("{fact}: {}", told(is)),
        Some(was) => format!("{fact}: {} → {}", told(was), told(is)),
    });
    changes.collect::<Vec<_>>().join(", ")
}

fn told(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "none".to_owned(),
        Value::Object(to) => match (to.get("key"), to.get("until")) {
            (Some(Value::String(key)), Some(Value::String(until))) => {
                format!("{key}, overlap until {until}")
            }
            _ => value.to_string(),
        },
        other => other.to_string(),
    }
}

fn facts(text: Option<&str>) -> Option<Value> {
    serde_json::from_str(text?).ok()
}

fn object(entry: &AuditEntry) -> Value {
    let record = &entry.record;
    json!({
        "position": entry.position,
        "at": spelled(record.at),
        "action": record.action.as_str(),
        "actor": record.actor,
        "key": record.key.as_ref().map(|id| id.as_str()),
        "tenant": record.tenant.as_ref().map(|id| id.as_str()),
        "owner": record.owner.as_ref().map(key::owner),
        "before": facts(record.before.as_deref()),
        "after": facts(record.after.as_deref()),
        "refusal": record.refusal,
    })
}
