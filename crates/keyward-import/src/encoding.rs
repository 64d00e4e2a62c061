//! Digests as other systems write them.

use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};

/// The bytes that a text spells in hexadecimal digits of either case, in base64 or in base64url, with
/// padding or without; `None` unless there are exactly `N`.
pub(crate) fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() == 2 * N {
        hexadecimal(text)
    } else {
        base64(text)
    }
}

/// The bytes that a text spells in hexadecimal digits of either case.
pub(crate) fn hexadecimal<const N: usize>(text: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let digit = |digit: u8| char::from(digit).to_digit(16);
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = u8::try_from(digit(*high)? << 4 | digit(*low)?).ok()?;
    }
    Some(bytes)
}

/// The bytes that a text spells in base64 or base64url.
pub(crate) fn base64<const N: usize>(text: &str) -> Option<[u8; N]> {
    // As many as the longest text spells, padded, and room for an estimate.
    let mut bytes = [0; MAX + 3];
    if text.len() > MAX.div_ceil(3) * 4 {
        return None;
    }
    let engine = if text.contains(['-', '_']) {
        &URL
    } else {
        &PLAIN
    };
    let length = engine.decode_slice(text, &mut bytes).ok()?;
    bytes.get(..length)?.try_into().ok()
}

/// Small hexadecimal digits.
pub(crate) fn to_hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The longest digest that is read.
pub(crate) const MAX: usize = 64;

const EITHER: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
pub(crate) const PLAIN: GeneralPurpose = GeneralPurpose::new(&STANDARD, EITHER);
const URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, EITHER);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_the_same_bytes_is_read() {
        let bytes_ = [0xfb; 32];
        let plain = "+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/s";
        let url = plain.replace('+', "-").replace('/', "_");
        for text in [
            "fb".repeat(32),
            "FB".repeat(32),
            plain.to_owned(),
            format!("{plain}="),
            url.clone(),
            format!("{url}="),
        ] {
            assert_eq!(bytes::<32>(&text), Some(bytes_), "{text}");
        }
        for bad in [
            "",
            "fb",
            &"fg".repeat(32),
            &plain[1..],
            &format!("{plain}A"),
        ] {
            assert_eq!(bytes::<32>(bad), None, "{bad}");
        }
        assert_eq!(to_hexadecimal(&bytes_), "fb".repeat(32));
    }
}
