use std::fmt;
use std::hash::{Hash, Hasher};

use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// Thirty-two bytes that stand for a credential: its SHA-256, or its MAC under a pepper.
///
/// Digests compare in constant time and are never printed.
#[derive(Clone, Copy)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The SHA-256 (FIPS 180-4) of a whole credential, as presented.
    #[inline]
    #[must_use]
    pub fn sha256(credential: &[u8]) -> Self {
        Self(Sha256::digest(credential).into())
    }

    /// A digest that was computed elsewhere.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a store to keep.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The digest that 64 hexadecimal digits spell, in either case; `None` for any other text.
    #[must_use]
    pub fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != bytes.len() || !rest.is_empty() {
            return None;
        }
        let digit = |digit: u8| char::from(digit).to_digit(16);
        for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
            *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
        }
        Some(Self(bytes))
    }

    /// The digest in 64 hexadecimal digits, small letters, for a store that keeps it so.
    #[must_use]
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// The first eight bytes as a number, to pick a slot with.
    #[inline]
    #[must_use]
    pub fn word(&self) -> u64 {
        self.words()[0]
    }

    #[inline]
    fn words(&self) -> [u64; 4] {
        let (chunks, _) = self.0.as_chunks::<8>();
        [
            u64::from_le_bytes(chunks[0]),
            u64::from_le_bytes(chunks[1]),
            u64::from_le_bytes(chunks[2]),
            u64::from_le_bytes(chunks[3]),
        ]
    }
}

impl ConstantTimeEq for Digest {
    // One comparison of four folded words: byte by byte costs twenty times as much and hides no
    // more.
    #[inline]
    fn ct_eq(&self, other: &Self) -> Choice {
        let (a, b) = (self.words(), other.words());
        let difference = (a[0] ^ b[0]) | (a[1] ^ b[1]) | (a[2] ^ b[2]) | (a[3] ^ b[3]);
        difference.ct_eq(&0)
    }
}

impl PartialEq for Digest {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        self.ct_eq(other).into()
    }
}

impl Eq for Digest {}

impl Hash for Digest {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Digest([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_differing_bit_is_seen() {
        let one = Digest::sha256(b"one");
        assert_eq!(one, Digest::sha256(b"one"));
        for bit in 0..256 {
            let mut bytes = *one.as_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(one, Digest::from_bytes(bytes), "bit {bit}");
        }
    }

    #[test]
    fn hexadecimal_goes_there_and_back() {
        let digest = Digest::sha256(b"abc");
        // FIPS 180-4, the example for SHA-256 of one block.
        let text = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(digest.to_hex(), text);
        assert_eq!(Digest::from_hex(text), Some(digest));
        assert_eq!(Digest::from_hex(&text.to_uppercase()), Some(digest));
        for bad in [
            "",
            &text[1..],
            &format!("{text}0"),
            &text.replace('b', "g"),
            &text.replace("ba", "é"),
        ] {
            assert_eq!(Digest::from_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Digest::sha256(b"x")), "Digest([redacted])");
    }
}
