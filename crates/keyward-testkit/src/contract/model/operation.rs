//! What is tried.

use std::time::{Duration, SystemTime};

use ipnet::IpNet;
use keyward_core::{KeyUpdate, NewKey};
use keyward_store::{AuditQuery, KeyFilter, KeyId, Limit, Scope, Scopes, Subject};

use super::cast::{Who, owner};

/// Something that someone does, or would do.
#[derive(Clone, Debug)]
pub(super) enum Operation {
    Issue(Who, Wanted),
    Get(Who, KeyId),
    /// So many keys on a page.
    List(Who, KeyFilter, usize),
    Count(Who, KeyFilter),
    Update(Who, KeyId, Edit),
    Rotate(Who, KeyId, Duration),
    Undo(Who, KeyId),
    /// Both halves of a rotation, or only this one.
    Revoke(Who, KeyId, Halves),
    Suspend(Who, KeyId),
    Resume(Who, KeyId),
    RevokeAll(Who, KeyFilter, Run),
    Purge(Who, Duration),
    Standing(Subject, Option<&'static str>, Turn),
    Audit(Who, AuditQuery),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Halves {
    Both,
    Only,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    Dry,
    Real,
}

/// What becomes of a standing.
#[derive(Clone, Debug)]
pub(super) enum Turn {
    Suspended(bool),
    Entitled(bool),
    Ceiling(Option<Vec<Scope>>),
    Role(Option<&'static str>),
}

/// When a key shall end.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    At(SystemTime),
    In(Duration),
}

/// A key that someone wants.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    pub(super) name: &'static str,
    pub(super) prefix: Option<&'static str>,
    pub(super) tenant: Option<&'static str>,
    pub(super) owner: Option<&'static str>,
    pub(super) environment: Option<&'static str>,
    pub(super) tags: Vec<&'static str>,
    pub(super) scopes: Option<Vec<Scope>>,
    pub(super) limits: Option<Vec<Limit>>,
    pub(super) networks: Option<Vec<IpNet>>,
    pub(super) role: Option<&'static str>,
    pub(super) created_by: Option<&'static str>,
    pub(super) end: Option<End>,
    pub(super) token: Option<&'static str>,
}

impl Wanted {
    pub(super) fn new_key(&self) -> NewKey {
        let mut new = NewKey::named(self.name).tags(self.tags.iter().copied());
        if let Some(prefix) = self.prefix {
            new = new.format(prefix);
        }
        if let Some(tenant) = self.tenant {
            new = new.tenant(tenant);
        }
        if let Some(id) = self.owner {
            new = new.owner(owner(id));
        }
        if let Some(environment) = self.environment {
            new = new.environment(environment);
        }
        if let Some(scopes) = &self.scopes {
            new = new.scopes(scopes.iter().cloned());
        }
        if let Some(limits) = &self.limits {
            new = new.limits(limits.iter().copied());
        }
        if let Some(networks) = &self.networks {
            new = new.networks(networks.iter().copied());
        }
        if let Some(role) = self.role {
            new = new.role(role);
        }
        if let Some(name) = self.created_by {
            new = new.created_by(name);
        }
        if let Some(token) = self.token {
            new = new.idempotency_token(token);
        }
        match self.end {
            None => new,
            Some(End::At(at)) => new.expires_at(at),
            Some(End::In(time)) => new.expires_in(time),
        }
    }
}

/// What shall become of a key; the outer `None` is what stays.
#[derive(Clone, Debug, Default)]
pub(super) struct Edit {
    pub(super) name: Option<&'static str>,
    pub(super) description: Option<Option<&'static str>>,
    pub(super) tags: Option<Vec<&'static str>>,
    /// The number in the metadata.
    pub(super) metadata: Option<Option<usize>>,
    pub(super) end: Option<Option<End>>,
    pub(super) limits: Option<Vec<Limit>>,
    pub(super) networks: Option<Vec<IpNet>>,
    pub(super) scopes: Option<Vec<Scope>>,
}

impl Edit {
    pub(super) fn key_update(&self) -> KeyUpdate {
        let mut update = KeyUpdate::new();
        if let Some(name) = self.name {
            update = update.name(name);
        }
        if let Some(description) = self.description {
            update = update.description(description.map(str::to_owned));
        }
        if let Some(tags) = &self.tags {
            update = update.tags(tags.iter().copied());
        }
        if let Some(number) = self.metadata {
            update = update.metadata(number.map(metadata));
        }
        if let Some(limits) = &self.limits {
            update = update.limits(limits.iter().copied());
        }
        if let Some(networks) = &self.networks {
            update = update.networks(networks.iter().copied());
        }
        if let Some(scopes) = &self.scopes {
            update = update.scopes(scopes.iter().cloned());
        }
        match self.end {
            None => update,
            Some(None) => update.expires_at(None),
            Some(Some(End::At(at))) => update.expires_at(Some(at)),
            Some(Some(End::In(time))) => update.expires_in(time),
        }
    }
}

pub(super) fn metadata(number: usize) -> serde_json::Value {
    serde_json::json!({ "number": number })
}

impl Operation {
    /// Who does it; `None` for what the host says of standings.
    pub(super) const fn who(&self) -> Option<&Who> {
        match self {
            Self::Issue(who, _)
            | Self::Get(who, _)
            | Self::List(who, ..)
            | Self::Count(who, _)
            | Self::Update(who, ..)
            | Self::Rotate(who, ..)
            | Self::Undo(who, _)
            | Self::Revoke(who, ..)
            | Self::Suspend(who, _)
            | Self::Resume(who, _)
            | Self::RevokeAll(who, ..)
            | Self::Purge(who, _)
            | Self::Audit(who, _) => Some(who),
            Self::Standing(..) => None,
        }
    }

    /// Which key it names.
    pub(super) const fn key(&self) -> Option<&KeyId> {
        match self {
            Self::Get(_, key)
            | Self::Update(_, key, _)
            | Self::Rotate(_, key, _)
            | Self::Undo(_, key)
            | Self::Revoke(_, key, _)
            | Self::Suspend(_, key)
            | Self::Resume(_, key) => Some(key),
            _ => None,
        }
    }

    /// Whether it would change something.
    pub(super) const fn changes(&self) -> bool {
        !matches!(
            self,
            Self::Get(..)
                | Self::List(..)
                | Self::Count(..)
                | Self::Audit(..)
                | Self::RevokeAll(_, _, Run::Dry)
        )
    }

    /// The longest that something which it makes takes to end, where that is soon.
    pub(super) fn ends_soon(&self) -> Option<Duration> {
        let time = match self {
            Self::Issue(_, wanted) => match wanted.end? {
                End::In(time) => time,
                End::At(_) => return None,
            },
            Self::Update(_, _, edit) => match edit.end?? {
                End::In(time) => time,
                End::At(_) => return None,
            },
            Self::Rotate(_, _, overlap) => *overlap,
            _ => return None,
        };
        (Duration::ZERO < time && time < Duration::from_secs(1)).then_some(time)
    }
}

pub(super) fn scopes(scopes: &[Scope]) -> Scopes {
    scopes.iter().cloned().collect()
}
