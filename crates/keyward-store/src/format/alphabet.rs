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

/// The same for a smaller number, whose divisions are cheaper.
#[inline]
pub(super) const fn encode_base62_u32<const N: usize>(mut number: u32) -> [u8; N] {
    let mut text = [b'0'; N];
    let mut at = N;
    while at > 0 {
        at -= 1;
        text[at] = BASE62[(number % 62) as usize];
        number /= 62;
    }
    text
}

/// The number that eleven characters of base 62 spell, if it is one that a public id may have.
#[inline]
pub(super) fn decode_base62_u64(text: &[u8; 11]) -> Option<u64> {
    let digit = |byte: &u8| u64::from(VALUES[usize::from(*byte)]);
    let (last, front) = text.split_last()?;
    // Ten digits cannot overflow: 62^10 is less than 2^60. A byte that is none spoils the sum of
    // the values' high bits.
    let spoiled = text.iter().fold(0, |all, byte| all | digit(byte)) & NO_DIGIT != 0;
    let number = front
        .iter()
        .fold(0_u64, |number, byte| number * 62 + digit(byte) % NO_DIGIT);
    let number = number.checked_mul(62)?.checked_add(digit(last))?;
    (!spoiled && number > 0).then_some(number)
}

/// Beyond every digit.
const NO_DIGIT: u64 = 64;

/// The value of each digit of base 62.
static VALUES: [u8; 256] = {
    let mut values = [64; 256];
    let mut at = 0;
    while at < BASE62.len() {
        // The digits are sixty-two, so the place of one fits.
        values[BASE62[at] as usize] = at as u8;
        at += 1;
    }
    values
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_goes_there_and_back() {
        for number in [1, 61, 62, 0xFFFF_FFFF, u64::MAX - 1, u64::MAX] {
            let text: [u8; 11] = encode_base62(number);
            assert_eq!(decode_base62_u64(&text), Some(number));
        }
        assert_eq!(&encode_base62::<11>(u64::MAX), b"LygHa16AHYF");
        assert_eq!(decode_base62_u64(b"LygHa16AHYG"), None);
        assert_eq!(decode_base62_u64(b"00000000000"), None);
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
