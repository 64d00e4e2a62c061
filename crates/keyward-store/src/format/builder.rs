use super::{Alphabet, FormatError, IdShape, KeyFormat, MAX_KEY_BYTES};

/// Shapes a [`KeyFormat`]; nothing is checked before [`build`](KeyFormatBuilder::build).
#[derive(Clone, Debug)]
pub struct KeyFormatBuilder {
    prefix: String,
    prefix_separator: char,
    id: Option<IdShape>,
    id_separator: char,
    alphabet: Alphabet,
    secret_len: usize,
    checksum: bool,
    hint_len: Option<usize>,
}

impl KeyFormatBuilder {
    pub(super) fn new(prefix: &str) -> Self {
        Self {
            prefix: prefix.to_owned(),
            prefix_separator: '_',
            id: Some(IdShape::U64),
            id_separator: '_',
            alphabet: Alphabet::Base62,
            secret_len: 24,
            checksum: true,
            hint_len: None,
        }
    }

    /// Keys bear a public id of this shape, by which their record is found.
    #[must_use]
    pub fn public_id(mut self, shape: IdShape) -> Self {
        self.id = Some(shape);
        self
    }

    /// Keys bear no public id; their record is found by its hash.
    #[must_use]
    pub fn without_public_id(mut self) -> Self {
        self.id = None;
        self
    }

    /// What stands behind the prefix; `_` unless said otherwise.
    #[must_use]
    pub fn prefix_separator(mut self, separator: char) -> Self {
        self.prefix_separator = separator;
        self
    }

    /// What stands between the public id and the secret; `_` unless said otherwise.
    #[must_use]
    pub fn separator(mut self, separator: char) -> Self {
        self.id_separator = separator;
        self
    }

    /// The secret has `length` characters of `alphabet`.
    #[must_use]
    pub fn secret(mut self, alphabet: Alphabet, length: usize) -> Self {
        self.alphabet = alphabet;
        self.secret_len = length;
        self
    }

    /// Keys end in no checksum. A mistyped key then costs a look-up, and scanners see more false
    /// alarms.
    #[must_use]
    pub fn without_checksum(mut self) -> Self {
        self.checksum = false;
        self
    }

    /// The hint that is shown in lists is the first `length` characters of the key.
    ///
    /// Otherwise it is the prefix and the public id, or four characters of the secret where there
    /// is no id.
    #[must_use]
    pub fn hint(mut self, length: usize) -> Self {
        self.hint_len = Some(length);
        self
    }

    /// The format.
    ///
    /// # Errors
    /// [`FormatError`] says what about it cannot be.
    pub fn build(self) -> Result<KeyFormat, FormatError> {
        check_prefix(&self.prefix)?;
        if let Some(IdShape::Characters(n)) = self.id
            && !(8..=24).contains(&n)
        {
            return Err(FormatError::PublicId);
        }
        if self.secret_len < self.alphabet.min_secret() {
            return Err(FormatError::WeakSecret);
        }
        // Checked before anything is added to it.
        if self.secret_len > MAX_KEY_BYTES {
            return Err(FormatError::TooLong);
        }
        let mut format = KeyFormat {
            prefix: self.prefix.into(),
            prefix_separator: separator(self.prefix_separator)?,
            id: self.id,
            id_separator: separator(self.id_separator)?,
            alphabet: self.alphabet,
            secret_len: self.secret_len,
            checksum: self.checksum,
            hint_len: 0,
        };
        if format.key_len() > MAX_KEY_BYTES {
            return Err(FormatError::TooLong);
        }
        let secret_start = format.secret_start();
        format.hint_len = self.hint_len.unwrap_or(match self.id {
            // The separator behind the id adds nothing.
            Some(_) => secret_start - 1,
            None => secret_start + 4,
        });
        if format.hint_len > secret_start + MAX_HINT_OF_SECRET {
            return Err(FormatError::Hint);
        }
        Ok(format)
    }
}

fn check_prefix(prefix: &str) -> Result<(), FormatError> {
    let word = prefix
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let starts = prefix
        .as_bytes()
        .first()
        .is_some_and(u8::is_ascii_alphabetic);
    if word && starts && !prefix.ends_with('_') && prefix.len() <= 32 {
        Ok(())
    } else {
        Err(FormatError::Prefix)
    }
}

/// The characters of an RFC 6750 §2.1 bearer token that are neither letters nor digits, less `+`
/// and `/`, which do not survive in addresses.
fn separator(separator: char) -> Result<u8, FormatError> {
    match separator {
        '_' | '-' | '.' | '~' => u8::try_from(separator).map_err(|_| FormatError::Separator),
        _ => Err(FormatError::Separator),
    }
}

const MAX_HINT_OF_SECRET: usize = 6;
