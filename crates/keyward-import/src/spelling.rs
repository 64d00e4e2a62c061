use std::ops::RangeInclusive;
use std::sync::Arc;

/// How the keys of another system are spelled, so that they are told from everything else: a literal
/// prefix, and behind it so many characters of a kind.
///
/// ```
/// # use keyward_import::{Characters, Spelling};
/// let keys = Spelling::new("ctza_", Characters::Hex, 40..=40);
/// assert!(keys.spells(b"ctza_a1b2c3d4e5f60718293a4b5c6d7e8f9012345678"));
/// assert!(!keys.spells(b"ctza_a1b2"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelling {
    prefix: Arc<str>,
    characters: Characters,
    lengths: RangeInclusive<usize>,
}

/// What the part of a key behind its prefix is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Characters {
    /// Hexadecimal digits, small letters.
    Hex,
    /// Letters.
    Letters,
    /// Letters and digits without `0`, `O`, `I` and `l`.
    Base58,
    /// Letters and digits.
    Base62,
    /// Letters, digits, `-` and `_`.
    Base64Url,
    /// Every visible ASCII character.
    Visible,
}

impl Spelling {
    /// Keys that begin with `prefix`, which may be empty, and go on with so many `characters`.
    #[must_use]
    pub fn new(
        prefix: impl Into<Arc<str>>,
        characters: Characters,
        lengths: RangeInclusive<usize>,
    ) -> Self {
        Self {
            prefix: prefix.into(),
            characters,
            lengths,
        }
    }

    /// The length of the longest of them, in bytes.
    pub(crate) fn longest(&self) -> usize {
        self.prefix().len().saturating_add(*self.lengths.end())
    }

    /// What all of them begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Whether a credential is spelled like one of them.
    #[must_use]
    pub fn spells(&self, credential: &[u8]) -> bool {
        let rest = credential.strip_prefix(self.prefix.as_bytes());
        rest.is_some_and(|rest| self.lengths.contains(&rest.len()) && self.characters.spell(rest))
    }
}

impl Characters {
    pub(crate) fn spell(self, text: &[u8]) -> bool {
        text.iter().all(|byte| self.contains(*byte))
    }

    fn contains(self, byte: u8) -> bool {
        match self {
            Self::Hex => byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte),
            Self::Letters => byte.is_ascii_alphabetic(),
            Self::Base58 => byte.is_ascii_alphanumeric() && !b"0OIl".contains(&byte),
            Self::Base62 => byte.is_ascii_alphanumeric(),
            Self::Base64Url => byte.is_ascii_alphanumeric() || b"-_".contains(&byte),
            Self::Visible => byte.is_ascii_graphic(),
        }
    }
}
