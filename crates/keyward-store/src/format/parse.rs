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
        let (secret, tail) = rest.split_at_checked(self.secret_len)?;
        if !self.alphabet.spells(secret) {
            return None;
        }
        if self.checksum {
            let (covered, _) = credential.split_at_checked(credential.len() - CHECKSUM_LEN)?;
            // Compared as text: a checksum has one spelling, whatever number another would decode
            // to.
            if tail != checksum(covered) {
                return None;
            }
        }
        Some(Parsed {
            whole: credential,
            public_id,
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
