//! Credentials that look right and are not.

/// The key with another secret, and the checksum that belongs to it: `n` makes it one of many.
pub(super) fn other_secret(key: &str, n: usize) -> String {
    let secret_start = key.rfind('_').map_or(0, |at| at + 1);
    checksummed(format!("{}{n:024}", &key[..secret_start]))
}

/// The key under another public id, and the checksum that belongs to it.
pub(super) fn other_id(key: &str, n: usize) -> String {
    let secret_start = key.rfind('_').map_or(0, |at| at + 1);
    let prefix = PREFIX;
    let secret = &key[secret_start..key.len() - CHECKSUM];
    // A `u64` in base 62 needs no more than its low digits here.
    checksummed(format!("{prefix}_{n:011}_{secret}"))
}

/// The key with its last character changed: what a typing error or a scanner's guess looks like.
pub(super) fn bad_checksum(key: &str) -> String {
    let (body, last) = key.split_at(key.len() - 1);
    format!("{body}{}", if last == "0" { '1' } else { '0' })
}

fn checksummed(mut key: String) -> String {
    let mut rest = u64::from(crc32fast::hash(key.as_bytes()));
    let mut digits = [b'0'; CHECKSUM];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    key.extend(digits.map(char::from));
    key
}

/// The prefix of all keys here.
pub(super) const PREFIX: &str = "acme_live";

const CHECKSUM: usize = 6;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

#[cfg(test)]
mod tests {
    use keyward::KeyFormat;

    use super::*;

    #[test]
    fn only_the_bad_checksum_is_no_key() {
        let format = KeyFormat::new(PREFIX).unwrap();
        let key = format.generate().unwrap().plaintext.expose().to_owned();
        let parse = |key: &str| {
            format
                .parse(key.as_bytes())
                .map(|parsed| parsed.public_id())
        };
        let id = parse(&key).unwrap();
        assert_eq!(parse(&other_secret(&key, 7)), Some(id));
        assert_ne!(parse(&other_id(&key, 7)).unwrap(), id);
        assert_eq!(parse(&bad_checksum(&key)), None);
    }
}
