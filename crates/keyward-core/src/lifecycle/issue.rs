use std::time::SystemTime;

use keyward_store::{
    AuditAction, AuditRecord, Change, KeyFormat, KeyId, KeyRecord, Peppers, Plaintext, Write,
};

use super::IssueError;
use super::new_key::{Made, NewKey};

/// A key that has just been issued. The secret is here and nowhere else: whoever drops it has lost
/// it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// What is known of the key from now on.
    pub key: KeyRecord,
    /// The whole key, to be shown once.
    pub secret: Plaintext,
}

/// A new key of `format`, and the change that makes it one.
pub(super) fn issue(
    new: NewKey,
    format: &KeyFormat,
    peppers: &Peppers,
    now: SystemTime,
) -> Result<(Issued, Change), IssueError> {
    let made = format.generate()?;
    let secret = made.plaintext;
    let made = Made {
        prefix: format.prefix().to_owned(),
        public_id: made.public_id,
        hint: made.hint,
        lookup: None,
        hash: peppers.hash(secret.expose().as_bytes()),
    };
    let key = new.record(KeyId::generate(), made, now)?;
    let mut audit = AuditRecord::new(now, AuditAction::Issued);
    audit.key = Some(key.id.clone());
    audit.tenant = Some(key.tenant.clone());
    audit.actor.clone_from(&key.created_by);
    let change = Change::new(now)
        .write(Write::Insert(key.clone()))
        .audit(audit);
    Ok((Issued { key, secret }, change))
}
