use keyward_store::{Beginning, BeginningError, ForeignHash, Kept, KeyHash, Locator};

use crate::{RowError, Spelling, Unreadable};

/// How the record of a key is found whose hash is salted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundBy(Way);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    PublicId,
    Beginning { spelling: Spelling, length: usize },
}

impl FoundBy {
    /// By the public id, which keys of one of the service's own formats bear.
    #[must_use]
    pub const fn public_id() -> Self {
        Self(Way::PublicId)
    }

    /// By the first `length` characters of keys that are spelled so, the prefix included.
    ///
    /// They may be spelled as keys of one of the service's own formats are that has no public id.
    ///
    /// # Errors
    /// [`BeginningError`] when that holds fewer than four characters of the secret, or is too long.
    pub fn beginning(spelling: Spelling, length: usize) -> Result<Self, BeginningError> {
        let secret = length.saturating_sub(spelling.prefix().len());
        if secret < Beginning::MIN_SECRET {
            return Err(BeginningError::TooShort);
        }
        if length > Beginning::MAX {
            return Err(BeginningError::Spelling);
        }
        // It is kept and shown in the clear, so enough of a secret has to lie behind it.
        if spelling.longest() < length.saturating_add(HIDDEN) {
            return Err(BeginningError::TooLong);
        }
        Ok(Self(Way::Beginning { spelling, length }))
    }

    pub(crate) fn locate(&self, credential: &[u8]) -> Option<Locator> {
        match &self.0 {
            // Such a key is found by the service's own format.
            Way::PublicId => None,
            Way::Beginning { spelling, length } => {
                if credential.len() < length.saturating_add(HIDDEN) {
                    return None;
                }
                let beginning = credential.get(..*length)?;
                let beginning = std::str::from_utf8(beginning).ok()?;
                spelling
                    .spells(credential)
                    .then(|| Locator::Lookup(beginning.into()))
            }
        }
    }

    /// What is kept of a key with that hash and that beginning.
    pub(crate) fn kept(
        &self,
        hash: ForeignHash,
        column: &'static str,
        beginning: &str,
    ) -> Result<Kept, RowError> {
        let Way::Beginning { spelling, length } = &self.0 else {
            return Err(RowError::of(column)(Unreadable::Beginning(
                BeginningError::Prefix,
            )));
        };
        let lookup = Beginning::new(spelling.prefix(), beginning).map_err(RowError::of(column))?;
        if beginning.len() != *length {
            return Err(RowError::of(column)(BeginningError::TooShort));
        }
        let mut kept = Kept::new(KeyHash::Foreign(hash));
        kept.prefix = spelling.prefix().to_owned();
        kept.hint = beginning.to_owned();
        kept.lookup = Some(lookup);
        Ok(kept)
    }
}

/// Of a key that is found by its beginning, at least so many characters are neither kept nor shown.
const HIDDEN: usize = 8;
