//! From a row of the database to a record.

use std::time::Duration;

use ipnet::IpNet;
use keyward_store::{
    Digest, ForeignHash, KeyHash, KeyId, KeyRecord, KeySnapshot, Limit, Owner, PepperId, PublicId,
    Scopes, SubjectState, Successor,
};
use sqlx::Row;
use sqlx::postgres::PgRow;

use crate::error::Failure;
use crate::time::Timestamp;

/// The columns of a [`KeySnapshot`], in the order in which [`Columns::snapshot`] reads them.
macro_rules! snapshot_columns {
    () => {
        "k.id, k.tenant, k.owner_kind, k.owner_id, k.name, k.description, k.environment, k.prefix, \
         k.public_id, k.hint, k.hash, k.pepper, k.digest, k.scopes, k.role, k.created_at, \
         k.created_by, k.expires_at, k.revoked_at, k.suspended_at, k.rotated_from, k.metadata, \
         k.revision, k.tags, k.lookup, k.limits, k.networks::text[], k.successor, k.rotated_at, k.retires_at, \
         k.lineage, t.suspended, t.entitled, t.role, t.ceiling, t.revision, o.suspended, \
         o.entitled, o.role, o.ceiling, o.revision, u.at"
    };
}

/// What stands around a key `k`.
macro_rules! snapshot_joins {
    () => {
        " LEFT JOIN keyward.tenants t ON t.id = k.tenant \
          LEFT JOIN keyward.owners o ON o.kind = k.owner_kind AND o.id = k.owner_id \
          LEFT JOIN keyward.last_used u ON u.key = k.id"
    };
}

pub(crate) use {snapshot_columns, snapshot_joins};

/// Reads the columns of a row one after the other.
pub(crate) struct Columns<'r> {
    row: &'r PgRow,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) const fn new(row: &'r PgRow) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) const fn skip(&mut self, columns: usize) {
        self.next += columns;
    }

    pub(crate) fn next<T>(&mut self) -> Result<T, Failure>
    where
        T: sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
    {
        let place = self.next;
        self.next += 1;
        Ok(self.row.try_get(place)?)
    }

    pub(crate) fn number(&mut self) -> Result<u64, Failure> {
        let number: i64 = self.next()?;
        u64::try_from(number).map_err(|_| Failure::Nonsense("a number below zero"))
    }

    fn key_id(&mut self) -> Result<Option<KeyId>, Failure> {
        let id: Option<&str> = self.next()?;
        id.map(key_id).transpose()
    }

    pub(crate) fn time(&mut self) -> Result<Option<std::time::SystemTime>, Failure> {
        let time: Option<Timestamp> = self.next()?;
        Ok(time.map(|time| time.0))
    }

    /// `None` where there is no key in the row.
    pub(crate) fn snapshot(&mut self) -> Result<Option<KeySnapshot>, Failure> {
        let Some(id) = self.next::<Option<&str>>()? else {
            return Ok(None);
        };
        let record = self.record(id)?;
        let tenant = self.standing()?;
        let owner = self.standing()?;
        let mut snapshot = KeySnapshot::from(record);
        snapshot.tenant = tenant;
        snapshot.owner = owner;
        snapshot.last_used_at = self.time()?;
        Ok(Some(snapshot))
    }

    fn record(&mut self, id: &str) -> Result<KeyRecord, Failure> {
        let id = key_id(id)?;
        let tenant: String = self.next()?;
        let owner = owner(self.next()?, self.next()?)?;
        let (name, description, environment) = (self.next()?, self.next()?, self.next()?);
        let prefix = self.next()?;
        let public_id = self.next::<Option<&str>>()?.map(PublicId::new);
        let hint = self.next()?;
        let hash = hash(self.next()?, self.next()?, self.next()?)?;

        let mut record = KeyRecord::new(id, tenant, hash);
        record.owner = owner;
        record.name = name;
        record.description = description;
        record.environment = environment;
        record.prefix = prefix;
        record.public_id = match public_id {
            Some(None) => return Err(Failure::Nonsense("a public id")),
            id => id.flatten(),
        };
        record.hint = hint;
        record.scopes = scopes(&self.next::<Vec<String>>()?);
        record.role = self.next()?;
        record.created_at = self.next::<Timestamp>()?.0;
        record.created_by = self.next()?;
        record.expires_at = self.time()?;
        record.revoked_at = self.time()?;
        record.suspended_at = self.time()?;
        record.rotated_from = self.key_id()?;
        record.metadata = self.next()?;
        record.revision = self.number()?;
        record.tags = self.next()?;
        record.lookup = self.next()?;
        record.limits = limits(&self.next::<Vec<String>>()?)?;
        record.networks = networks(&self.next::<Vec<String>>()?)?;
        record.successor = self.successor()?;
        record.lineage = self.key_id()?;
        Ok(record)
    }

    fn successor(&mut self) -> Result<Option<Successor>, Failure> {
        match (self.key_id()?, self.time()?, self.time()?) {
            (None, None, None) => Ok(None),
            (Some(key), Some(since), Some(until)) => Ok(Some(Successor { key, since, until })),
            _ => Err(Failure::Nonsense("half a successor")),
        }
    }

    /// Good standing where there is no row.
    pub(crate) fn standing(&mut self) -> Result<SubjectState, Failure> {
        let suspended: Option<bool> = self.next()?;
        let entitled: Option<bool> = self.next()?;
        let role: Option<String> = self.next()?;
        let ceiling: Option<Vec<String>> = self.next()?;
        let revision: Option<i64> = self.next()?;
        let mut state = SubjectState::default();
        let Some(revision) = revision else {
            return Ok(state);
        };
        let nonsense = || Failure::Nonsense("a standing");
        state.suspended = suspended.ok_or_else(nonsense)?;
        state.entitled = entitled.ok_or_else(nonsense)?;
        state.role = role;
        state.ceiling = ceiling.as_deref().map(scopes);
        state.revision = u64::try_from(revision).map_err(|_| nonsense())?;
        Ok(state)
    }
}

