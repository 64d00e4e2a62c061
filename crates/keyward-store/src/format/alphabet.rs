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
        MEMBERS[byte as usize] & self.bit() != 0
    }

    /// Whether every byte is a member.
    #[inline]
    pub(super) fn spells(self, text: &[u8]) -> bool {
        // No early exit, so that the loop has no branch and the time does not tell where it failed.
        let bit = self.bit();
        text.iter()
            .fold(bit, |all, byte| all & MEMBERS[*byte as usize])
            == bit
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Base62 => 1,
            Self::Hex => 2,
        }
    }
}

const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// For each byte, the alphabets that it belongs to.
static MEMBERS: [u8; 256] = {
    let mut members = [0; 256];
    let alphabets = [Alphabet::Base62, Alphabet::Hex];
    let mut which = 0;
    while which < alphabets.len() {
        let characters = alphabets[which].characters();
        let mut at = 0;
        while at < characters.len() {
            members[characters[at] as usize] |= alphabets[which].bit();
            at += 1;
        }
        which += 1;
    }
    members
};

/// Spells `number` in base 62 with leading zeros; what does not fit is cut off in front.
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

/// The number that eleven characters of base 62 spell, if it is one that a public id may have.
pub(super) fn decode_base62_u64(text: &[u8]) -> Option<u64> {
    let mut number = 0_u64;
    for byte in text {
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'A'..=b'Z' => byte - b'A' + 10,
            b'a'..=b'z' => byte - b'a' + 36,
            _ => return None,
        };
        number = number.checked_mul(62)?.checked_add(u64::from(digit))?;
    }
    Some(number).filter(|number| *number > 0)
}

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
