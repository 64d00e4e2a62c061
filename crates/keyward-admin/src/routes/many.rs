use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use keyward::{Invalid, KeyFilter, Owner};
use serde::Serialize;
use utoipa::ToSchema;

use super::list::long_ago;
use super::to_the_end;
use crate::admin::{Asker, Desk};
use crate::body::Body;
use crate::fields::Fields;
use crate::params::NoParams;
use crate::problem::{FieldError, Problem};

/// Which keys to revoke: those to which all of it applies. Something has to be said.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ApiKeyRevocation {
    /// Keys of this owner, as in `user:7`.
    #[schema(nullable = false, value_type = Option<String>)]
    owner: Option<Owner>,
    /// Keys that bear this tag.
    #[schema(nullable = false)]
    tag: Option<String>,
    /// Keys whose format has this prefix.
    #[schema(nullable = false)]
    prefix: Option<String>,
    /// Keys for this environment.
    #[schema(nullable = false)]
    environment: Option<String>,
    /// Keys that were issued before this.
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    created_before: Option<SystemTime>,
    /// Keys that were neither used nor issued for so many seconds.
    #[schema(nullable = false, value_type = Option<u64>)]
    unused_for_seconds: Option<Duration>,
    /// Only count them.
    #[schema(nullable = false)]
    dry_run: Option<bool>,
}

/// How many keys were revoked.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RevokedApiKeys {
    /// So many.
    count: u64,
    /// Whether they were only counted.
    dry_run: bool,
}

/// Revoke many keys
#[utoipa::path(
    post,
    path = "/api-keys/revoke",
    operation_id = "revokeApiKeys",
    tag = "API keys",
    request_body = ApiKeyRevocation,
    responses(
        (status = 200, description = "They are revoked, or counted", body = RevokedApiKeys),
        (status = 409, description = "Others were changing them", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn revoke_all(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    _: NoParams,
    Body(fields): Body,
) -> Result<Json<RevokedApiKeys>, Problem> {
    let revocation = ApiKeyRevocation::read(fields)?;
    let dry_run = revocation.dry_run.unwrap_or_default();
    let filter = revocation.filter(desk.keys.now());
    let counted = match dry_run {
        // Nobody needs the count of a client that has gone.
        true => {
            let all = desk.keys.acting_as(&actor).revoke_all(filter);
            all.dry_run().await.map_err(Problem::from)
        }
        false => {
            let work = async move { desk.keys.acting_as(&actor).revoke_all(filter).await };
            to_the_end(work).await
        }
    };
    let count = counted.map_err(say_which)?;
    Ok(Json(RevokedApiKeys { count, dry_run }))
}

/// The same about what a client can send, if it is that nothing was said.
fn say_which(problem: Problem) -> Problem {
    let nothing = Invalid::Filter.field();
    if !problem.errors().iter().any(|error| error.field == nothing) {
        return problem;
    }
    let which = "says not which keys: send owner, tag, prefix, environment, createdBefore or \
        unusedForSeconds";
    Problem::invalid(vec![FieldError::new("body", which)])
}

impl ApiKeyRevocation {
    fn read(mut fields: Fields) -> Result<Self, Problem> {
        let revocation = Self {
            owner: fields.owner("owner"),
            tag: fields.word("tag"),
            prefix: fields.word("prefix"),
            environment: fields.word("environment"),
            created_before: fields.time("createdBefore"),
            unused_for_seconds: fields.seconds("unusedForSeconds"),
            dry_run: fields.flag("dryRun"),
        };
        fields.finish().map(|()| revocation)
    }

    fn filter(self, now: SystemTime) -> KeyFilter {
        let mut filter = KeyFilter::listed();
        filter.owner = self.owner;
        filter.tag = self.tag;
        filter.prefix = self.prefix;
        filter.environment = self.environment;
        filter.created_before = self.created_before;
        filter.idle_since = self.unused_for_seconds.map(|idle| long_ago(now, idle));
        filter
    }
}
