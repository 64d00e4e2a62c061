//! How a key is spelled.

mod alphabet;
mod builder;
mod checksum;
mod generate;
mod parse;
mod registry;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use thiserror::Error;

pub use alphabet::Alphabet;
pub use builder::KeyFormatBuilder;
pub use generate::{GenerateError, Generated};
pub use parse::Parsed;
pub use registry::Formats;

/// The longest key, in bytes. Whatever is longer is refused unread.
pub const MAX_KEY_BYTES: usize = 255;

/// How the keys of one kind are spelled: a literal prefix, an optional public id, a secret, an
/// optional checksum, all of fixed length.
///
/// ```
/// # use keyward_store::{Alphabet, IdShape, KeyFormat};
/// // acme_live_<11 characters of id>_<24 of secret><6 of checksum>
/// let ours = KeyFormat::new("acme_live")?;
/// // kat_live_<16 of id>.<32 of secret>
/// let dotted = KeyFormat::builder("kat_live")
///     .public_id(IdShape::Characters(16))
///     .separator('.')
///     .secret(Alphabet::Base62, 32)
///     .without_checksum()
///     .build()?;
/// // sk_live_<64 hexadecimal digits>
/// let hexadecimal = KeyFormat::builder("sk_live")
///     .without_public_id()
///     .secret(Alphabet::Hex, 64)
///     .without_checksum()
///     .build()?;
/// assert_eq!(ours.generate()?.plaintext.expose().len(), 52);
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFormat {
    prefix: Arc<str>,
    prefix_separator: u8,
    id: Option<IdShape>,
    id_separator: u8,
    alphabet: Alphabet,
    secret_len: usize,
    checksum: bool,
    hint_len: usize,
}

/// How the public id of a key is spelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum IdShape {
    /// A number from 1 to 2^64 − 1 in 11 characters of base 62.
    U64,
    /// So many characters of the secret's alphabet, from 8 to 24.
    Characters(usize),
}

impl IdShape {
    const fn len(self) -> usize {
        match self {
            Self::U64 => 11,
            Self::Characters(n) => n,
        }
    }
}

impl KeyFormat {
    /// The recommended format behind a prefix of your own: `<prefix>_<id>_<secret><checksum>`.
    ///
    /// The secret has 142 random bits. With a prefix of up to 12 bytes the whole key is hashed as
    /// one block of SHA-256 (FIPS 180-4 §5.1.1), which halves the cost.
    ///
    /// # Errors
    /// [`FormatError`] when the prefix is not 1 to 32 letters, digits and underscores, with a
    /// letter first and no underscore last.
    pub fn new(prefix: &str) -> Result<Self, FormatError> {
        Self::builder(prefix).build()
    }

    /// A format to be shaped further.
    #[must_use]
    pub fn builder(prefix: &str) -> KeyFormatBuilder {
        KeyFormatBuilder::new(prefix)
    }

    /// The literal prefix.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The literal prefix, shared.
    #[must_use]
    pub fn shared_prefix(&self) -> Arc<str> {
        self.prefix.clone()
    }

    /// Whether keys bear a public id.
    #[must_use]
    pub const fn has_public_id(&self) -> bool {
        self.id.is_some()
    }

    /// How many characters of a key its display hint shows.
    #[must_use]
    pub const fn hint_len(&self) -> usize {
        self.hint_len
    }

    /// The length of every key, in bytes.
    #[must_use]
    pub fn key_len(&self) -> usize {
        self.secret_start() + self.secret_len + self.checksum_len()
    }

    /// The regular expression that finds keys of this format in text, for secret scanners.
    #[must_use]
    pub fn expression(&self) -> String {
        let class = self.alphabet.class();
        let separator = |byte: u8| match byte {
            b'.' => r"\.".to_owned(),
            other => char::from(other).to_string(),
        };
        let mut expression = format!(r"\b{}{}", self.prefix, separator(self.prefix_separator));
        if let Some(id) = self.id {
            let class = match id {
                IdShape::U64 => Alphabet::Base62.class(),
                IdShape::Characters(_) => class,
            };
            expression += &format!("{class}{{{}}}{}", id.len(), separator(self.id_separator));
        }
        if self.checksum && self.alphabet != Alphabet::Base62 {
            let checksum = Alphabet::Base62.class();
            expression += &format!("{class}{{{}}}{checksum}{{{CHECKSUM_LEN}}}", self.secret_len);
        } else {
            let tail = self.secret_len + self.checksum_len();
            expression += &format!("{class}{{{tail}}}");
        }
        expression + r"\b"
    }

    fn id_start(&self) -> usize {
        self.prefix.len() + 1
    }

    fn secret_start(&self) -> usize {
        self.id_start() + self.id.map_or(0, |id| id.len() + 1)
    }

    const fn checksum_len(&self) -> usize {
        if self.checksum { CHECKSUM_LEN } else { 0 }
    }
}

/// Six characters of base 62 hold any CRC-32.
const CHECKSUM_LEN: usize = 6;

/// Why a format, or a set of formats, cannot be.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FormatError {
    /// The prefix is not as it must be.
    #[error(
        "a key prefix has 1 to 32 letters, digits and underscores, a letter first and no underscore last"
    )]
    Prefix,
    /// A separator that a bearer token cannot hold, or that is a letter or a digit.
    #[error("a separator is one of `_`, `-`, `.` and `~`")]
    Separator,
    /// A public id of the wrong length.
    #[error("a public id has 8 to 24 characters")]
    PublicId,
    /// Too little randomness.
    #[error("a secret needs 128 random bits: 22 characters of base 62, or 32 of hexadecimal")]
    WeakSecret,
    /// Too long a key.
    #[error("a key has at most {MAX_KEY_BYTES} bytes")]
    TooLong,
    /// A hint that gives too much of the secret away.
    #[error("a hint may show at most 6 characters of the secret")]
    Hint,
    /// Two formats that one string could match.
    #[error("a key could match both the format of `{0}` and that of `{1}`")]
    Overlap(String, String),
    /// No format at all.
    #[error("at least one key format is needed")]
    None,
}
