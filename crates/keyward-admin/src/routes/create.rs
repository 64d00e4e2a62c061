use std::time::{Duration, SystemTime};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use ipnet::IpNet;
use keyward::{Issued, Limit, NewKey, Scopes};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::admin::{Asker, Desk};
use crate::body::Body;
use crate::fields::Fields;
use crate::params::NoParams;
use crate::problem::{FieldError, Problem};
use crate::time::spelled;
use crate::view::LimitView;

/// A key to be issued.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
struct NewApiKey {
    /// What its owner calls it, in 1 to 100 visible characters.
    #[schema(min_length = 1, max_length = 100)]
    name: String,
    /// What it is for.
    #[schema(nullable = false, max_length = 1000)]
    description: Option<String>,
    /// What it may do, of what its maker may give. Without a choice that follows from the service's rule.
    #[schema(nullable = false, value_type = Option<Vec<String>>, max_items = 64)]
    scopes: Option<Scopes>,
    /// Whether it may do no more than read, in place of a choice of scopes.
    #[schema(nullable = false)]
    read_only: Option<bool>,
    /// The instant from which it is refused.
    #[schema(nullable = false, value_type = Option<String>, format = DateTime)]
    expires_at: Option<SystemTime>,
    /// How many seconds it is good for, in place of that.
    #[schema(nullable = false, value_type = Option<u64>)]
    expires_in: Option<Duration>,
    /// Which of the tenant's environments it is for.
    #[schema(nullable = false)]
    environment: Option<String>,
    /// What it is grouped by.
    #[schema(nullable = false, max_items = 32)]
    tags: Option<Vec<String>>,
    /// How often it may be used: all of these hold.
    #[schema(nullable = false, value_type = Option<Vec<LimitView>>, max_items = 8)]
    limits: Option<Vec<Limit>>,
    /// The networks that it may be used from; none is from anywhere.
    #[schema(nullable = false, value_type = Option<Vec<String>>, max_items = 64)]
    networks: Option<Vec<IpNet>>,
    /// Data of yours.
    #[schema(nullable = false, value_type = Option<Object>)]
    metadata: Option<Value>,
}

/// A key that has just been issued. The key itself is told here and never again.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct IssuedApiKey<'a> {
    /// Its name in this API.
    id: &'a str,
    /// What its owner calls it.
    name: &'a str,
    /// As much of the key as may be shown to tell it from others.
    prefix: &'a str,
    /// The whole key.
    key: &'a str,
    /// The instant from which it is refused.
    #[schema(required = true, format = DateTime)]
    expires_at: Option<String>,
    /// When it was issued.
    #[schema(format = DateTime)]
    created_at: String,
}

