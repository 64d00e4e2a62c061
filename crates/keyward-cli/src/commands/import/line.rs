use std::time::SystemTime;

use ipnet::IpNet;
use keyward::{Kept, KeyId, Limit, NewKey, Owner, PublicId, Scope};
use keyward_import::{
    BetterAuthRow, DrfApiKeyRow, ForeignKey, PrefixedApiKeyRow, RowError, SanctumRow, Sha256Keys,
    Sha512Keys, UnkeyRow, Unreadable,
};
use thiserror::Error;

use super::fields::{FieldError, Fields};
use crate::commands::issue::limit_of;
use crate::foreign_spec::System;

/// Why a key cannot be made of a line.
#[derive(Debug, Error)]
pub(super) enum LineError {
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("the field `hash` cannot be read")]
    Hash(#[source] Unreadable),
    #[error("there is no tenant: the line has none, and there is no --tenant")]
    Tenant,
    #[error("the field `from` names none of the systems of --from")]
    System,
    #[error("a key with such a hash is found by `publicId` and `prefix`, or by its `beginning`")]
    NotFound,
}

/// A key that a line tells of.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) new: NewKey,
    pub(super) kept: Kept,
}

/// What holds for all lines.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) systems: Vec<System>,
    pub(super) tenant: Option<String>,
    pub(super) actor: String,
}

impl Reader {
    pub(super) fn read(&self, line: &[u8]) -> Result<Line, LineError> {
        let mut fields = Fields::of_line(line)?;
        let system = match fields.text("from")? {
            None => self.systems.first(),
            Some(name) => self.systems.iter().find(|system| system.name() == name),
        };
        let system = system.ok_or(LineError::System)?;
        let key = match fields.object("row")? {
            Some(row) => of_row(system, row)?,
            None => of_hash(system, &mut fields)?,
        };
        self.line(fields, key)
    }

    /// What the line says beside the hash, or instead of what the row says.
    fn line(&self, mut all: Fields, key: Found) -> Result<Line, LineError> {
        let fields = &mut all;
        let mut kept = key.kept;
        if let Some(id) = fields.text("id")? {
            let wrong = FieldError::Wrong("id", "1 to 64 visible ASCII characters without a slash");
            kept.id = Some(KeyId::new(&id).map_err(|_| wrong)?);
        }
        if let Some(hint) = fields.text("hint")? {
            kept.hint = hint;
        }
        kept.created_at = fields.time("createdAt")?.or(kept.created_at);
        kept.last_used_at = fields.time("lastUsedAt")?.or(kept.last_used_at);
        kept.suspended |= fields.flag("suspended")?.unwrap_or_default();
        kept.revoked |= fields.flag("revoked")?.unwrap_or_default();
        let name = fields.text("name")?.or(key.name);
        let tenant = fields.text("tenant")?.or_else(|| self.tenant.clone());
        let scopes = each(fields, "scopes", "a list of scopes", |text| {
            Scope::new(text).ok()
        })?;
        let mut new = NewKey::named(name.unwrap_or_else(|| UNNAMED.to_owned()))
            .scopes(scopes.unwrap_or(key.scopes))
            .tags(fields.texts("tags")?.unwrap_or_default())
            .created_by(&*self.actor);
        if let Some(owner) = owner(fields)? {
            new = new.owner(owner);
        }
        if let Some(environment) = fields.text("environment")? {
            new = new.environment(environment);
        }
        if let Some(description) = fields.text("description")? {
            new = new.description(description);
        }
        if let Some(role) = fields.text("role")? {
            new = new.role(role);
        }
        if let Some(metadata) = fields.value("metadata") {
            new = new.metadata(metadata);
        }
        let limits: Option<Vec<Limit>> = each(fields, "limits", "a list like 100/1m", limit_of)?;
        new = new.limits(limits.unwrap_or_default());
        let network = |text: &str| text.parse::<IpNet>().ok();
        let networks = each(fields, "networks", "a list like 10.0.0.0/8", network)?;
        new = new.networks(networks.unwrap_or_default());
        if let Some(at) = fields.time("expiresAt")?.or(key.expires_at) {
            new = new.expires_at(at);
        }
        // Before it: what is missing may be what is misspelt.
        all.end()?;
        let new = new.tenant(tenant.ok_or(LineError::Tenant)?);
        Ok(Line { new, kept })
    }
}

