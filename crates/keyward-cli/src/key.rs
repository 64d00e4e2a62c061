use std::time::SystemTime;

use keyward::{KeyHash, KeyRecord, KeySnapshot, Owner, Scope, SubjectState};
use serde_json::{Map, Value, json};

use crate::time::{relative, rough, spelled};

/// A list of keys, for people: header, columns that may be wrapped, and rows.
pub(crate) struct List {
    pub(crate) header: Vec<&'static str>,
    pub(crate) soft: Vec<usize>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A list of keys for a terminal of that width, if it is one. On a narrow one it says less, so that ids
/// stay whole; `keyward show` has the rest.
pub(crate) fn list(keys: &[KeySnapshot], now: SystemTime, width: Option<usize>) -> List {
    let columns = COLUMNS.iter();
    let columns = columns.filter(|column| width.is_none_or(|width| width >= column.from_width));
    let columns: Vec<&Column> = columns.collect();
    let soft = columns.iter().enumerate();
    let soft = soft.filter(|(_, column)| column.soft);
    let row = |key| -> Vec<String> {
        let values = columns.iter().map(|column| (column.value)(key, now));
        values.collect()
    };
    List {
        header: columns.iter().map(|column| column.name).collect(),
        soft: soft.map(|(place, _)| place).collect(),
        rows: keys.iter().map(row).collect(),
    }
}

struct Column {
    name: &'static str,
    /// It is shown on terminals as wide as this.
    from_width: usize,
    soft: bool,
    value: fn(&KeySnapshot, SystemTime) -> String,
}

impl Column {
    const fn firm(name: &'static str, value: fn(&KeySnapshot, SystemTime) -> String) -> Self {
        Self {
            name,
            from_width: 0,
            soft: false,
            value,
        }
    }

    const fn soft(name: &'static str, value: fn(&KeySnapshot, SystemTime) -> String) -> Self {
        let mut column = Self::firm(name, value);
        column.soft = true;
        column
    }

