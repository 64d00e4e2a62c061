use std::fmt;
use std::str::FromStr;

use keyward::{Alphabet, FormatError, IdShape, KeyFormat};
use thiserror::Error;

/// How a key format is spelled on a command line: a prefix alone, or one with what follows it.
///
/// `PREFIX` · `PREFIX_<id>_<secret:24><checksum>` · `PREFIX_<id:N>.<secret:N>` · `PREFIX_<hex:N>`, each
/// with `@N` behind it where hints have N characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FormatSpec {
    prefix: String,
    /// `None` is the recommended shape.
    shape: Option<Shape>,
    hint: Option<usize>,
    format: KeyFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Shape {
    prefix_separator: char,
    id: Option<(IdShape, char)>,
    alphabet: Alphabet,
    length: usize,
    checksum: bool,
}

/// Why a text spells no format.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum SpecError {
    /// It has no secret.
    #[error("a secret is missing: <secret:N>, or <hex:N> for hexadecimal digits")]
    Secret,
    /// Something stands where it cannot.
    #[error(
        "a format is a prefix, or like acme_live_<id>_<secret:24><checksum>, kat_live_<id:11>.<secret:32> or ctza_<hex:40>"
    )]
    Spelling,
    /// A number is missing, or too large.
    #[error("a length is a number, and the hint behind @ too")]
    Number,
    /// The format cannot be.
    #[error(transparent)]
    Format(#[from] FormatError),
}

impl FormatSpec {
    pub(crate) fn format(&self) -> KeyFormat {
        self.format.clone()
    }

    /// Whether a text begins as every key of the format does, of which it may be a part.
    pub(crate) fn begins(&self, text: &str) -> bool {
        let separator = self.shape.map_or('_', |shape| shape.prefix_separator);
        let rest = text.strip_prefix(&*self.prefix);
        rest.is_some_and(|rest| rest.starts_with(separator))
    }
}

impl FromStr for FormatSpec {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let (text, hint) = match text.split_once('@') {
            None => (text, None),
            Some((text, hint)) => (text, Some(number(hint)?)),
        };
        let (prefix, shape) = match text.find('<') {
            None => (text, None),
            Some(place) => {
                let (head, tail) = text.split_at(place);
                let (prefix, separator) = split_last(head).ok_or(SpecError::Spelling)?;
                (prefix, Some(Shape::read(separator, tail)?))
            }
        };
        let format = build(prefix, shape, hint)?;
        Ok(Self {
            prefix: prefix.to_owned(),
            shape,
            hint,
            format,
        })
    }
}

impl Shape {
    fn read(prefix_separator: char, text: &str) -> Result<Self, SpecError> {
        let (id, text) = match part(text, "id")? {
            None => (None, text),
            Some((length, rest)) => {
                let shape = match length {
                    None => IdShape::U64,
                    Some(length) => IdShape::Characters(length),
                };
                let separator = rest.chars().next().ok_or(SpecError::Secret)?;
                let rest = rest.strip_prefix(separator).unwrap_or_default();
                (Some((shape, separator)), rest)
            }
        };
        let (alphabet, secret) = match part(text, "secret")? {
            Some(secret) => (Alphabet::Base62, secret),
            None => (Alphabet::Hex, part(text, "hex")?.ok_or(SpecError::Secret)?),
        };
        let (length, rest) = secret;
        let checksum = match rest {
            "" => false,
            "<checksum>" => true,
            _ => return Err(SpecError::Spelling),
        };
        Ok(Self {
            prefix_separator,
            id,
            alphabet,
            length: length.ok_or(SpecError::Number)?,
            checksum,
        })
    }
}

/// What stands at the beginning of a text as `<name>` or `<name:N>`: the number, and the rest.
fn part<'a>(text: &'a str, name: &str) -> Result<Option<(Option<usize>, &'a str)>, SpecError> {
    let Some((inner, rest)) = text.strip_prefix('<').and_then(|text| text.split_once('>')) else {
        return Ok(None);
    };
    match inner.strip_prefix(name) {
        Some("") => Ok(Some((None, rest))),
        Some(length) => match length.strip_prefix(':') {
            Some(length) => Ok(Some((Some(number(length)?), rest))),
            None => Ok(None),
        },
        None => Ok(None),
    }
}

fn split_last(text: &str) -> Option<(&str, char)> {
    let last = text.chars().next_back()?;
    Some((text.strip_suffix(last)?, last))
}

fn number(text: &str) -> Result<usize, SpecError> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let number = text.parse().ok().filter(|_| digits);
    number.ok_or(SpecError::Number)
}

