use std::time::SystemTime;

use keyward_store::{
    AuditAction, Change, CommitError, Expectation, ForeignHash, Formats, Kept, KeyFilter, KeyHash,
    KeyId, KeyRecord, ListQuery, MAX_LOOKUP_CANDIDATES, Use, Write,
};
use thiserror::Error;

use super::new_key::{Made, NewKey};
use super::{Invalid, Keyward, history};
use crate::verifier::node::{Node, whole_micros};

impl Keyward {
    /// Takes a key of another system over, without its plaintext: whoever holds it goes on using it. The
    /// system's scheme must be [registered](crate::Builder::foreign) on every node that verifies it.
    ///
    /// An import that broke off can be done again: a key that is there already is told by
    /// [`ImportError::AlreadyThere`], and left as it is. Where keys [move](crate::Builder::upgrade_foreign)
    /// to the present hash, or are changed otherwise in between, give each a public id, or a
    /// [name](Kept::id) of its own; by an old hash they cannot be told any more. What was
    /// [purged](Keyward::purge) in between comes back: leave what was revoked here out of a second import.
    ///
    /// # Errors
    /// [`ImportError`] says why the key cannot be taken over, or could not be stored. After
    /// [`CommitError::Unknown`] it is safe to import it again.
    ///
    /// # Cancel safety
    /// When the future is dropped, the key may have been stored.
    pub async fn import(&self, new: NewKey, kept: Kept) -> Result<KeyRecord, ImportError> {
        let verifier = self.verifier();
        let node = verifier.node();
        check(node, &kept)?;
        let now = self.now();
        let used = kept.last_used_at.map(|used| used.min(now));
        let (record, change) = import(new, kept, &node.formats, now)?;
        match self.commit(change).await {
            Ok(_caught_up) => {}
            Err(CommitError::Duplicate) => return Err(ImportError::AlreadyThere),
            Err(CommitError::Expectation(_)) if self.is_among_its_like(&record).await => {
                return Err(ImportError::AlreadyThere);
            }
            Err(CommitError::Expectation(_)) => return Err(ImportError::LookupFull),
            Err(error) => return Err(ImportError::Commit(error)),
        }
        if let Some(at) = used {
            let key = record.id.clone();
            // Nothing is decided by it, so the import does not fail for it.
            if let Err(error) = self.records().touch(&[Use { key, at }]).await {
                let error: &dyn std::error::Error = &error;
                tracing::warn!(target: "keyward", error, "a last use could not be imported");
            }
        }
        Ok(record)
    }

    /// Whether a key is one of those that share its beginning, which are as many as may be.
    async fn is_among_its_like(&self, record: &KeyRecord) -> bool {
        let Some(lookup) = &record.lookup else {
            return false;
        };
        let like = ListQuery::new(KeyFilter::all().lookup(lookup.clone()));
        let Ok(page) = self.records().list(&like).await else {
            return false;
        };
        let is_it = |other: &KeyRecord| other.hash == record.hash || other.id == record.id;
        page.keys.iter().any(|key| is_it(&key.record))
    }
}

/// Whether a key that is kept so can be found and verified.
fn check(node: &Node, kept: &Kept) -> Result<(), ImportError> {
    match &kept.hash {
        KeyHash::Foreign(hash) => {
            let scheme = node.foreign.scheme(hash.scheme());
            let scheme = scheme.ok_or(ImportError::SchemeNotRegistered)?;
            if hash.text().len() > ForeignHash::MAX.1 || !scheme.reads(hash.text()) {
                return Err(ImportError::Hash);
            }
            let by_hash_alone = kept.public_id.is_none() && kept.lookup.is_none();
            if by_hash_alone && scheme.is_slow(hash.text()) {
                return Err(ImportError::NotFound);
            }
        }
        KeyHash::HmacSha256 { pepper, .. } if node.peppers.get(pepper).is_none() => {
            return Err(ImportError::PepperNotLive);
        }
        _ => {}
    }
    let prefix = kept.prefix.as_bytes();
    let shown = !kept.hint.chars().any(char::is_control);
    let short = [&kept.prefix, &kept.hint].map(|text| text.chars().count() <= MAX_TEXT);
    if prefix.iter().all(u8::is_ascii_graphic) && shown && short == [true; 2] {
        Ok(())
    } else {
        Err(ImportError::Hint)
    }
}

/// The record of a key that another system issued, and the change that makes it one of ours.
fn import(
    new: NewKey,
    kept: Kept,
    formats: &Formats,
    now: SystemTime,
) -> Result<(KeyRecord, Change), ImportError> {
    let lookup = kept.lookup.map(|beginning| beginning.as_str().to_owned());
    let made = Made {
        prefix: kept.prefix,
        public_id: kept.public_id,
        hint: kept.hint,
        lookup: lookup.clone(),
        hash: kept.hash,
    };
    let id = kept.id.unwrap_or_else(KeyId::generate);
    let mut record = new.record(id, made, formats, now)?;
    record.created_at = kept
        .created_at
        .map_or(now, |created| whole_micros(created).min(now));
    record.suspended_at = kept.suspended.then_some(now);
    record.revoked_at = kept.revoked.then_some(now);
    let actor = record.created_by.as_deref();
    let line = history::line(now, AuditAction::Imported, actor, None, &record);
    let mut change = Change::new(now)
        .write(Write::Insert(record.clone()))
        .audit(line);
    if let Some(lookup) = lookup {
        // Revoked ones count too: a store tells of no more than these, whatever their state.
        change = change.expect(Expectation::Fewer {
            than: u64::try_from(MAX_LOOKUP_CANDIDATES).unwrap_or(u64::MAX),
            of: KeyFilter::all().lookup(lookup),
        });
    }
    Ok((record, change))
}

/// The longest prefix and the longest hint, in characters.
const MAX_TEXT: usize = 64;

/// Why a key of another system was not taken over.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ImportError {
    /// What was said of the key in the host's own terms cannot be; an expiry in the past for instance.
    #[error(transparent)]
    Key(#[from] Invalid),
    /// Nothing here compares hashes of that scheme.
    #[error("the scheme of the hash is not registered")]
    SchemeNotRegistered,
    /// The hash makes no sense to its scheme, or costs more than that allows.
    #[error("the hash cannot be read, or is too costly to compare")]
    Hash,
    /// The hash was made with a pepper that this service does not have.
    #[error("the pepper of the hash is not live")]
    PepperNotLive,
    /// The hash is salted, and neither a public id nor a beginning leads to the record.
    #[error("nothing leads from the key to its record")]
    NotFound,
    /// The prefix or the hint is too long, or made of what cannot be shown.
    #[error("a prefix has at most 64 visible ASCII characters, a hint as many that can be shown")]
    Hint,
    /// So many records have the same beginning that another one would not be found by it.
    #[error("{MAX_LOOKUP_CANDIDATES} keys with this beginning are there already")]
    LookupFull,
    /// The key is there: it has been imported before.
    #[error("the key has been imported before")]
    AlreadyThere,
    /// The store did not take it.
    #[error("the key could not be stored")]
    Commit(#[source] CommitError),
}