    const fn where_wide(mut self, width: usize) -> Self {
        self.from_width = width;
        self
    }
}

const COLUMNS: [Column; 8] = [
    Column::firm("ID", |key, _| key.record.id.to_string()),
    Column::soft("NAME", |key, _| key.record.name.clone()),
    Column::soft("TENANT", |key, _| key.record.tenant.to_string()),
    Column::firm("KEY", |key, _| hint(&key.record)).where_wide(110),
    Column::firm("STATUS", |key, now| key.record.status(now).to_string()),
    Column::soft("SCOPES", |key, _| scopes(&key.record)).where_wide(130),
    Column::firm("USED", |key, now| near(key.last_used_at, now)),
    Column::firm("ENDS", |key, now| {
        near(key.record.revoked_at.or(key.record.ends_at()), now)
    }),
];

fn near(time: Option<SystemTime>, now: SystemTime) -> String {
    time.map_or("never".to_owned(), |time| relative(time, now))
}

/// The columns of [`details`] that may be wrapped.
pub(crate) const SOFT_DETAILS: &[usize] = &[1];

/// All that may be shown of a key, for people.
pub(crate) fn details(key: &KeySnapshot, now: SystemTime) -> Vec<Vec<String>> {
    let record = &key.record;
    let both = |time: SystemTime| format!("{} ({})", spelled(time), relative(time, now));
    let limits: Vec<String> = record
        .limits
        .iter()
        .map(|limit| format!("{} in {}", limit.requests(), rough(limit.per())))
        .collect();
    let networks: Vec<String> = record.networks.iter().map(ToString::to_string).collect();
    let successor = record.successor.as_ref();
    let successor =
        successor.map(|to| format!("{}, old one good until {}", to.key, both(to.until)));
    let list = |texts: Vec<String>| (!texts.is_empty()).then(|| texts.join(", "));
    let rows = [
        ("id", Some(record.id.to_string())),
        ("name", Some(record.name.clone())),
        ("description", record.description.clone()),
        (
            "tenant",
            Some(with_standing(record.tenant.as_str(), &key.tenant)),
        ),
        (
            "owner",
            record
                .owner
                .as_ref()
                .map(|owner| with_standing(&owner.to_string(), &key.owner)),
        ),
        ("environment", record.environment.clone()),
        ("tags", list(record.tags.clone())),
        ("key", Some(hint(record))),
        ("kept as", Some(kept_as(&record.hash))),
        ("status", Some(record.status(now).to_string())),
        ("scopes", Some(scopes(record))),
        ("role", record.role.clone()),
        ("limits", list(limits)),
        ("networks", list(networks)),
        ("issued", Some(both(record.created_at))),
        ("issued by", record.created_by.clone()),
        (
            "last used",
            Some(key.last_used_at.map_or("never".to_owned(), both)),
        ),
        (
            "expires",
            Some(record.expires_at.map_or("never".to_owned(), both)),
        ),
        ("suspended", record.suspended_at.map(both)),
        ("revoked", record.revoked_at.map(both)),
        (
            "replaces",
            record.rotated_from.as_ref().map(ToString::to_string),
        ),
        ("replaced by", successor),
        ("metadata", record.metadata.clone()),
    ];
    let rows = rows.into_iter();
    rows.filter_map(|(label, value)| Some(vec![label.to_owned(), value?]))
        .collect()
}

/// All that may be shown of a key, for programs.
pub(crate) fn object(key: &KeySnapshot, now: SystemTime) -> Value {
    let record = &key.record;
    let limits = record.limits.iter();
    let limits = limits.map(
        |limit| json!({ "requests": limit.requests(), "perSeconds": limit.per().as_secs_f64() }),
    );
    let successor = record.successor.as_ref().map(|successor| {
        json!({
            "key": successor.key.as_str(),
            "since": spelled(successor.since),
            "until": spelled(successor.until),
        })
    });
    let metadata = record.metadata.as_deref();
    let metadata = metadata.and_then(|text| serde_json::from_str::<Value>(text).ok());
    json!({
        "id": record.id.as_str(),
        "name": record.name,
        "description": record.description,
        "tenant": record.tenant.as_str(),
        "tenantState": state(&key.tenant),
        "owner": record.owner.as_ref().map(owner),
        "ownerState": record.owner.as_ref().map(|_| state(&key.owner)),
        "environment": record.environment,
        "tags": record.tags,
        "prefix": record.prefix,
        "hint": record.hint,
        "keptAs": kept_as(&record.hash),
        "status": record.status(now).as_str(),
        "scopes": record.scopes.iter().map(Scope::as_str).collect::<Vec<_>>(),
        "role": record.role,
        "limits": limits.collect::<Vec<_>>(),
        "networks": record.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "createdAt": spelled(record.created_at),
        "createdBy": record.created_by,
        "lastUsedAt": key.last_used_at.map(spelled),
        "expiresAt": record.expires_at.map(spelled),
        "endsAt": record.ends_at().map(spelled),
        "suspendedAt": record.suspended_at.map(spelled),
        "revokedAt": record.revoked_at.map(spelled),
        "rotatedFrom": record.rotated_from.as_ref().map(|id| id.as_str()),
        "successor": successor,
        "metadata": metadata,
    })
}

/// How a hash was made, and never the hash.
pub(crate) fn kept_as(hash: &KeyHash) -> String {
    match hash {
        KeyHash::Sha256(_) => "sha256".to_owned(),
        KeyHash::HmacSha256 { pepper, .. } => format!("pepper:{}", pepper.as_str()),
        KeyHash::Foreign(hash) => format!("foreign:{}", hash.scheme()),
        _ => "unknown".to_owned(),
    }
}

/// An owner, for programs.
pub(crate) fn owner(owner: &Owner) -> Value {
    json!({ "kind": owner.kind(), "id": owner.id() })
}

fn hint(record: &KeyRecord) -> String {
    match (&*record.hint, &*record.prefix) {
        ("", "") => "unknown".to_owned(),
        ("", prefix) => format!("{prefix}…"),
        (hint, _) => format!("{hint}…"),
    }
}

fn scopes(record: &KeyRecord) -> String {
    if record.scopes.is_empty() {
        return "none".to_owned();
    }
    let scopes: Vec<&str> = record.scopes.iter().map(Scope::as_str).collect();
    scopes.join(" ")
}

/// A tenant or an owner, and what is wrong with them.
fn with_standing(name: &str, state: &SubjectState) -> String {
    match (state.suspended, state.entitled) {
        (true, _) => format!("{name} (suspended)"),
        (_, false) => format!("{name} (not entitled)"),
        _ => name.to_owned(),
    }
}

fn state(state: &SubjectState) -> Value {
    let mut facts = Map::new();
    facts.insert("suspended".to_owned(), state.suspended.into());
    facts.insert("entitled".to_owned(), state.entitled.into());
    Value::Object(facts)
}
