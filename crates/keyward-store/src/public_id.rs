use std::fmt;
use std::hash::{Hash, Hasher};

/// The part of a key that names its record and is no secret.
///
/// It is kept inline, so that looking a key up allocates nothing.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PublicId {
    bytes: [u8; Self::MAX],
    len: u8,
}

impl PublicId {
    /// The longest public id, in bytes.
    pub const MAX: usize = 24;

    /// The public id spelled `text`: 1 to 24 ASCII letters and digits; `None` for anything else.
    #[must_use]
    pub fn new(text: &str) -> Option<Self> {
        Self::from_ascii(text.as_bytes())
    }

    pub(crate) fn from_ascii(text: &[u8]) -> Option<Self> {
        let fits = (1..=Self::MAX).contains(&text.len());
        let spelled = text.iter().all(u8::is_ascii_alphanumeric);
        (fits && spelled).then(|| Self::from_spelled(text))
    }

    /// Of text that is known to be 1 to 24 letters and digits; of more, what fits.
    #[inline]
    pub(crate) fn from_spelled(text: &[u8]) -> Self {
        let text = text.get(..Self::MAX).unwrap_or(text);
        let mut bytes = [0; Self::MAX];
        if let Some(start) = bytes.get_mut(..text.len()) {
            start.copy_from_slice(text);
        }
        let len = u8::try_from(text.len()).unwrap_or_default();
        Self { bytes, len }
    }

    /// The spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let spelled = self.bytes.get(..usize::from(self.len)).unwrap_or_default();
        // Only ASCII comes in, so this is the text itself.
        std::str::from_utf8(spelled).unwrap_or_default()
    }
}

impl Hash for PublicId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicId({})", self.as_str())
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spelling_is_kept_and_nonsense_refused() {
        assert_eq!(
            PublicId::new("0000000aB1c").unwrap().as_str(),
            "0000000aB1c"
        );
        for bad in ["", "a-b", "é", "0123456789012345678901234"] {
            assert_eq!(PublicId::new(bad), None, "{bad}");
        }
    }
}
