//! Changes: one statement, which calls a function that makes them.

use std::collections::BTreeMap;
use std::time::SystemTime;

use keyward_store::{
    AuditRecord, Change, CommitError, Expectation, KeyFilter, KeyHash, KeyRecord, Owner, Scopes,
    StoreError, Subject, SubjectState, Write,
};
use serde_json::{Value, json};
use sqlx::{PgConnection, Row};

use crate::error::Failure;
use crate::rows::{HMAC_SHA256, SHA256};
use crate::time::micros;

const COMMIT: &str = "SELECT keyward.commit($1::jsonb)";

/// Sends a change, and tells what became of it. A failure may mean anything.
pub(crate) async fn commit(
    connection: &mut PgConnection,
    change: &str,
) -> Result<Outcome, Failure> {
    let row = match sqlx::query(COMMIT).bind(change).fetch_one(connection).await {
        Ok(row) => row,
        Err(error) => return refusal(error.into()),
    };
    let place: Option<i32> = row.try_get(0)?;
    Ok(match place.map(usize::try_from) {
        None => Outcome::Made,
        Some(Ok(place)) => Outcome::Refused(CommitError::Expectation(place)),
        Some(Err(_)) => return Err(Failure::Nonsense("a place below zero")),
    })
}

pub(crate) enum Outcome {
    Made,
    /// For certain.
    Refused(CommitError),
    /// Others were in the way; it may be tried again.
    Overtaken(Failure),
}

fn refusal(failure: Failure) -> Result<Outcome, Failure> {
    Ok(match failure.code().unwrap_or_default() {
        "KW001" => Outcome::Refused(CommitError::Duplicate),
        // Deadlock, and a snapshot that was too old.
        "40P01" | "40001" => Outcome::Overtaken(failure),
        code if says_no(code) => Outcome::Refused(CommitError::NotCommitted(failure.into())),
        _ => return Err(failure),
    })
}

/// Errors by which a transaction ends before its commit. Any other may come after it: when a server
/// shuts down, a commit that waits for its standby has been made.
fn says_no(code: &str) -> bool {
    // Classes of SQLSTATE, appendix A of the manual of Postgres: feature not supported, data
    // exception, constraint violation, transaction state, access rule, resources, object in use.
    const CLASSES: [&str; 8] = ["0A", "22", "23", "25", "42", "53", "54", "55"];
    let class = code.get(..2).unwrap_or_default();
    CLASSES.contains(&class) || code == "KW002" || code == "P0001" || code == "57014"
}

/// A change as the function reads it; an error where it says what cannot be said there.
pub(crate) fn spell(change: &Change) -> Result<String, CommitError> {
    let expect = change.expectations.iter().map(expectation);
    let write = change.writes.iter().map(write);
    let audit = change.audit.iter().map(line);
    let spelled = json!({
        "at": micros(change.at),
        "locks": locks(change),
        "keys": keys(change),
        "expect": expect.collect::<Option<Vec<_>>>().ok_or_else(|| refused("expectation"))?,
        "write": write.collect::<Option<Vec<_>>>().ok_or_else(|| refused("write"))?,
        "audit": audit.collect::<Option<Vec<_>>>().ok_or_else(|| refused("audit line"))?,
    });
    Ok(spelled.to_string())
}

fn refused(what: &str) -> CommitError {
    CommitError::NotCommitted(StoreError::new(format!(
        "the Postgres store cannot keep this {what}"
    )))
}

/// What no two changes may decide about at once.
///
/// Rows that exist are locked themselves. A standing may not exist yet; and a cap counts rows that
/// others add: so a change with a cap also locks, shared, whatever its own rows count towards. A
/// change without one reads nothing that is not locked, and needs no more.
fn locks(change: &Change) -> Vec<Value> {
    let mut locks = BTreeMap::new();
    let subjects = change
        .expectations
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::SubjectRevision { subject, .. } => Some(subject),
            _ => None,
        });
    let written = change.writes.iter().filter_map(|write| match write {
        Write::Standing { subject, .. } => Some(subject),
        _ => None,
    });
    for subject in subjects.chain(written) {
        locks.insert(format!("keyward standing {}", subject_name(subject)), false);
    }
    let caps = || {
        change
            .expectations
            .iter()
            .filter_map(|expectation| match expectation {
                Expectation::Fewer { of, .. } => Some(counted(&of.filter)),
                _ => None,
            })
    };
    if caps().next().is_some() {
        for write in &change.writes {
            if let Write::Insert(record) | Write::Replace { record, .. } = write {
                let mut filter = KeyFilter::default();
                locks.insert(counted(&filter), true);
                filter.tenant = Some(record.tenant.clone());
                locks.insert(counted(&filter), true);
                filter.owner.clone_from(&record.owner);
                locks.insert(counted(&filter), true);
            }
        }
    }
    locks.extend(caps().map(|cap| (cap, false)));
    let locks = locks.into_iter();
    locks
        .map(|(name, shared)| json!({ "name": name, "shared": shared }))
        .collect()
}

