use std::io;
use std::time::{Duration, SystemTime};

use clap::Args;
use ipnet::IpNet;
use keyward::{Issued, KeySnapshot, Limit, NewKey, Owner, Scope};
use serde_json::Value;

use super::which::owner;
use crate::failure::Failure;
use crate::key;
use crate::options::Options;
use crate::out::Out;
use crate::service::{Service, with};
use crate::time::{duration, moment};

#[derive(Args, Debug)]
#[command(after_help = "Example:
  keyward issue ci --tenant acme-inc --scope orders:read --expires-in 90d | vault kv put secret/ci key=-")]
pub(crate) struct Issue {
    /// What it is called
    name: String,
    /// Whom it belongs to
    #[arg(long)]
    tenant: String,
    /// Who in the tenant it belongs to, as kind:id
    #[arg(long, value_parser = owner, value_name = "KIND:ID")]
    owner: Option<Owner>,
    /// What it may do; without any it can do nothing
    #[arg(long = "scope", value_name = "SCOPE", value_delimiter = ',')]
    scopes: Vec<Scope>,
    /// When it ends, from now on
    #[arg(long, value_parser = duration, value_name = "90d", conflicts_with = "expires_at")]
    expires_in: Option<Duration>,
    /// When it ends
    #[arg(long, value_parser = moment, value_name = "2027-01-01T00:00:00Z")]
    expires_at: Option<SystemTime>,
    /// It has the format with this prefix, and not the first one
    #[arg(long)]
    prefix: Option<String>,
    /// Which of the tenant's environments it is for
    #[arg(long)]
    environment: Option<String>,
    /// What it is grouped by
    #[arg(long = "tag", value_name = "TAG", value_delimiter = ',')]
    tags: Vec<String>,
    /// What it is for
    #[arg(long)]
    description: Option<String>,
    /// The role it is issued under
    #[arg(long)]
    role: Option<String>,
    /// How often it may be used
    #[arg(long = "limit", value_parser = limit, value_name = "100/1m")]
    limits: Vec<Limit>,
    /// A network it may be used from
    #[arg(long = "network", value_name = "10.0.0.0/8")]
    networks: Vec<IpNet>,
    /// The host's own data
    #[arg(long, value_parser = json, value_name = "JSON")]
    metadata: Option<Value>,
    /// Of all requests with this token in a day, one issues a key
    #[arg(long, value_name = "TOKEN")]
    idempotency_token: Option<String>,
}

impl Issue {
    pub(super) async fn run(self, options: &Options, out: &mut Out) -> Result<(), Failure> {
        options.some_formats()?;
        with(options, &[], async |service| {
            let issued = service.acting().issue(self.key()).await?;
            hand_over(service, issued, out).await
        })
        .await
    }

    fn key(self) -> NewKey {
        let mut key = NewKey::named(self.name)
            .tenant(self.tenant)
            .scopes(self.scopes)
            .tags(self.tags)
            .limits(self.limits)
            .networks(self.networks);
        if let Some(owner) = self.owner {
            key = key.owner(owner);
        }
        if let Some(after) = self.expires_in {
            key = key.expires_in(after);
        }
        if let Some(at) = self.expires_at {
            key = key.expires_at(at);
        }
        if let Some(prefix) = self.prefix {
            key = key.format(prefix);
        }
        if let Some(environment) = self.environment {
            key = key.environment(environment);
        }
        if let Some(description) = self.description {
            key = key.description(description);
        }
        if let Some(role) = self.role {
            key = key.role(role);
        }
        if let Some(metadata) = self.metadata {
            key = key.metadata(metadata);
        }
        if let Some(token) = self.idempotency_token {
            key = key.idempotency_token(token);
        }
        key
    }
}

/// Where it cannot be printed, nobody has it, and it is revoked.
async fn hand_over(service: &Service, issued: Issued, out: &mut Out) -> Result<(), Failure> {
    let id = issued.key.id.clone();
    let Err(error) = print(issued, out) else {
        return Ok(());
    };
    let lost = format!("the key could not be written ({})", error.kind());
    if let Err(error) = service.acting().revoke(&id).only().await {
        out.note(&format!("{lost}, and to revoke {id} failed too"));
        return Err(error.into());
    }
    Err(Failure::Some(format!("{lost}, and so {id} was revoked")))
}

/// Prints a new key, the one time.
pub(super) fn print(issued: Issued, out: &mut Out) -> io::Result<()> {
    let now = SystemTime::now();
    let snapshot = KeySnapshot::from(issued.key);
    let secret = issued.secret;
    if out.json {
        let mut object = key::object(&snapshot, now);
        object["secret"] = secret.expose().into();
        return out.object(&object);
    }
    out.note_table(&[], key::SOFT_DETAILS, key::details(&snapshot, now));
    out.note("\nThe key is printed this one time:");
    out.line(secret.expose())
}

fn limit(text: &str) -> Result<Limit, String> {
    let parts = text.split_once('/');
    let parts = parts.and_then(|(requests, per)| {
        let per = match per {
            "s" | "m" | "h" | "d" => format!("1{per}"),
            per => per.to_owned(),
        };
        Limit::new(requests.parse().ok()?, duration(&per).ok()?)
    });
    parts.ok_or_else(|| "a limit is written like 100/1m: so many requests in so long".to_owned())
}

fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|_| "that is not JSON".to_owned())
}

/// The limit of a line of an import.
pub(super) fn limit_of(text: &str) -> Option<Limit> {
    limit(text).ok()
}
