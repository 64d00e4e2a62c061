use std::time::SystemTime;

use keyward::{KeySnapshot, KeyStatus, Limit, Owner, Scope, SubjectState};
use serde::Serialize;
use serde_json::{Number, Value};
use utoipa::ToSchema;

use crate::time::spelled;

/// What is shown of a key to whoever may see it.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKey)]
#[non_exhaustive]
pub struct KeyView {
    /// Its name in this API. It is no secret and no part of the key.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it is for.
    #[schema(required = true)]
    pub description: Option<String>,
    /// As much of the key as may be shown to tell it from others.
    pub prefix: String,
    /// Who in the tenant it belongs to.
    #[schema(required = true)]
    pub owner: Option<OwnerView>,
    /// Which of the tenant's environments it is for.
    #[schema(required = true)]
    pub environment: Option<String>,
    /// What it is grouped by.
    pub tags: Vec<String>,
    /// What it may do.
    pub scopes: Vec<String>,
    /// How often it may be used.
    pub limits: Vec<LimitView>,
    /// The networks that it may be used from; none is from anywhere.
    pub networks: Vec<String>,
    /// The role that it was issued under.
    #[schema(required = true)]
    pub role: Option<String>,
    /// When it was last used, at a resolution of one second.
    #[schema(required = true, format = DateTime)]
    pub last_used_at: Option<String>,
    /// The instant from which it is refused.
    #[schema(required = true, format = DateTime)]
    pub expires_at: Option<String>,
    /// Whether a request with it is accepted now, as far as the key, its owner and its tenant are
    /// concerned.
    pub is_active: bool,
    /// How the key stands by itself: `active`, `retiring`, `suspended`, `expired`, `retired` or
    /// `revoked`.
    #[schema(value_type = String)]
    pub status: &'static str,
    /// When it was issued.
    #[schema(format = DateTime)]
    pub created_at: String,
    /// Who issued it.
    #[schema(required = true)]
    pub created_by: Option<String>,
    /// When it was suspended.
    #[schema(required = true, format = DateTime)]
    pub suspended_at: Option<String>,
    /// When it was revoked.
    #[schema(required = true, format = DateTime)]
    pub revoked_at: Option<String>,
    /// The key whose place it took.
    #[schema(required = true)]
    pub rotated_from: Option<String>,
    /// The key that takes its place.
    #[schema(required = true)]
    pub replaced_by: Option<SuccessorView>,
    /// The host's own data.
    #[schema(required = true, value_type = Option<Object>)]
    pub metadata: Option<Value>,
}

/// Who a key belongs to within its tenant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ApiKeyOwner)]
#[non_exhaustive]
pub struct OwnerView {
    /// What sort of owner this is.
    pub kind: String,
    /// Which one of them.
    pub id: String,
}

/// How often a key may be used: so many requests in any stretch of time of that length.
#[derive(Clone, Debug, PartialEq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = ApiKeyLimit)]
#[non_exhaustive]
pub struct LimitView {
    /// So many requests, 2^32 at most.
    #[schema(minimum = 1, maximum = 4294967296u64)]
    pub requests: u64,
    /// In so many seconds, of which there may be parts down to a thousandth; 366 days at most.
    #[schema(value_type = f64, exclusive_minimum = 0, maximum = 31622400)]
    pub per_seconds: Number,
}

/// The key that takes another's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = ApiKeySuccessor)]
#[non_exhaustive]
pub struct SuccessorView {
    /// Which.
    pub id: String,
    /// Since when.
    #[schema(format = DateTime)]
    pub since: String,
    /// Until when the old one is good.
    #[schema(format = DateTime)]
    pub until: String,
}

impl KeyView {
    /// What is shown of this key at that time, for which [`Keyward::now`](keyward::Keyward::now) has
    /// the service's own clock.
    #[must_use]
    pub fn new(key: &KeySnapshot, now: SystemTime) -> Self {
        let record = &key.record;
        let status = record.status(now);
        let stands = |state: &SubjectState| state.entitled && !state.suspended;
        let is_good = matches!(status, KeyStatus::Active | KeyStatus::Retiring);
        Self {
            id: record.id.to_string(),
            name: record.name.clone(),
            description: record.description.clone(),
            prefix: record.hint.clone(),
            owner: record.owner.as_ref().map(OwnerView::new),
            environment: record.environment.clone(),
            tags: record.tags.clone(),
            scopes: record.scopes.iter().map(Scope::to_string).collect(),
            limits: record.limits.iter().map(LimitView::new).collect(),
            networks: record.networks.iter().map(ToString::to_string).collect(),
            role: record.role.clone(),
            last_used_at: key.last_used_at.map(spelled),
            expires_at: record.expires_at.map(spelled),
            is_active: is_good && stands(&key.tenant) && stands(&key.owner),
            status: status.as_str(),
            created_at: spelled(record.created_at),
            created_by: record.created_by.clone(),
            suspended_at: record.suspended_at.map(spelled),
            revoked_at: record.revoked_at.map(spelled),
            rotated_from: record.rotated_from.as_ref().map(ToString::to_string),
            replaced_by: record.successor.as_ref().map(|successor| SuccessorView {
                id: successor.key.to_string(),
                since: spelled(successor.since),
                until: spelled(successor.until),
            }),
            // What others wrote into the table may not be JSON.
            metadata: record
                .metadata
                .as_deref()
                .and_then(|text| serde_json::from_str(text).ok()),
        }
    }
}

impl OwnerView {
    fn new(owner: &Owner) -> Self {
        Self {
            kind: owner.kind().to_owned(),
            id: owner.id().to_owned(),
        }
    }
}

impl LimitView {
    fn new(limit: &Limit) -> Self {
        Self {
            requests: limit.requests(),
            per_seconds: match limit.per() {
                // As it was sent, and not 60.0.
                per if per.subsec_nanos() == 0 => per.as_secs().into(),
                // It is finite.
                per => Number::from_f64(per.as_secs_f64()).unwrap_or_else(|| 0.into()),
            },
        }
    }
}
