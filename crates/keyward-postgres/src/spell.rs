//! A change as the function that makes it reads it.

use std::time::SystemTime;

use keyward_store::{
    AuditRecord, Change, CommitError, Expectation, KeyFilter, KeyHash, KeyRecord, Limit, Owner,
    Scopes, StoreError, Subject, SubjectState, Token, Write,
};
use serde_json::{Value, json};

use crate::filter::{hidden, kept, may_be_there};
use crate::locks::{keys, locks};
use crate::rows::{FOREIGN, HMAC_SHA256, SHA256};
use crate::time::{micros, micros_up};

/// An error where the change says what cannot be said there.
pub(crate) fn spell(change: &Change) -> Result<String, CommitError> {
    let expect = change.expectations.iter().map(expectation);
    let write = change.writes.iter().map(write);
    let audit = change.audit.iter().map(line);
    let spelled = json!({
        "at": micros(change.at).ok_or_else(|| refused("time"))?,
        "locks": locks(change),
        "keys": keys(change),
        "expect": expect.collect::<Option<Vec<_>>>().ok_or_else(|| refused("expectation"))?,
        "write": write.collect::<Option<Vec<_>>>().ok_or_else(|| refused("write"))?,
        "audit": audit.collect::<Option<Vec<_>>>().ok_or_else(|| refused("audit line"))?,
    });
    if has_nul(&spelled) {
        return Err(refused("text, which has a NUL"));
    }
    Ok(spelled.to_string())
}

/// The server refuses such a text too, but quotes in its log what stands around it.
fn has_nul(spelled: &Value) -> bool {
    match spelled {
        Value::String(text) => !may_be_there(text),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.values().any(has_nul),
        _ => false,
    }
}

fn refused(what: &str) -> CommitError {
    CommitError::NotCommitted(StoreError::new(format!(
        "the Postgres store cannot keep this {what}"
    )))
}

fn expectation(expectation: &Expectation) -> Option<Value> {
    Some(match expectation {
        Expectation::Revision { key, is } => {
            json!({ "kind": "revision", "key": key.as_str(), "is": signed(*is)? })
        }
        Expectation::SubjectRevision { subject, is } => {
            let mut spelled = subject_fields(subject)?;
            merge(&mut spelled, json!({ "is": signed(*is)? }));
            spelled
        }
        Expectation::Fewer { than, of } => json!({
            "kind": "fewer",
            "than": i64::try_from(*than).unwrap_or(i64::MAX),
            "of": filter(of)?,
        }),
        _ => return None,
    })
}

fn filter(filter: &KeyFilter) -> Option<Value> {
    let (hash, pepper) = kept(filter.kept.as_ref())?;
    Some(json!({
        "tenant": filter.tenant.as_ref().map(|tenant| tenant.as_str()),
        "owner_kind": filter.owner.as_ref().map(Owner::kind),
        "owner_id": filter.owner.as_ref().map(Owner::id),
        "environment": filter.environment,
        "prefix": filter.prefix,
        "tag": filter.tag,
        "hidden": hidden(filter.statuses),
        "at": time(filter.at)?,
        "created_before": bound(filter.created_before)?,
        "ends_before": bound(filter.ends_before)?,
        "over_before": bound(filter.over_before)?,
        "used_since": bound(filter.used_since)?,
        "idle_since": bound(filter.idle_since)?,
        "kept": hash,
        "pepper": pepper,
        "lookup": filter.lookup,
    }))
}

fn write(write: &Write) -> Option<Value> {
    match write {
        Write::Insert(record) => row("insert", record),
        // Whether it is found by others now is seen from the rows.
        Write::Replace { record, .. } => row("replace", record),
        Write::Standing { subject, state } => {
            let mut spelled = subject_fields(subject)?;
            merge(&mut spelled, standing(state)?);
            Some(spelled)
        }
        Write::Token(token) => self::token(token),
        // The public id is seen from the row.
        Write::Delete { key, .. } => Some(json!({ "kind": "delete", "key": key.as_str() })),
        _ => None,
    }
}

