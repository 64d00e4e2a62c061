//! The standing of owners and tenants.

use keyward_store::{Subject, SubjectState};
use sqlx::PgConnection;

use crate::error::Failure;
use crate::filter::may_be_there;
use crate::rows::Columns;

const TENANT: &str = "\
    SELECT suspended, entitled, role, ceiling, revision FROM keyward.tenants WHERE id = $1";
const OWNER: &str = "\
    SELECT suspended, entitled, role, ceiling, revision FROM keyward.owners \
    WHERE kind = $1 AND id = $2";

pub(crate) async fn standing(
    connection: &mut PgConnection,
    subject: &Subject,
) -> Result<SubjectState, Failure> {
    let may_be_there = match subject {
        Subject::Tenant(tenant) => may_be_there(tenant.as_str()),
        Subject::Owner(owner) => may_be_there(owner.kind()) && may_be_there(owner.id()),
        _ => true,
    };
    if !may_be_there {
        return Ok(SubjectState::default());
    }
    let query = match subject {
        Subject::Tenant(tenant) => sqlx::query(TENANT).bind(tenant.as_str()),
        Subject::Owner(owner) => sqlx::query(OWNER).bind(owner.kind()).bind(owner.id()),
        _ => return Err(Failure::Unfit("this subject is not known here".to_owned())),
    };
    let row = query.fetch_optional(connection).await?;
    row.map_or_else(
        || Ok(SubjectState::default()),
        |row| Columns::new(&row).standing(),
    )
}
