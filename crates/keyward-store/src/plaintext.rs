use std::fmt;

use zeroize::Zeroizing;

/// A whole key in the clear, as it is shown to its owner once.
///
/// It cannot be cloned, printed or serialized, is wiped from memory when dropped, and leaves
/// through [`expose`](Plaintext::expose) alone.
pub struct Plaintext(Zeroizing<String>);

impl Plaintext {
    /// Takes a key over; the caller's own copies remain the caller's to wipe.
    #[must_use]
    pub fn new(key: String) -> Self {
        Self(Zeroizing::new(key))
    }

    /// The key itself. What happens to it from here on is not guarded.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Plaintext([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        let key = Plaintext::new("acme_live_secret".to_owned());
        assert_eq!(format!("{key:?}"), "Plaintext([redacted])");
        assert_eq!(key.expose(), "acme_live_secret");
    }
}
