use std::time::SystemTime;

use keyward::{AuditAction, AuditEntry};
use serde_json::{Map, Value};

use crate::messages::Messages;
use crate::time::When;

/// A line of the audit log as it is shown.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) when: When,
    pub(crate) did: String,
    pub(crate) by: String,
    pub(crate) changes: Vec<FieldChange>,
}

/// What a field was and is.
#[derive(Debug)]
pub(crate) struct FieldChange {
    pub(crate) field: String,
    pub(crate) before: String,
    pub(crate) after: String,
}

impl Entry {
    pub(crate) fn new(entry: AuditEntry, now: SystemTime, m: &Messages) -> Self {
        let line = entry.record;
        let before = object(line.before.as_deref());
        let after = object(line.after.as_deref());
        let mut did = did(line.action, m).to_owned();
        if line.action == AuditAction::Refused
            && let Some(Value::String(wanted)) = after.get("action")
        {
            did = format!("{did}: {}", wanted_text(wanted, m));
        }
        let changes = match line.action {
            AuditAction::Updated => changes(&before, &after, m),
            _ => Vec::new(),
        };
        Self {
            when: When::new(line.at, now, m),
            did,
            by: line.actor.unwrap_or_else(|| m.by_service.to_string()),
            changes,
        }
    }
}

fn object(text: Option<&str>) -> Map<String, Value> {
    let parsed = text.and_then(|text| serde_json::from_str(text).ok());
    match parsed {
        Some(Value::Object(object)) => object,
        _ => Map::new(),
    }
}

fn changes(
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    m: &Messages,
) -> Vec<FieldChange> {
    let text = |value: Option<&Value>| value.and_then(plain);
    let text = |value| text(value).unwrap_or_else(|| m.nothing.to_string());
    let changes = after.iter().map(|(field, value)| FieldChange {
        field: field_text(field, m).to_owned(),
        before: text(before.get(field)),
        after: text(Some(value)),
    });
    changes.collect()
}

/// A value as people read it; `None` for none.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Array(list) if list.is_empty() => None,
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().filter_map(plain).collect();
            Some(parts.join(", "))
        }
        other => Some(other.to_string()),
    }
}

fn did(action: AuditAction, m: &Messages) -> &str {
    match action {
        AuditAction::Issued => &m.did_issue,
        AuditAction::Imported => &m.did_import,
        AuditAction::Updated => &m.did_update,
        AuditAction::Rotated => &m.did_rotate,
        AuditAction::RotationUndone => &m.did_undo,
        AuditAction::Suspended => &m.did_suspend,
        AuditAction::Resumed => &m.did_resume,
        AuditAction::Revoked => &m.did_revoke,
        AuditAction::Purged => &m.did_purge,
        AuditAction::Rehashed => &m.did_rehash,
        AuditAction::Refused => &m.did_refuse,
        AuditAction::UsedLate => &m.did_use_late,
        AuditAction::UsedWhenRetired => &m.did_use_retired,
        AuditAction::ExpiresSoon => &m.did_near_end,
        _ => &m.did_other,
    }
}

fn wanted_text<'a>(wanted: &'a str, m: &'a Messages) -> &'a str {
    match wanted {
        "issue" => &m.create,
        "rotate" => &m.rotate,
        "suspend" => &m.suspend,
        "revoke" => &m.revoke,
        other => other,
    }
}

fn field_text<'a>(field: &'a str, m: &'a Messages) -> &'a str {
    match field {
        "name" => &m.name,
        "description" => &m.description,
        "owner" => &m.owner,
        "environment" => &m.environment,
        "tags" => &m.tags,
        "scopes" => &m.scopes,
        "limits" => &m.limits,
        "networks" => &m.networks,
        "expiresAt" => &m.expires,
        other => other,
    }
}
