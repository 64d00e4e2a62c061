/// The characters of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Alphabet {
    /// `0`–`9`, `A`–`Z`, `a`–`z`: 5.95 bits a character.
    Base62,
    /// `0`–`9`, `a`–`f`: 4 bits a character.
    Hex,
}

impl Alphabet {
    /// The characters, in the order of their value.
    pub(super) const fn characters(self) -> &'static [u8] {
        match self {
            Self::Base62 => BASE62,
            Self::Hex => b"0123456789abcdef",
        }
    }

    /// The fewest characters that hold 128 bits.
    pub(super) const fn min_secret(self) -> usize {
        match self {
            Self::Base62 => 22,
            Self::Hex => 32,
        }
    }

    pub(super) const fn class(self) -> &'static str {
        match self {
            Self::Base62 => "[0-9A-Za-z]",
            Self::Hex => "[0-9a-f]",
        }
    }

    #[inline]
    pub(super) const fn contains(self, byte: u8) -> bool {
        match self {
            Self::Base62 => is_base62(byte),
            Self::Hex => is_hex(byte),
        }
    }

    /// Whether every byte is a member.
    #[inline]
    pub(super) fn spells(self, text: &[u8]) -> bool {
        // No early exit: without a branch in it, sixteen bytes are looked at in one step.
        match self {
            Self::Base62 => text.iter().fold(true, |all, byte| all & is_base62(*byte)),
            Self::Hex => text.iter().fold(true, |all, byte| all & is_hex(*byte)),
        }
    }
}

#[inline]
const fn is_base62(byte: u8) -> bool {
    // Setting the bit makes a capital letter a small one, and no other byte a letter.
    (byte.wrapping_sub(b'0') < 10) | ((byte | 0x20).wrapping_sub(b'a') < 26)
}

#[inline]
const fn is_hex(byte: u8) -> bool {
    (byte.wrapping_sub(b'0') < 10) | (byte.wrapping_sub(b'a') < 6)
}

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Spells `number` in base 62 with leading zeros; what does not fit is cut off in front.
#[inline]
pub(super) const fn encode_base62<const N: usize>(mut number: u64) -> [u8; N] {
    let mut text = [b'0'; N];
    let mut at = N;
    while at > 0 {
        at -= 1;
        text[at] = BASE62[(number % 62) as usize];
        number /= 62;
    }
    text
}

/// The same for a CRC-32, in the six digits that hold any. Two halves that do not wait for each
/// other.
#[inline]
pub(super) fn encode_base62_u32(number: u32) -> [u8; 6] {
    const HALF: u32 = 62 * 62 * 62;
    let (high, low) = (number / HALF, number % HALF);
    let digit = |number: u32| BASE62[(number % 62) as usize];
    [
        digit(high / (62 * 62)),
        digit(high / 62),
        digit(high),
        digit(low / (62 * 62)),
        digit(low / 62),
        digit(low),
    ]
}

/// Whether eleven characters of base 62 spell a number that a public id may have: not zero, and no
/// more than fits in 64 bits. The digits are in the order of their bytes, so text compares as
/// numbers do.
#[inline]
pub(super) fn spells_u64(text: &[u8; 11]) -> bool {
    Alphabet::Base62.spells(text) && text <= b"LygHa16AHYF" && text != b"00000000000"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_the_numbers_that_they_spell() {
        for number in [1, 61, 62, 0xFFFF_FFFF, u64::MAX - 1, u64::MAX] {
            let text = encode_base62::<11>(number);
            assert!(spells_u64(&text));
            let digit = |byte: &u8| BASE62.iter().position(|it| it == byte).unwrap() as u128;
            let decoded = text
                .iter()
                .fold(0, |number, byte| number * 62 + digit(byte));
            assert_eq!(decoded, u128::from(number));
        }
        assert_eq!(&encode_base62::<11>(u64::MAX), b"LygHa16AHYF");
        for bad in [
            b"LygHa16AHYG",
            b"M0000000000",
            b"00000000000",
            b"0000000000-",
        ] {
            assert!(!spells_u64(bad));
        }
    }

    #[test]
    fn both_ways_to_encode_agree() {
        for number in [0, 1, 61, 62, 238_327, 238_328, u32::MAX - 1, u32::MAX] {
            assert_eq!(encode_base62_u32(number), encode_base62::<6>(number.into()));
        }
    }

    #[test]
    fn membership_is_exact() {
        for byte in 0..=255_u8 {
            assert_eq!(
                Alphabet::Base62.contains(byte),
                byte.is_ascii_alphanumeric()
            );
            let hex = byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
            assert_eq!(Alphabet::Hex.spells(&[b'0', byte]), hex);
        }
    }
}
