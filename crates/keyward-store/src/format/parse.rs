use super::KeyFormat;
use super::alphabet::spells_u64;
use super::checksum::checksum;
use super::{CHECKSUM_LEN, IdShape};
use crate::PublicId;

/// A credential that is spelled like a key. Whether it is one, only a store knows.
#[derive(Clone, Copy)]
pub struct Parsed<'a> {
    whole: &'a [u8],
    public_id: Option<PublicId>,
    has_checksum: bool,
}

impl<'a> Parsed<'a> {
    /// The whole credential, as presented: what is hashed.
    #[must_use]
    pub const fn credential(&self) -> &'a [u8] {
        self.whole
    }

    /// The public id, where the format has one.
    #[must_use]
    pub const fn public_id(&self) -> Option<PublicId> {
        self.public_id
    }

    /// Whether its checksum is right; so it always is where the format has none, and after
    /// [`parse`](KeyFormat::parse).
    #[inline]
    #[must_use]
    pub fn is_intact(&self) -> bool {
        if !self.has_checksum {
            return true;
        }
        // Compared as text: a checksum has one spelling, whatever number another would decode to.
        self.whole
            .split_last_chunk::<CHECKSUM_LEN>()
            .is_some_and(|(covered, sum)| *sum == checksum(covered))
    }
}

impl std::fmt::Debug for Parsed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parsed")
            .field("public_id", &self.public_id)
            .finish_non_exhaustive()
    }
}

impl KeyFormat {
    /// Reads a credential of this format; `None` for everything else.
    ///
    /// It is total over arbitrary bytes, allocates nothing, and accepts one spelling per key.
    #[inline]
    #[must_use]
    pub fn parse<'a>(&self, credential: &'a [u8]) -> Option<Parsed<'a>> {
        self.skim(credential).filter(Parsed::is_intact)
    }

    /// The same, but for the checksum, which the caller looks at by [`Parsed::is_intact`]; or not,
    /// when the credential turns out to be one that has passed before.
    #[inline]
    #[must_use]
    pub fn skim<'a>(&self, credential: &'a [u8]) -> Option<Parsed<'a>> {
        if credential.len() != self.key_len() {
            return None;
        }
        let body = credential.strip_prefix(self.prefix.as_bytes())?;
        let (separator, mut rest) = body.split_first()?;
        if *separator != self.prefix_separator {
            return None;
        }
        let mut public_id = None;
        if let Some(shape) = self.id {
            let (id, tail) = rest.split_at_checked(shape.len())?;
            public_id = Some(self.parse_id(shape, id)?);
            let (separator, tail) = tail.split_first()?;
            if *separator != self.id_separator {
                return None;
            }
            rest = tail;
        }
        let secret = rest.get(..self.secret_len)?;
        if !self.alphabet.spells(secret) {
            return None;
        }
        Some(Parsed {
            whole: credential,
            public_id,
            has_checksum: self.checksum,
        })
    }

    #[inline]
    fn parse_id(&self, shape: IdShape, id: &[u8]) -> Option<PublicId> {
        match shape {
            IdShape::U64 => {
                if !spells_u64(id.try_into().ok()?) {
                    return None;
                }
            }
            IdShape::Characters(_) => {
                if !self.alphabet.spells(id) {
                    return None;
                }
            }
        }
        Some(PublicId::from_spelled(id))
    }
}
