//! What the audit log says of a change: the fields that differ, before and after. Of hashes it says
//! nothing.

use std::time::SystemTime;

use keyward_store::{AuditAction, AuditRecord, KeyRecord, Limit, SubjectState};
use serde_json::{Map, Value, json};

/// A line about one key, done by `actor`; about all that differs from before, where there was one.
pub(crate) fn line(
    at: SystemTime,
    action: AuditAction,
    actor: Option<&str>,
    before: Option<&KeyRecord>,
    after: &KeyRecord,
) -> AuditRecord {
    let mut line = about(at, action, actor, after);
    let is = facts(after);
    match before.map(facts) {
        None => line.after = text(is),
        Some(was) => {
            (line.before, line.after) = difference(was, is);
        }
    }
    line
}

/// A line about one key that says no more than what was done.
pub(crate) fn about(
    at: SystemTime,
    action: AuditAction,
    actor: Option<&str>,
    record: &KeyRecord,
) -> AuditRecord {
    let mut line = AuditRecord::new(at, action);
    line.actor = actor.map(str::to_owned);
    line.key = Some(record.id.clone());
    line.tenant = Some(record.tenant.clone());
    line.owner.clone_from(&record.owner);
    line
}

/// What a standing was and is.
pub(crate) fn standing(line: &mut AuditRecord, before: &SubjectState, after: &SubjectState) {
    let facts = |state: &SubjectState| {
        let Value::Object(facts) = json!({
            "suspended": state.suspended,
            "entitled": state.entitled,
            "role": state.role,
            "ceiling": state.ceiling.as_ref().map(words),
        }) else {
            return Map::new();
        };
        facts
    };
    (line.before, line.after) = difference(facts(before), facts(after));
}

/// The fields in which two differ, from either side; what is not there is null.
fn difference(
    mut was: Map<String, Value>,
    mut is: Map<String, Value>,
) -> (Option<String>, Option<String>) {
    let fields: Vec<String> = was.keys().chain(is.keys()).cloned().collect();
    for field in fields {
        if was.get(&field) == is.get(&field) {
            was.remove(&field);
            is.remove(&field);
        } else {
            was.entry(field.clone()).or_insert(Value::Null);
            is.entry(field).or_insert(Value::Null);
        }
    }
    (text(was), text(is))
}

/// What can be said of a key to whoever may see it.
fn facts(record: &KeyRecord) -> Map<String, Value> {
    let limits = record.limits.iter().map(limit);
    let successor = record.successor.as_ref().map(|successor| {
        json!({
            "key": successor.key.as_str(),
            "since": spelled(successor.since),
            "until": spelled(successor.until),
        })
    });
    // It was valid JSON when it came in.
    let metadata = record.metadata.as_deref();
    let metadata = metadata.and_then(|text| serde_json::from_str::<Value>(text).ok());
    let Value::Object(mut facts) = json!({
        "name": record.name,
        "description": record.description,
        "owner": record.owner.as_ref().map(ToString::to_string),
        "environment": record.environment,
        "tags": record.tags,
        "prefix": record.prefix,
        "hint": record.hint,
        "scopes": words(&record.scopes),
        "limits": limits.collect::<Vec<_>>(),
        "networks": record.networks.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "role": record.role,
        "expiresAt": record.expires_at.map(spelled),
        "revokedAt": record.revoked_at.map(spelled),
        "suspendedAt": record.suspended_at.map(spelled),
        "rotatedFrom": record.rotated_from.as_ref().map(|id| id.as_str()),
        "successor": successor,
        "metadata": metadata,
    }) else {
        return Map::new();
    };
    facts.retain(|_, value| {
        !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty())
    });
    facts
}

fn limit(limit: &Limit) -> Value {
    json!({ "requests": limit.requests(), "perMilliseconds": limit.per().as_millis() as u64 })
}

fn words(scopes: &keyward_store::Scopes) -> Vec<&str> {
    scopes.iter().map(keyward_store::Scope::as_str).collect()
}

/// As RFC 3339 spells it. A time that it cannot spell, which a store may hold, is told by what it is
/// beyond.
pub(crate) fn spelled(time: SystemTime) -> String {
    use std::fmt::Write as _;
    if time < SystemTime::UNIX_EPOCH {
        // `humantime` panics at it.
        return "before 1970".to_owned();
    }
    let mut text = String::new();
    if write!(text, "{}", humantime::format_rfc3339_micros(time)).is_ok() {
        text
    } else {
        "after 9999".to_owned()
    }
}

fn text(facts: Map<String, Value>) -> Option<String> {
    (!facts.is_empty()).then(|| Value::Object(facts).to_string())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_that_cannot_be_spelled_are_told_by_what_they_are_beyond() {
        let epoch = SystemTime::UNIX_EPOCH;
        assert_eq!(spelled(epoch), "1970-01-01T00:00:00.000000Z");
        assert_eq!(spelled(epoch - Duration::from_nanos(1)), "before 1970");
        assert_eq!(spelled(epoch + Duration::from_secs(1 << 40)), "after 9999");
    }
}