const UNNAMED: &str = "imported";

/// What was found of a key, whatever it was found in.
struct Found {
    kept: Kept,
    name: Option<String>,
    scopes: Vec<Scope>,
    expires_at: Option<SystemTime>,
}

impl From<ForeignKey> for Found {
    fn from(key: ForeignKey) -> Self {
        Self {
            kept: key.kept,
            name: key.name,
            scopes: key.scopes,
            expires_at: key.expires_at,
        }
    }
}

fn each<T>(
    fields: &mut Fields,
    name: &'static str,
    what: &'static str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<Vec<T>>, FieldError> {
    let Some(texts) = fields.texts(name)? else {
        return Ok(None);
    };
    let read = texts.iter().map(|text| read(text));
    let all: Option<Vec<T>> = read.collect();
    all.map(Some).ok_or(FieldError::Wrong(name, what))
}

/// `"user:ada"`, or an object of `kind` and `id`.
fn owner(fields: &mut Fields) -> Result<Option<Owner>, FieldError> {
    const WHAT: &str = "an owner, like user:ada";
    let Some(value) = fields.value("owner") else {
        return Ok(None);
    };
    let part = |name: &str| value.get(name).and_then(|part| part.as_str());
    let parts = match &value {
        serde_json::Value::String(text) => text.split_once(':'),
        _ => part("kind").zip(part("id")),
    };
    let parts = parts.filter(|(kind, id)| !kind.is_empty() && !id.is_empty());
    let (kind, id) = parts.ok_or(FieldError::Wrong("owner", WHAT))?;
    Ok(Some(Owner::new(kind, id)))
}

/// A key of which the line has the hash, and what leads to it.
fn of_hash(system: &System, fields: &mut Fields) -> Result<Found, LineError> {
    let hash = fields.needed("hash")?;
    let beginning = fields.text("beginning")?;
    let mut kept = match (system, &beginning) {
        (System::Sha256(_), None) => Sha256Keys::kept(&hash).map_err(LineError::Hash)?,
        (System::Sha512(_), None) => Sha512Keys::kept(&hash).map_err(LineError::Hash)?,
        (System::Bcrypt(keys), Some(beginning)) => keys.kept(&hash, beginning)?,
        (System::Argon2(keys), Some(beginning)) => keys.kept(&hash, beginning)?,
        (System::Pbkdf2(keys), Some(beginning)) => keys.kept(&hash, beginning)?,
        (System::Bcrypt(keys), None) => keys.kept_by_public_id(&hash).map_err(LineError::Hash)?,
        (System::Argon2(keys), None) => keys.kept_by_public_id(&hash).map_err(LineError::Hash)?,
        (System::Pbkdf2(keys), None) => keys.kept_by_public_id(&hash).map_err(LineError::Hash)?,
        (System::Sha256(_) | System::Sha512(_), Some(_)) => {
            return Err(FieldError::Unknown("beginning".to_owned()).into());
        }
        _ => return Err(FieldError::Missing("row").into()),
    };
    if let Some(prefix) = fields.text("prefix")? {
        kept.prefix = prefix;
    }
    if let Some(id) = fields.text("publicId")? {
        let wrong = FieldError::Wrong("publicId", "1 to 24 letters and digits");
        kept.public_id = Some(PublicId::new(&id).ok_or(wrong)?);
        if kept.hint.is_empty() {
            kept.hint = format!("{}_{id}", kept.prefix);
        }
    }
    let salted = !matches!(system, System::Sha256(_) | System::Sha512(_));
    if salted && beginning.is_none() && kept.public_id.is_none() {
        return Err(LineError::NotFound);
    }
    Ok(Found {
        kept,
        name: None,
        scopes: Vec::new(),
        expires_at: None,
    })
}