fn row(kind: &str, record: &KeyRecord) -> Option<Value> {
    let (hash, pepper, digest) = match &record.hash {
        KeyHash::Sha256(digest) => (SHA256, "", digest.to_hex()),
        KeyHash::HmacSha256 { pepper, mac } => (HMAC_SHA256, pepper.as_str(), mac.to_hex()),
        KeyHash::Foreign(hash) => (FOREIGN, hash.scheme(), hex(hash.text())),
        _ => return None,
    };
    let successor = record.successor.as_ref();
    Some(json!({
        "kind": kind,
        "id": record.id.as_str(),
        "tenant": record.tenant.as_str(),
        "owner_kind": record.owner.as_ref().map(Owner::kind),
        "owner_id": record.owner.as_ref().map(Owner::id),
        "name": record.name,
        "description": record.description,
        "environment": record.environment,
        "tags": record.tags,
        "prefix": record.prefix,
        "public_id": record.public_id.as_ref().map(|id| id.as_str()),
        "hint": record.hint,
        "lookup": record.lookup,
        "hash": hash,
        "pepper": pepper,
        "digest": digest,
        "scopes": texts(&record.scopes),
        // By its own address alone is a network one of Postgres.
        "networks": record.networks.iter().map(|net| net.trunc().to_string()).collect::<Vec<_>>(),
        "limits": record.limits.iter().map(limit).collect::<Vec<_>>(),
        "role": record.role,
        "created_at": micros(record.created_at)?,
        "created_by": record.created_by,
        "expires_at": time(record.expires_at)?,
        "revoked_at": time(record.revoked_at)?,
        "suspended_at": time(record.suspended_at)?,
        "rotated_from": record.rotated_from.as_ref().map(|id| id.as_str()),
        "successor": successor.map(|successor| successor.key.as_str()),
        "rotated_at": time(successor.map(|successor| successor.since))?,
        "retires_at": time(successor.map(|successor| successor.until))?,
        "lineage": record.lineage.as_ref().map(|id| id.as_str()),
        "metadata": record.metadata,
        "revision": signed(record.revision)?,
    }))
}

fn standing(state: &SubjectState) -> Option<Value> {
    Some(json!({
        "suspended": state.suspended,
        "entitled": state.entitled,
        "role": state.role,
        "ceiling": state.ceiling.as_ref().map(texts),
        "revision": signed(state.revision)?,
    }))
}

fn token(token: &Token) -> Option<Value> {
    Some(json!({
        "kind": "token",
        "scope": token.scope,
        "text": token.text,
        "key": token.key.as_str(),
        "until": micros_up(token.until)?,
    }))
}

fn line(line: &AuditRecord) -> Option<Value> {
    let mut spelled = json!({
        "at": micros(line.at)?,
        "action": line.action.as_str(),
        "actor": line.actor,
        "key": line.key.as_ref().map(|id| id.as_str()),
        "tenant": line.tenant.as_ref().map(|id| id.as_str()),
        "owner_kind": line.owner.as_ref().map(Owner::kind),
        "owner_id": line.owner.as_ref().map(Owner::id),
        "before": line.before,
        "after": line.after,
        "refusal": line.refusal,
    });
    match &line.subject {
        None => {}
        Some(Subject::Tenant(tenant)) => merge(
            &mut spelled,
            json!({ "subject": "tenant", "subject_id": tenant.as_str() }),
        ),
        Some(Subject::Owner(owner)) => merge(
            &mut spelled,
            json!({ "subject": "owner", "subject_kind": owner.kind(), "subject_id": owner.id() }),
        ),
        Some(_) => return None,
    }
    Some(spelled)
}

fn subject_fields(subject: &Subject) -> Option<Value> {
    match subject {
        Subject::Tenant(tenant) => Some(json!({ "kind": "tenant", "tenant": tenant.as_str() })),
        Subject::Owner(owner) => {
            let (kind, id) = (owner.kind(), owner.id());
            Some(json!({ "kind": "owner", "owner_kind": kind, "owner_id": id }))
        }
        _ => None,
    }
}

fn merge(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

fn texts(scopes: &Scopes) -> Vec<String> {
    scopes.iter().map(ToString::to_string).collect()
}

/// Requests and milliseconds.
fn limit(limit: &Limit) -> String {
    format!("{}/{}", limit.requests(), limit.per().as_millis())
}

fn hex(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// `Some(None)` for no time, `None` for one that cannot be kept.
fn time(time: Option<SystemTime>) -> Option<Option<i64>> {
    time.map_or(Some(None), |time| micros(time).map(Some))
}

/// The same for a bound, below which are times at the resolution that is kept.
fn bound(time: Option<SystemTime>) -> Option<Option<i64>> {
    time.map_or(Some(None), |time| micros_up(time).map(Some))
}

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}
