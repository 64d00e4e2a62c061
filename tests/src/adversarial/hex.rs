/// The bytes that hexadecimal text stands for; `None` for any other text.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = |[high, low]: &[u8; 2]| u8::try_from(digit(*high)? << 4 | digit(*low)?).ok();
    pairs.iter().map(byte).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_is_read_and_other_text_refused() {
        assert_eq!(decode("00fFa5").unwrap(), [0, 255, 165]);
        assert!(decode("").unwrap().is_empty());
        for bad in ["0", "+f", "zz", "0 "] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
