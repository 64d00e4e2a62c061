use keyward_core::Verifier;
use keyward_store::{Clock, KeyHash, KeyId, KeyRecord, KeySnapshot, Plaintext};

use super::fixtures::format;
use super::rows::Rows;

/// A new key, the only one of its store, and a verifier that has not seen it yet.
pub(super) struct Issued {
    plaintext: Plaintext,
    pub(super) verifier: Verifier,
}

impl Issued {
    /// A key whose record was made by `edit`, from one without scopes that never expires.
    pub(super) async fn new(
        clock: Clock,
        edit: impl FnOnce(&mut KeyRecord),
    ) -> Result<Self, String> {
        let format = format().map_err(|error| error.to_string())?;
        let generated = format.generate().map_err(|error| error.to_string())?;
        let key = generated.plaintext.expose().as_bytes();
        let hash = KeyHash::Sha256(keyward_store::Digest::sha256(key));
        let mut record = KeyRecord::new(KeyId::generate(), "acme", hash);
        record.prefix = format.prefix().to_owned();
        record.public_id = generated.public_id;
        edit(&mut record);
        Ok(Self {
            verifier: Rows::new([KeySnapshot::from(record)])
                .verifier(clock)
                .await?,
            plaintext: generated.plaintext,
        })
    }

    /// The value of an `Authorization` line with this key.
    pub(super) fn authorization(&self) -> String {
        format!("Bearer {}", self.plaintext.expose())
    }

    /// The status that a request with this key gets when no scope is asked for.
    pub(super) async fn status(&self) -> u16 {
        match self
            .verifier
            .verify(self.plaintext.expose().as_bytes())
            .await
        {
            Ok(_) => 200,
            Err(denied) => denied.kind().status(),
        }
    }
}