fn build(
    prefix: &str,
    shape: Option<Shape>,
    hint: Option<usize>,
) -> Result<KeyFormat, FormatError> {
    let mut builder = KeyFormat::builder(prefix);
    if let Some(shape) = shape {
        builder = builder
            .prefix_separator(shape.prefix_separator)
            .secret(shape.alphabet, shape.length);
        builder = match shape.id {
            Some((id, separator)) => builder.public_id(id).separator(separator),
            None => builder.without_public_id(),
        };
        if !shape.checksum {
            builder = builder.without_checksum();
        }
    }
    if let Some(hint) = hint {
        builder = builder.hint(hint);
    }
    builder.build()
}

impl fmt::Display for FormatSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.prefix)?;
        if let Some(shape) = self.shape {
            write!(f, "{}", shape.prefix_separator)?;
            match shape.id {
                Some((IdShape::Characters(length), separator)) => {
                    write!(f, "<id:{length}>{separator}")?;
                }
                Some((_, separator)) => write!(f, "<id>{separator}")?,
                None => {}
            }
            let name = match shape.alphabet {
                Alphabet::Hex => "hex",
                _ => "secret",
            };
            write!(f, "<{name}:{}>", shape.length)?;
            if shape.checksum {
                f.write_str("<checksum>")?;
            }
        }
        match self.hint {
            Some(hint) => write!(f, "@{hint}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(text: &str) -> KeyFormat {
        text.parse::<FormatSpec>().unwrap().format()
    }

    #[test]
    fn each_spelling_is_the_format_that_a_service_builds() {
        let ours = KeyFormat::new("acme_live").unwrap();
        assert_eq!(format("acme_live"), ours);
        assert_eq!(format("acme_live_<id>_<secret:24><checksum>"), ours);
        let dotted = KeyFormat::builder("kat_live")
            .public_id(IdShape::Characters(11))
            .separator('.')
            .secret(Alphabet::Base62, 32)
            .without_checksum();
        assert_eq!(
            format("kat_live_<id:11>.<secret:32>"),
            dotted.build().unwrap()
        );
        let opaque = KeyFormat::builder("ctza")
            .without_public_id()
            .secret(Alphabet::Hex, 40)
            .without_checksum();
        assert_eq!(format("ctza_<hex:40>"), opaque.clone().build().unwrap());
        assert_eq!(format("ctza_<hex:40>@9"), opaque.hint(9).build().unwrap());
        let dashed = KeyFormat::builder("sk").prefix_separator('-').build();
        assert_eq!(format("sk-<id>_<secret:24><checksum>"), dashed.unwrap());
    }

    #[test]
    fn keys_are_known_by_how_they_begin() {
        for (spec, key, other) in [
            ("acme_live", "acme_live_x", "acme_lively"),
            ("sk-<id>_<secret:24>", "sk-", "sk_x"),
        ] {
            let spec: FormatSpec = spec.parse().unwrap();
            assert!(spec.begins(key) && !spec.begins(other), "{spec}");
        }
    }

    #[test]
    fn what_is_printed_reads_back_as_the_same() {
        for prefix in ["acme_live", "k"] {
            for id in ["", "<id>.", "<id:16>~"] {
                for secret in ["<secret:22>", "<hex:64>"] {
                    for checksum in ["", "<checksum>"] {
                        for hint in ["", "@4"] {
                            let text = format!("{prefix}-{id}{secret}{checksum}{hint}");
                            let spec: FormatSpec = text.parse().unwrap();
                            assert_eq!(spec.to_string(), text);
                            assert_eq!(spec.to_string().parse(), Ok(spec));
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn what_spells_no_format_is_told_why() {
        for (text, why) in [
            ("", SpecError::Format(FormatError::Prefix)),
            ("acme live", SpecError::Format(FormatError::Prefix)),
            ("<secret:32>", SpecError::Spelling),
            ("a_<id>", SpecError::Secret),
            ("a_<id>_", SpecError::Secret),
            ("a_<id>_secret", SpecError::Secret),
            ("a_<secret>", SpecError::Number),
            ("a_<secret:>", SpecError::Number),
            ("a_<secret:+32>", SpecError::Number),
            ("a_<secret:99999999999999999999>", SpecError::Number),
            ("a_<secret:32>x", SpecError::Spelling),
            ("a_<secret:32><checksum>x", SpecError::Spelling),
            ("a_<secret:5>", SpecError::Format(FormatError::WeakSecret)),
            ("a_<secret:255>", SpecError::Format(FormatError::TooLong)),
            (
                "a_<id:4>_<secret:32>",
                SpecError::Format(FormatError::PublicId),
            ),
            ("a!<secret:32>", SpecError::Format(FormatError::Separator)),
            ("a@", SpecError::Number),
            ("a_<secret:32>@20", SpecError::Format(FormatError::Hint)),
        ] {
            assert_eq!(text.parse::<FormatSpec>(), Err(why), "{text}");
        }
    }
}
