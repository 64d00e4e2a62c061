use sha2::{Digest, Sha256};

/// The name of a schedule in Redis: itself, or its SHA-256 where it is long.
///
/// Different schedules have different names.
pub(crate) fn name_in_redis(prefix: &str, schedule: &str) -> Vec<u8> {
    let mut name = prefix.as_bytes().to_vec();
    // The sign tells a digest from a name that looks like one.
    if schedule.len() <= LONGEST && !schedule.starts_with(SIGN) {
        name.extend_from_slice(schedule.as_bytes());
        return name;
    }
    name.extend(SIGN.to_string().bytes());
    for byte in Sha256::digest(schedule.as_bytes()) {
        name.extend([byte >> 4, byte & 15].map(|digit| HEX[usize::from(digit)]));
    }
    name
}

const SIGN: char = '#';
/// As much as a rule, and the id of a key or an address take.
const LONGEST: usize = 128;
const HEX: &[u8; 16] = b"0123456789abcdef";

#[cfg(test)]
mod tests {
    use super::*;

    fn name(schedule: &str) -> String {
        String::from_utf8(name_in_redis("{k}:", schedule)).unwrap()
    }

    #[test]
    fn short_names_stay_and_long_ones_become_digests() {
        assert_eq!(name("3:key:tenant:a b"), "{k}:3:key:tenant:a b");
        assert_eq!(name(""), "{k}:");
        let longest = "é".repeat(LONGEST / 2);
        assert_eq!(name(&longest), format!("{{k}}:{longest}"));
        // The digest of FIPS 180-2 §B.3.
        assert_eq!(
            name(&"a".repeat(1_000_000)),
            "{k}:#cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        );
    }

    #[test]
    fn no_name_passes_for_the_digest_of_another() {
        let long = name(&"a".repeat(200));
        let forged = long.strip_prefix("{k}:").unwrap();
        assert_ne!(name(forged), long);
        assert_eq!(name(forged).len(), long.len());
    }
}
