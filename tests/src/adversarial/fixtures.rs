use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, SystemTime};

use keyward_store::{Alphabet, Digest, FormatError, KeyFormat, KeyHash, KeyId, KeyRecord};
use keyward_store::{KeySnapshot, Scope, Scopes};
use serde::Deserialize;

use super::hex;

/// The right that `/protected` asks for: a key that may only read lacks it.
pub(super) const WRITE: Scope = Scope::from_static("docs:write");
const READ: Scope = Scope::from_static("docs:read");

/// The format of the fixtures: `ak_live_<id>_<30 base62 characters><checksum>`.
///
/// # Errors
/// When such a format cannot be built.
pub fn format() -> Result<KeyFormat, FormatError> {
    KeyFormat::builder("ak_live")
        .secret(Alphabet::Base62, 30)
        .build()
}

/// The keys that the cases present, by what is the matter with them.
///
/// `Debug` names them and shows none.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Fixtures(BTreeMap<String, Fixture>);

#[derive(Clone, Deserialize)]
pub(super) struct Fixture {
    pub(super) key: String,
    pub(super) sha256: String,
}

impl Fixtures {
    /// The whole key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|it| it.key.as_str())
    }

    /// The rows of a store that knows these keys: those with a name that says so are revoked,
    /// expired and so on, and those that were never issued are not there.
    pub(super) fn rows(&self) -> Result<Vec<KeySnapshot>, String> {
        let format = format().map_err(|error| error.to_string())?;
        let now = SystemTime::now();
        let mut rows = Vec::new();
        for (name, fixture) in &self.0 {
            let (tenant, scopes) = match name.as_str() {
                "valid" | "revoked" | "expired" => ("acme", Scopes::from_iter([READ, WRITE])),
                "other_tenant" => ("other", Scopes::from_iter([READ, WRITE])),
                "read_only" => ("acme", Scopes::from_iter([READ])),
                "suspended_tenant" => ("suspended", Scopes::from_iter([READ, WRITE])),
                _ => continue,
            };
            let mut record = fixture
                .record(&format, tenant)
                .ok_or_else(|| format!("the fixture {name} is not a key with its SHA-256"))?;
            record.scopes = scopes;
            record.revoked_at = (name == "revoked").then_some(now);
            record.expires_at = (name == "expired").then(|| now - Duration::from_secs(1));
            let mut row = KeySnapshot::from(record);
            row.tenant.suspended = name == "suspended_tenant";
            rows.push(row);
        }
        Ok(rows)
    }

    /// Whether eight characters in a row of any key's secret occur in the text.
    #[must_use]
    pub fn any_secret_in(&self, text: &[u8]) -> bool {
        self.secrets().any(|secret| {
            let mut windows = secret.as_bytes().windows(8);
            windows.any(|window| text.windows(8).any(|it| it == window))
        })
    }

    /// The secret part of every key.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let keys = self.0.values();
        keys.map(|fixture| fixture.key.rsplit('_').next().unwrap_or_default())
    }
}

impl Fixture {
    /// What a store holds of the key: the digest as the file states it, so that the code under
    /// test has to come to the same one.
    fn record(&self, format: &KeyFormat, tenant: &str) -> Option<KeyRecord> {
        let parsed = format.parse(self.key.as_bytes())?;
        let digest: [u8; 32] = hex::decode(&self.sha256)?.try_into().ok()?;
        let hash = KeyHash::Sha256(Digest::from_bytes(digest));
        let mut record = KeyRecord::new(KeyId::generate(), tenant, hash);
        record.prefix = format.prefix().to_owned();
        record.public_id = parsed.public_id();
        Some(record)
    }
}

impl fmt::Debug for Fixtures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adversarial::Suite;

    #[test]
    fn digests_are_those_of_the_whole_keys() {
        for (name, fixture) in Suite::own().unwrap().fixtures.0 {
            let stated: [u8; 32] = hex::decode(&fixture.sha256).unwrap().try_into().unwrap();
            let digest = Digest::sha256(fixture.key.as_bytes());
            assert_eq!(digest, Digest::from_bytes(stated), "{name}");
        }
    }

    #[test]
    fn keys_that_were_never_issued_have_no_row() {
        let rows = Suite::own().unwrap().fixtures.rows().unwrap();
        assert_eq!(rows.len(), 6);
    }

    #[test]
    fn eight_characters_of_a_secret_are_found() {
        let fixtures = Suite::own().unwrap().fixtures;
        let key = fixtures.key("valid").unwrap();
        let part = &key.as_bytes()[30..38];
        assert!(fixtures.any_secret_in(&[b"echo: ", part].concat()));
        assert!(!fixtures.any_secret_in(&[b"echo: ", &part[..7]].concat()));
        assert!(!fixtures.any_secret_in(b"ak_live_0000000aB1c_"));
    }

    #[test]
    fn debug_shows_no_key() {
        let fixtures = Suite::own().unwrap().fixtures;
        let shown = format!("{fixtures:?}");
        assert!(shown.contains("valid"));
        assert!(!fixtures.any_secret_in(shown.as_bytes()));
    }
}
