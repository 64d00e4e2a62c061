use super::{Alphabet, FormatError, IdShape, KeyFormat, Parsed};

/// The formats that a service accepts, of which at most one matches any string.
#[derive(Clone, Debug)]
pub struct Formats(Box<[KeyFormat]>);

impl Formats {
    /// A set of formats; the first is the one that new keys get unless another is named.
    ///
    /// # Errors
    /// [`FormatError::None`] without a format, [`FormatError::Overlap`] when one string could match
    /// two of them.
    pub fn new(formats: impl IntoIterator<Item = KeyFormat>) -> Result<Self, FormatError> {
        let formats: Box<[_]> = formats.into_iter().collect();
        if formats.is_empty() {
            return Err(FormatError::None);
        }
        for (n, one) in formats.iter().enumerate() {
            if let Some(other) = formats.iter().skip(n + 1).find(|other| overlap(one, other)) {
                let prefix = |format: &KeyFormat| format.prefix().to_owned();
                return Err(FormatError::Overlap(prefix(one), prefix(other)));
            }
        }
        Ok(Self(formats))
    }

    /// Reads a credential: the place of its format in the set, and its parts. `None` when it has
    /// none of them.
    #[inline]
    #[must_use]
    pub fn parse<'a>(&self, credential: &'a [u8]) -> Option<(usize, Parsed<'a>)> {
        let skimmed = self.skim(credential);
        skimmed.filter(|(_, parsed)| parsed.is_intact())
    }

    /// The same, but for the checksum: see [`KeyFormat::skim`].
    #[inline]
    #[must_use]
    pub fn skim<'a>(&self, credential: &'a [u8]) -> Option<(usize, Parsed<'a>)> {
        let mut formats = self.0.iter().enumerate();
        formats.find_map(|(place, format)| Some((place, format.skim(credential)?)))
    }

    /// As much as may be shown of the first key in a text, whole or only begun, which is what its hint
    /// shows; `None` where no word starts with one of the prefixes.
    #[must_use]
    pub fn hint_in<'a>(&self, text: &'a str) -> Option<&'a str> {
        let is_word = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let mut before = ' ';
        for (start, char) in text.char_indices() {
            let parts = !is_word(before);
            before = char;
            if !parts {
                continue;
            }
            let rest = text.get(start..)?;
            let begun = self.0.iter().filter(|format| format.begins(rest));
            // Of `acme` and `acme_live` it is the longer one: secrets hold no separators.
            if let Some(format) = begun.max_by_key(|format| format.prefix.len()) {
                let end = rest.char_indices().nth(format.hint_len);
                return Some(end.map_or(rest, |(end, _)| rest.get(..end).unwrap_or_default()));
            }
        }
        None
    }

    /// The format at that place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<&KeyFormat> {
        self.0.get(place)
    }

    /// The first format.
    #[must_use]
    pub fn first(&self) -> Option<&KeyFormat> {
        self.0.first()
    }

    /// The format with that prefix.
    #[must_use]
    pub fn with_prefix(&self, prefix: &str) -> Option<&KeyFormat> {
        self.iter().find(|format| format.prefix() == prefix)
    }

    /// Every format.
    pub fn iter(&self) -> impl Iterator<Item = &KeyFormat> {
        self.0.iter()
    }
}

impl KeyFormat {
    /// Whether a text begins with the prefix and its separator, in whatever case people write it.
    fn begins(&self, text: &str) -> bool {
        let (prefix, text) = (self.prefix.as_bytes(), text.as_bytes());
        text.get(prefix.len()) == Some(&self.prefix_separator)
            && text
                .get(..prefix.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    }
}

/// Whether some string has both shapes: they are equally long, and at every place some byte fits
/// both. Checksums are left out of it, for two of them can agree.
fn overlap(one: &KeyFormat, other: &KeyFormat) -> bool {
    one.key_len() == other.key_len()
        && shape(one)
            .zip(shape(other))
            .all(|(one, other)| one.meets(other))
}

#[derive(Clone, Copy)]
enum Place {
    Literal(u8),
    One(Alphabet),
}

impl Place {
    fn meets(self, other: Self) -> bool {
        match (self, other) {
            (Self::Literal(one), Self::Literal(other)) => one == other,
            (Self::Literal(byte), Self::One(alphabet))
            | (Self::One(alphabet), Self::Literal(byte)) => alphabet.contains(byte),
            // Every alphabet holds the digits.
            (Self::One(_), Self::One(_)) => true,
        }
    }
}

fn shape(format: &KeyFormat) -> impl Iterator<Item = Place> {
    let literal = |byte: u8| std::iter::once(Place::Literal(byte));
    let some_of = |alphabet, count| std::iter::repeat_n(Place::One(alphabet), count);
    let id = format.id.into_iter().flat_map(move |id| {
        let alphabet = match id {
            IdShape::U64 => Alphabet::Base62,
            IdShape::Characters(_) => format.alphabet,
        };
        some_of(alphabet, id.len()).chain(literal(format.id_separator))
    });
    let prefix = format.prefix.bytes().map(Place::Literal);
    prefix
        .chain(literal(format.prefix_separator))
        .chain(id)
        .chain(some_of(format.alphabet, format.secret_len))
        .chain(some_of(Alphabet::Base62, format.checksum_len()))
}
