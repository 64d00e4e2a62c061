use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use ipnet::IpNet;
use keyward::{KeyUpdate, LifecycleError, Limit, Scopes};
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::{Asker, Desk, Named};
use crate::body::Body;
use crate::fields::Fields;
use crate::params::NoParams;
use crate::problem::Problem;
use crate::view::{KeyView, LimitView};

/// What shall become of a key. What is not said stays.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct ApiKeyUpdate {
    /// What its owner calls it, in 1 to 100 visible characters.
    #[schema(nullable = false, min_length = 1, max_length = 100)]
    name: Option<String>,
    /// What it is for; null for nothing in particular.
    #[schema(value_type = Option<String>, max_length = 1000)]
    description: Option<Option<String>>,
    /// All that it may do.
    #[schema(nullable = false, value_type = Option<Vec<String>>, max_items = 64)]
    scopes: Option<Scopes>,
    /// The instant from which it is refused; null for never.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Option<SystemTime>>,
    /// How many seconds it is good for from now on, in place of that.
    #[schema(nullable = false, value_type = Option<u64>)]
    expires_in: Option<Duration>,
    /// All that it is grouped by.
    #[schema(nullable = false, max_items = 32)]
    tags: Option<Vec<String>>,
    /// How often it may be used: all of these hold.
    #[schema(nullable = false, value_type = Option<Vec<LimitView>>, max_items = 8)]
    limits: Option<Vec<Limit>>,
    /// All networks that it may be used from; none is from anywhere.
    #[schema(nullable = false, value_type = Option<Vec<String>>, max_items = 64)]
    networks: Option<Vec<IpNet>>,
    /// Data of yours; null for none.
    #[schema(value_type = Option<Object>)]
    metadata: Option<Option<Value>>,
}

/// Change a key
#[utoipa::path(
    patch,
    path = "/api-keys/{id}",
    operation_id = "updateApiKey",
    tag = "API keys",
    params(("id" = String, Path, description = "The key's name")),
    request_body = ApiKeyUpdate,
    responses(
        (status = 200, description = "The key as it is now", body = KeyView),
        (status = 409, description = "It is revoked, retired or expired", body = Problem,
            content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn change(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    Named(id): Named,
    _: NoParams,
    Body(fields): Body,
) -> Result<Json<KeyView>, Problem> {
    let update = ApiKeyUpdate::read(fields)?;
    let in_seconds = update.expires_in.is_some();
    let acting = desk.keys.acting_as(&actor);
    // What stands around the record is read first: once it is changed, nothing may say that it was not.
    let before = match acting.get(&id).await {
        Err(error @ LifecycleError::Store(_)) => return Err(error.into()),
        // What may not be asked, or is not there, is refused below, where the audit log hears of it.
        other => other.ok().flatten(),
    };
    let changed = acting.update(&id, update.into_update()).await;
    let record = changed.map_err(|error| {
        let problem = Problem::from(error);
        match in_seconds {
            true => problem.about("expiresAt", "expiresIn"),
            false => problem,
        }
    })?;
    let mut now = before.unwrap_or_else(|| record.clone().into());
    now.record = record;
    Ok(Json(KeyView::new(&now, desk.keys.now())))
}

impl ApiKeyUpdate {
    fn read(mut fields: Fields) -> Result<Self, Problem> {
        let update = Self {
            name: fields.text("name"),
            description: fields.or_null("description", Fields::text),
            scopes: fields.scopes("scopes"),
            expires_at: fields.or_null("expiresAt", Fields::time),
            expires_in: fields.seconds("expiresIn"),
            tags: fields.texts("tags"),
            limits: fields.limits("limits"),
            networks: fields.networks("networks"),
            metadata: fields.or_null("metadata", Fields::object),
        };
        if update.expires_at.is_some() && update.expires_in.is_some() {
            fields.refuse("expiresIn", "says the same as expiresAt: send one of them");
        }
        fields.finish().map(|()| update)
    }

    fn into_update(self) -> KeyUpdate {
        let mut update = KeyUpdate::new();
        if let Some(name) = self.name {
            update = update.name(name);
        }
        if let Some(description) = self.description {
            update = update.description(description);
        }
        if let Some(scopes) = self.scopes {
            update = update.scopes(scopes.iter().cloned());
        }
        if let Some(at) = self.expires_at {
            update = update.expires_at(at);
        }
        if let Some(after) = self.expires_in {
            update = update.expires_in(after);
        }
        if let Some(tags) = self.tags {
            update = update.tags(tags);
        }
        if let Some(limits) = self.limits {
            update = update.limits(limits);
        }
        if let Some(networks) = self.networks {
            update = update.networks(networks);
        }
        if let Some(metadata) = self.metadata {
            update = update.metadata(metadata);
        }
        update
    }
}
