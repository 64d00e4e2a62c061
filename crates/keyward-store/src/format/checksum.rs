use super::CHECKSUM_LEN;
use super::alphabet::encode_base62_u32;

/// The CRC-32 (ISO 3309) of everything before it, in six characters of base 62.
///
/// It is no defence but a sieve: a mistyped key is refused without a look-up, and a scanner can
/// tell a key from a string that only looks like one.
#[inline]
pub(super) fn checksum(text: &[u8]) -> [u8; CHECKSUM_LEN] {
    encode_base62_u32(crc32fast::hash(text))
}
