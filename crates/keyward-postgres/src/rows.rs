//! From a row of the database to a record.

use keyward_store::{
    Digest, KeyHash, KeyId, KeyRecord, KeySnapshot, Owner, PepperId, PublicId, Scopes, SubjectState,
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
         k.revision, t.suspended, t.entitled, t.ceiling, t.revision, o.suspended, o.entitled, \
         o.ceiling, o.revision, u.at"
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
        let id = KeyId::new(id).map_err(|_| Failure::Nonsense("the id of a key"))?;
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
        record.rotated_from = match self.next::<Option<&str>>()? {
            None => None,
            Some(id) => Some(KeyId::new(id).map_err(|_| Failure::Nonsense("the id of a key"))?),
        };
        record.metadata = self.next()?;
        record.revision = self.number()?;
        Ok(record)
    }

    /// Good standing where there is no row.
    pub(crate) fn standing(&mut self) -> Result<SubjectState, Failure> {
        let suspended: Option<bool> = self.next()?;
        let entitled: Option<bool> = self.next()?;
        let ceiling: Option<Vec<String>> = self.next()?;
        let revision: Option<i64> = self.next()?;
        let mut state = SubjectState::default();
        let Some(revision) = revision else {
            return Ok(state);
        };
        let nonsense = || Failure::Nonsense("a standing");
        state.suspended = suspended.ok_or_else(nonsense)?;
        state.entitled = entitled.ok_or_else(nonsense)?;
        state.ceiling = ceiling.as_deref().map(scopes);
        state.revision = u64::try_from(revision).map_err(|_| nonsense())?;
        Ok(state)
    }
}

fn scopes(texts: &[String]) -> Scopes {
    Scopes::from_stored(texts.iter().map(String::as_str))
}

fn owner(kind: Option<String>, id: Option<String>) -> Result<Option<Owner>, Failure> {
    match (kind, id) {
        (None, None) => Ok(None),
        (Some(kind), Some(id)) => Ok(Some(Owner::new(kind, id))),
        _ => Err(Failure::Nonsense("half an owner")),
    }
}

fn hash(kind: &str, pepper: &str, digest: &[u8]) -> Result<KeyHash, Failure> {
    let digest = <[u8; 32]>::try_from(digest)
        .map(Digest::from_bytes)
        .map_err(|_| Failure::Nonsense("a digest that has not 32 bytes"))?;
    match kind {
        SHA256 => Ok(KeyHash::Sha256(digest)),
        HMAC_SHA256 => Ok(KeyHash::HmacSha256 {
            pepper: PepperId::new(pepper),
            mac: digest,
        }),
        _ => Err(Failure::Nonsense("an unknown kind of hash")),
    }
}

pub(crate) const SHA256: &str = "sha256";
pub(crate) const HMAC_SHA256: &str = "hmac-sha256";