/// A key that a row of its system tells of. Columns that mean nothing here are passed over.
fn of_row(system: &System, mut row: Fields) -> Result<Found, LineError> {
    let name = row.text("name")?;
    let name = name.as_deref();
    let key = match system {
        System::BetterAuth(keys) => {
            let (id, key) = (row.needed("id")?, row.needed("key")?);
            let (start, prefix) = (row.text("start")?, row.text("prefix")?);
            let permissions = row.json("permissions");
            let mut fields = BetterAuthRow::new(&id, &key);
            fields.name = name;
            fields.start = start.as_deref();
            fields.prefix = prefix.as_deref();
            fields.enabled = row.flag("enabled")?.unwrap_or(true);
            fields.permissions = permissions.as_deref();
            fields.expires_at = row.time("expiresAt")?;
            fields.created_at = row.time("createdAt")?;
            fields.last_request = row.time("lastRequest")?;
            keys.read(&fields)?
        }
        System::Unkey(keys) => {
            let (id, hash) = (row.needed("id")?, row.needed("hash")?);
            let start = row.text("start")?;
            let mut fields = UnkeyRow::new(&id, &hash);
            fields.name = name;
            fields.start = start.as_deref();
            fields.enabled = row.flag("enabled")?.unwrap_or(true);
            fields.deleted = row.value("deleted_at").is_some();
            fields.expires = row.time("expires")?;
            fields.created_at = row.time("created_at")?;
            fields.last_used_at = row.time("last_used_at")?;
            keys.read(&fields)?
        }
        System::Sanctum(keys) => {
            let (id, token) = (row.needed("id")?, row.needed("token")?);
            let abilities = row.json("abilities");
            let id = id
                .parse()
                .map_err(|_| FieldError::Wrong("id", "a number"))?;
            let mut fields = SanctumRow::new(id, &token);
            fields.name = name;
            fields.abilities = abilities.as_deref();
            fields.expires_at = row.time("expires_at")?;
            fields.created_at = row.time("created_at")?;
            fields.last_used_at = row.time("last_used_at")?;
            keys.read(&fields)?
        }
        System::DrfApiKey(keys) => {
            let (prefix, hash) = (row.needed("prefix")?, row.needed("hashed_key")?);
            let mut fields = DrfApiKeyRow::new(&prefix, &hash);
            fields.name = name;
            fields.revoked = row.flag("revoked")?.unwrap_or_default();
            fields.expiry_date = row.time("expiry_date")?;
            fields.created = row.time("created")?;
            keys.read(&fields)?
        }
        System::PrefixedApiKey(keys) => {
            let (short, hash) = (row.needed("shortToken")?, row.needed("longTokenHash")?);
            let mut fields = PrefixedApiKeyRow::new(&short, &hash);
            fields.name = name;
            fields.expires_at = row.time("expiresAt")?;
            fields.created_at = row.time("createdAt")?;
            fields.last_used_at = row.time("lastUsedAt")?;
            keys.read(&fields)?
        }
        _ => return Err(FieldError::Missing("hash").into()),
    };
    Ok(key.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

    fn reader(systems: &[&str]) -> Reader {
        Reader {
            systems: systems.iter().map(|text| text.parse().unwrap()).collect(),
            tenant: Some("acme".to_owned()),
            actor: "cli:test".to_owned(),
        }
    }

    fn kept(systems: &[&str], line: &str) -> Kept {
        reader(systems).read(line.as_bytes()).unwrap().kept
    }

    fn error(systems: &[&str], line: &str) -> String {
        reader(systems)
            .read(line.as_bytes())
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn each_hash_is_found_as_it_must_be() {
        let line = format!(r#"{{"hash":"{SHA256}","id":"k1","hint":"ab","suspended":1}}"#);
        let plain = kept(&["sha256"], &line);
        assert_eq!(plain.id.as_ref().map(KeyId::as_str), Some("k1"));
        assert_eq!(
            (&*plain.hint, plain.suspended, plain.revoked),
            ("ab", true, false)
        );
        let bcrypt = r#""hash":"$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y""#;
        let line = format!(r#"{{{bcrypt},"beginning":"ctza_a1b2"}}"#);
        let found = kept(&["bcrypt:ctza_<hex:40>@9"], &line);
        assert!(found.lookup.is_some());
        let line = format!(r#"{{{bcrypt},"publicId":"abc12345","prefix":"old"}}"#);
        let found = kept(&["bcrypt"], &line);
        assert_eq!((&*found.prefix, &*found.hint), ("old", "old_abc12345"));
        let line = format!("{{{bcrypt}}}");
        assert!(error(&["bcrypt"], &line).contains("found by"));
        // Of several systems a line names its own.
        let line = format!(r#"{{"hash":"{SHA256}","from":"sha256"}}"#);
        kept(&["bcrypt", "sha256"], &line);
        assert!(error(&["bcrypt"], &line).contains("`from`"));
    }

    #[test]
    fn each_layout_is_read_from_its_columns() {
        let digest = "nzdbhrClUnylxErsMNCNFosTGPH9y-REvEzvMjR5lZ4";
        let row = format!(
            r#"{{"row":{{"id":"a","key":"{digest}","enabled":false,"permissions":{{"orders":["read"]}},"userId":"u"}}}}"#
        );
        let found = kept(&["better-auth:acme_"], &row);
        assert!(found.suspended);
        let row = format!(
            r#"{{"row":{{"id":"a","hash":"{SHA256}","deleted_at":1767268800000,"start":"x"}}}}"#
        );
        // Unkey writes base64; hexadecimal digits are read too.
        assert!(kept(&["unkey:acme"], &row).revoked);
        let row = format!(r#"{{"row":{{"id":7,"token":"{SHA256}","abilities":"[\"read\"]"}}}}"#);
        assert_eq!(kept(&["sanctum"], &row).hint, "7|");
        let row = format!(r#"{{"row":{{"shortToken":"abc","longTokenHash":"{SHA256}"}}}}"#);
        assert_eq!(kept(&["prefixed-api-key:acme"], &row).hint, "acme_abc");
        let hash = format!("sha512$${SHA256}{SHA256}");
        let row =
            format!(r#"{{"row":{{"prefix":"AbCdEfGh","hashed_key":"{hash}","revoked":true}}}}"#);
        assert!(kept(&["drf-api-key"], &row).revoked);
    }

    #[test]
    fn what_is_wrong_names_the_field() {
        let with = |more: &str| format!(r#"{{"hash":"{SHA256}",{more}}}"#);
        for (more, field) in [
            (r#""scopes":["a b"]"#, "scopes"),
            (r#""scopes":"a""#, "scopes"),
            (r#""owner":"ada""#, "owner"),
            (r#""limits":["often"]"#, "limits"),
            (r#""networks":["here"]"#, "networks"),
            (r#""expiresAt":"soon""#, "expiresAt"),
            (r#""id":"a b""#, "id"),
            (r#""publicId":"a-b""#, "publicId"),
            (r#""beginning":"abcd""#, "beginning"),
            (r#""kye":1"#, "kye"),
        ] {
            let told = error(&["sha256"], &with(more));
            assert!(told.contains(&format!("`{field}`")), "{told}");
        }
        assert!(error(&["sha256"], "{}").contains("`hash` is missing"));
        assert!(error(&["sha256"], r#"{"row":{}}"#).contains("`hash` is missing"));
        assert!(error(&["sanctum"], &with("\"a\":1")).contains("`row` is missing"));
    }
}
