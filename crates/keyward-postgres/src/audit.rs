//! The audit log.

use keyward_store::{
    AuditAction, AuditEntry, AuditOrder, AuditQuery, AuditRecord, Owner, Subject, TenantId,
};
use sqlx::PgConnection;
use sqlx::postgres::PgRow;

use crate::error::Failure;
use crate::filter::may_be_there;
use crate::rows::{Columns, key_id, owner};
use crate::time::Timestamp;

/// One statement for each way to an index, in each order.
macro_rules! lines {
    ($about:literal) => {
        [
            lines!($about, "position > $1", "position"),
            lines!($about, "position < $1", "position DESC"),
        ]
    };
    ($about:literal, $beyond:literal, $order:literal) => {
        concat!(
            "SELECT position, at, action, actor, key, tenant, owner_kind, owner_id, subject, \
             subject_kind, subject_id, before, after, refusal \
             FROM keyward.audit WHERE ",
            $about,
            " AND ",
            $beyond,
            " AND ($3::text IS NULL OR key = $3) AND ($4::text IS NULL OR tenant = $4) \
             AND ($5::text IS NULL OR (owner_kind = $5 AND owner_id = $6)) ORDER BY ",
            $order,
            " LIMIT $2"
        )
    };
}

const ALL: [&str; 2] = lines!("true");
const OF_KEY: [&str; 2] = lines!("key = $3");
const OF_TENANT: [&str; 2] = lines!("tenant = $4");
const OF_OWNER: [&str; 2] = lines!("owner_kind = $5 AND owner_id = $6");

pub(crate) async fn audit(
    connection: &mut PgConnection,
    query: &AuditQuery,
) -> Result<Vec<AuditEntry>, Failure> {
    // The narrowest first.
    let [oldest_first, newest_first] = match (&query.key, &query.owner, &query.tenant) {
        (Some(_), _, _) => OF_KEY,
        (None, Some(_), _) => OF_OWNER,
        (None, None, Some(_)) => OF_TENANT,
        (None, None, None) => ALL,
    };
    let (statement, end) = match query.order {
        AuditOrder::OldestFirst => (oldest_first, -1),
        AuditOrder::NewestFirst => (newest_first, i64::MAX),
        _ => return Err(Failure::Unfit("this order is not known here".to_owned())),
    };
    let tenant = query.tenant.as_ref().map(|tenant| tenant.as_str());
    let kind = query.owner.as_ref().map(Owner::kind);
    let id = query.owner.as_ref().map(Owner::id);
    if ![tenant, kind, id].into_iter().flatten().all(may_be_there) {
        return Ok(Vec::new());
    }
    let after = query
        .after
        .map(|after| i64::try_from(after).unwrap_or(i64::MAX));
    let rows = sqlx::query(statement)
        .bind(after.unwrap_or(end))
        .bind(i64::try_from(query.limit).unwrap_or(i64::MAX))
        .bind(query.key.as_ref().map(|key| key.as_str()))
        .bind(tenant)
        .bind(kind)
        .bind(id)
        .fetch_all(connection)
        .await?;
    rows.iter().map(entry).collect()
}

fn entry(row: &PgRow) -> Result<AuditEntry, Failure> {
    let mut columns = Columns::new(row);
    let position = columns.number()?;
    let at = columns.next::<Timestamp>()?.0;
    let action = action(columns.next()?)?;
    let mut record = AuditRecord::new(at, action);
    record.actor = columns.next()?;
    record.key = columns.next::<Option<&str>>()?.map(key_id).transpose()?;
    record.tenant = columns.next::<Option<&str>>()?.map(TenantId::from);
    record.owner = owner(columns.next()?, columns.next()?)?;
    let (subject, kind, id) = (columns.next()?, columns.next()?, columns.next()?);
    record.subject = self::subject(subject, kind, id)?;
    record.before = columns.next()?;
    record.after = columns.next()?;
    record.refusal = columns.next()?;
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
    let action = AuditAction::ALL
        .iter()
        .find(|action| action.as_str() == name);
    action
        .copied()
        .ok_or(Failure::Nonsense("an unknown action"))
}