fn scopes(texts: &[String]) -> Scopes {
    Scopes::from_stored(texts.iter().map(String::as_str))
}

pub(crate) fn owner(kind: Option<String>, id: Option<String>) -> Result<Option<Owner>, Failure> {
    match (kind, id) {
        (None, None) => Ok(None),
        (Some(kind), Some(id)) => Ok(Some(Owner::new(kind, id))),
        _ => Err(Failure::Nonsense("half an owner")),
    }
}

fn hash(kind: &str, pepper: &str, digest: &[u8]) -> Result<KeyHash, Failure> {
    let whole = || {
        let digest = <[u8; 32]>::try_from(digest).map(Digest::from_bytes);
        digest.map_err(|_| Failure::Nonsense("a digest that has not 32 bytes"))
    };
    match kind {
        SHA256 => Ok(KeyHash::Sha256(whole()?)),
        HMAC_SHA256 => Ok(KeyHash::HmacSha256 {
            pepper: PepperId::new(pepper),
            mac: whole()?,
        }),
        FOREIGN => {
            let text = std::str::from_utf8(digest);
            // The error tells where it breaks off, which is nobody's business.
            let text = text.map_err(|_| Failure::Nonsense("a foreign hash that is no text"))?;
            Ok(KeyHash::Foreign(ForeignHash::new(pepper, text)))
        }
        _ => Err(Failure::Nonsense("an unknown kind of hash")),
    }
}

/// All of them, or none: a key without networks may be used from anywhere.
fn networks(texts: &[String]) -> Result<Vec<IpNet>, Failure> {
    let networks: Result<_, _> = texts.iter().map(|text| text.parse()).collect();
    networks.map_err(|_| Failure::Nonsense("a network"))
}

/// All of them, or none: a key with fewer limits than it was given could do more.
fn limits(texts: &[String]) -> Result<Vec<Limit>, Failure> {
    let limits = texts.iter().map(|text| {
        let (requests, millis) = text.split_once('/')?;
        let per = Duration::from_millis(millis.parse().ok()?);
        Limit::new(requests.parse().ok()?, per)
    });
    let limits: Option<_> = limits.collect();
    limits.ok_or(Failure::Nonsense("a limit"))
}

pub(crate) fn key_id(id: &str) -> Result<KeyId, Failure> {
    KeyId::new(id).map_err(|_| Failure::Nonsense("the id of a key"))
}

pub(crate) const SHA256: &str = "sha256";
pub(crate) const HMAC_SHA256: &str = "hmac-sha256";
pub(crate) const FOREIGN: &str = "foreign";