/// Issue a key
#[utoipa::path(
    post,
    path = "/api-keys",
    operation_id = "createApiKey",
    tag = "API keys",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255,
        description = "Of all requests of one maker with the same token in 24 hours, one issues a key.")),
    request_body = NewApiKey,
    responses(
        (status = 201, description = "The key, which is told here and never again", body = IssuedApiKey<'static>),
        (status = 409, description = "There are as many keys as there may be, or this one has been issued \
            already", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(crate) async fn create(
    Asker(actor): Asker,
    State(desk): State<Desk>,
    _: NoParams,
    headers: HeaderMap,
    Body(fields): Body,
) -> Result<Response, Problem> {
    let token = idempotency_token(&headers)?;
    let new = NewApiKey::read(fields, &desk)?;
    let in_seconds = new.expires_in.is_some();
    let mut key = new.into_key(&desk);
    if let Some(token) = token {
        key = key.idempotency_token(token);
    }
    let issued = desk.keys.acting_as(&actor).issue(key).await;
    let issued = issued.map_err(|error| {
        let problem = Problem::from(error);
        match in_seconds {
            true => problem.about("expiresAt", "expiresIn"),
            false => problem,
        }
    })?;
    Ok(told_once(&issued))
}

/// The one answer that holds a key.
pub(super) fn told_once(issued: &Issued) -> Response {
    let record = &issued.key;
    let told = IssuedApiKey {
        id: record.id.as_str(),
        name: &record.name,
        prefix: &record.hint,
        key: issued.secret.expose(),
        expires_at: record.expires_at.map(spelled),
        created_at: spelled(record.created_at),
    };
    (StatusCode::CREATED, Json(told)).into_response()
}

impl NewApiKey {
    fn read(mut fields: Fields, desk: &Desk) -> Result<Self, Problem> {
        let new = Self {
            name: fields.required_text("name").unwrap_or_default(),
            description: fields.text("description"),
            scopes: fields.scopes("scopes"),
            read_only: fields.flag("readOnly"),
            expires_at: fields.time("expiresAt"),
            expires_in: fields.seconds("expiresIn"),
            environment: fields.text("environment"),
            tags: fields.texts("tags"),
            limits: fields.limits("limits"),
            networks: fields.networks("networks"),
            metadata: fields.object("metadata"),
        };
        if new.expires_at.is_some() && new.expires_in.is_some() {
            fields.refuse("expiresIn", "says the same as expiresAt: send one of them");
        }
        if new.read_only == Some(true) {
            if desk.read_only.is_none() {
                fields.refuse("readOnly", "cannot be asked for here");
            }
            if new.scopes.is_some() {
                fields.refuse("readOnly", "says the same as scopes: send one of them");
            }
        }
        if let Some(environment) = &new.environment
            && !desk.environments.is_empty()
            && desk.format_of(environment).is_none()
        {
            fields.refuse("environment", "is none of this service");
        }
        fields.finish().map(|()| new)
    }

    fn into_key(self, desk: &Desk) -> NewKey {
        let mut key = NewKey::named(self.name);
        if let Some(description) = self.description {
            key = key.description(description);
        }
        if let Some(scopes) = self.scopes {
            key = key.scopes(scopes.iter().cloned());
        }
        if let Some(most) = &desk.read_only
            && self.read_only == Some(true)
        {
            key = key.narrowed_to(most.iter().cloned());
        }
        if let Some(at) = self.expires_at {
            key = key.expires_at(at);
        }
        if let Some(after) = self.expires_in {
            key = key.expires_in(after);
        }
        if let Some(environment) = self.environment {
            if let Some(format) = desk.format_of(&environment) {
                key = key.format(format);
            }
            key = key.environment(environment);
        }
        if let Some(tags) = self.tags {
            key = key.tags(tags);
        }
        if let Some(limits) = self.limits {
            key = key.limits(limits);
        }
        if let Some(networks) = self.networks {
            key = key.networks(networks);
        }
        if let Some(metadata) = self.metadata {
            key = key.metadata(metadata);
        }
        key
    }
}

impl Desk {
    /// The prefix of the format of keys for that environment.
    fn format_of(&self, environment: &str) -> Option<&str> {
        let mut all = self.environments.iter();
        let found = all.find(|(name, _)| name == environment);
        found.map(|(_, format)| format.as_str())
    }
}

/// The token that makes one of many equal requests the only one. Quotes around it, as a structured field
/// has them, are no part of it.
fn idempotency_token(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let mut all = headers.get_all("idempotency-key").iter();
    let (first, second) = (all.next(), all.next());
    let Some(value) = first else {
        return Ok(None);
    };
    let token = value.to_str().ok().filter(|_| second.is_none());
    let token = token.map(|token| {
        let inner = token.strip_prefix('"').and_then(|it| it.strip_suffix('"'));
        inner.unwrap_or(token)
    });
    let token = token.filter(|token| (1..=255).contains(&token.len()));
    let bad = || FieldError::new("Idempotency-Key", "is not one text of 1 to 255 characters");
    token
        .map(Some)
        .ok_or_else(|| Problem::bad_parameters(vec![bad()]))
}