/// The narrowest crowd that holds everyone whom the filter counts.
fn counted(filter: &KeyFilter) -> String {
    match (&filter.owner, &filter.tenant) {
        (Some(owner), _) => format!("keyward keys of {}", owner_name(owner)),
        (None, Some(tenant)) => format!("keyward keys of tenant {tenant}"),
        (None, None) => "keyward keys".to_owned(),
    }
}

fn subject_name(subject: &Subject) -> String {
    match subject {
        Subject::Owner(owner) => owner_name(owner),
        Subject::Tenant(tenant) => format!("tenant {tenant}"),
        _ => "unknown".to_owned(),
    }
}

fn owner_name(owner: &Owner) -> String {
    // The length keeps "a:b" of kind "c" and "b" of kind "c:a" apart.
    format!("owner {} {owner}", owner.kind().len())
}

/// The names of all rows that are looked at or replaced.
fn keys(change: &Change) -> Vec<&str> {
    let expected = change
        .expectations
        .iter()
        .filter_map(|expectation| match expectation {
            Expectation::Revision { key, .. } => Some(key.as_str()),
            _ => None,
        });
    let replaced = change.writes.iter().filter_map(|write| match write {
        Write::Replace { record, .. } => Some(record.id.as_str()),
        _ => None,
    });
    expected.chain(replaced).collect()
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
            "tenant": of.filter.tenant.as_ref().map(|tenant| tenant.as_str()),
            "owner_kind": of.filter.owner.as_ref().map(Owner::kind),
            "owner_id": of.filter.owner.as_ref().map(Owner::id),
            "revoked": of.filter.revoked,
            "unexpired": of.unexpired_only,
        }),
        _ => return None,
    })
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
        _ => None,
    }
}

fn row(kind: &str, record: &KeyRecord) -> Option<Value> {
    let (hash, pepper, digest) = match &record.hash {
        KeyHash::Sha256(digest) => (SHA256, "", digest),
        KeyHash::HmacSha256 { pepper, mac } => (HMAC_SHA256, pepper.as_str(), mac),
        _ => return None,
    };
    Some(json!({
        "kind": kind,
        "id": record.id.as_str(),
        "tenant": record.tenant.as_str(),
        "owner_kind": record.owner.as_ref().map(Owner::kind),
        "owner_id": record.owner.as_ref().map(Owner::id),
        "name": record.name,
        "description": record.description,
        "environment": record.environment,
        "prefix": record.prefix,
        "public_id": record.public_id.as_ref().map(|id| id.as_str()),
        "hint": record.hint,
        "hash": hash,
        "pepper": pepper,
        "digest": digest.to_hex(),
        "scopes": texts(&record.scopes),
        "role": record.role,
        "created_at": micros(record.created_at)?,
        "created_by": record.created_by,
        "expires_at": time(record.expires_at)?,
        "revoked_at": time(record.revoked_at)?,
        "suspended_at": time(record.suspended_at)?,
        "rotated_from": record.rotated_from.as_ref().map(|id| id.as_str()),
        "metadata": record.metadata,
        "revision": signed(record.revision)?,
    }))
}

fn standing(state: &SubjectState) -> Option<Value> {
    Some(json!({
        "suspended": state.suspended,
        "entitled": state.entitled,
        "ceiling": state.ceiling.as_ref().map(texts),
        "revision": signed(state.revision)?,
    }))
}

fn line(line: &AuditRecord) -> Option<Value> {
    let mut spelled = json!({
        "at": micros(line.at)?,
        "action": line.action.as_str(),
        "actor": line.actor,
        "key": line.key.as_ref().map(|id| id.as_str()),
        "tenant": line.tenant.as_ref().map(|id| id.as_str()),
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

/// `Some(None)` for no time, `None` for one that cannot be kept.
fn time(time: Option<SystemTime>) -> Option<Option<i64>> {
    time.map_or(Some(None), |time| micros(time).map(Some))
}

fn signed(number: u64) -> Option<i64> {
    i64::try_from(number).ok()
}
