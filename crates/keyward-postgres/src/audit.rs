//! The audit log.

use keyward_store::{
    AuditAction, AuditEntry, AuditQuery, AuditRecord, KeyId, Owner, Subject, TenantId,
};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::error::Failure;
use crate::rows::Columns;
use crate::time::Timestamp;

/// One statement for each way to an index.
macro_rules! lines {
    ($about:literal) => {
        concat!(
            "SELECT position, at, action, actor, key, tenant, subject, subject_kind, subject_id \
             FROM keyward.audit WHERE position > $1 AND ",
            $about,
            " ORDER BY position LIMIT $2"
        )
    };
}

const ALL: &str = lines!("true");
const OF_KEY: &str = lines!("key = $3");
const OF_TENANT: &str = lines!("tenant = $3");
const OF_BOTH: &str = lines!("key = $3 AND tenant = $4");

pub(crate) async fn audit(
    connection: &mut PgConnection,
    query: &AuditQuery,
) -> Result<Vec<AuditEntry>, Failure> {
    let statement = match (&query.key, &query.tenant) {
        (None, None) => ALL,
        (Some(_), None) => OF_KEY,
        (None, Some(_)) => OF_TENANT,
        (Some(_), Some(_)) => OF_BOTH,
    };
    let mut statement = sqlx::query(statement)
        .bind(i64::try_from(query.after).unwrap_or(i64::MAX))
        .bind(i64::try_from(query.limit).unwrap_or(i64::MAX));
    if let Some(key) = &query.key {
        statement = statement.bind(key.as_str());
    }
    if let Some(tenant) = &query.tenant {
        statement = statement.bind(tenant.as_str());
    }
    let rows = statement.fetch_all(connection).await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &PgRow) -> Result<AuditEntry, Failure> {
    let mut columns = Columns::new(row);
    let position = columns.number()?;
    let at = columns.next::<Timestamp>()?.0;
    let action = action(columns.next()?)?;
    let mut record = AuditRecord::new(at, action);
    record.actor = columns.next()?;
    record.key = match columns.next::<Option<&str>>()? {
        None => None,
        Some(id) => Some(KeyId::new(id).map_err(|_| Failure::Nonsense("the id of a key"))?),
    };
    record.tenant = columns.next::<Option<&str>>()?.map(TenantId::from);
    let (subject, kind, id) = (columns.next()?, columns.next()?, columns.next()?);
    record.subject = self::subject(subject, kind, id)?;
    Ok(AuditEntry { position, record })
}

fn subject(
    subject: Option<&str>,
    kind: Option<&str>,
    id: Option<&str>,
) -> Result<Option<Subject>, Failure> {
    Ok(match (subject, kind, id) {
        (None, None, None) => None,
        (Some("tenant"), None, Some(id)) => Some(Subject::Tenant(id.into())),
        (Some("owner"), Some(kind), Some(id)) => Some(Subject::Owner(Owner::new(kind, id))),
        _ => return Err(Failure::Nonsense("the subject of an audit line")),
    })
}

fn action(name: &str) -> Result<AuditAction, Failure> {
    let known = [
        AuditAction::Issued,
        AuditAction::Revoked,
        AuditAction::Rehashed,
        AuditAction::SubjectChanged,
    ];
    let action = known.into_iter().find(|action| action.as_str() == name);
    action.ok_or(Failure::Nonsense("an unknown action"))
}
