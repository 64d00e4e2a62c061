//! Keys as operators name them: by an id, and now and then by the key itself, which was pasted.

use keyward::KeyId;

use crate::failure::Failure;
use crate::options::Options;

/// The id that was given. What may be a key is refused before anyone is asked for it, and not repeated.
pub(crate) fn key_id(text: &str, options: &Options) -> Result<KeyId, Failure> {
    if !is_surely_an_id(text) && options.could_be_a_key(text) {
        return Err(Failure::Usage(A_KEY.to_owned()));
    }
    KeyId::new(text).map_err(|error| Failure::Usage(error.to_string()))
}

const A_KEY: &str = "that is spelled like a key, and is not repeated here. A key is named by its id: \
    `keyward verify` reads a key from standard input and tells its id. Others on this machine can read \
    arguments; take this one for leaked";

/// An id that may be repeated. One that nothing is known of may be a key of a format that was not named.
pub(crate) fn repeated(id: &KeyId) -> Option<&str> {
    Some(id.as_str()).filter(|text| is_surely_an_id(text))
}

/// There is no key of that id.
pub(crate) fn no_such_key(id: &KeyId) -> Failure {
    Failure::Refused(match repeated(id) {
        Some(id) => format!("there is no key {id}"),
        None => "there is no key of that id".to_owned(),
    })
}

/// A UUID, or a number as databases count rows.
fn is_surely_an_id(text: &str) -> bool {
    const DASHES: [usize; 4] = [8, 13, 18, 23];
    let is_number = text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit());
    let mut places = text.bytes().enumerate();
    let is_uuid = text.len() == 36
        && places.all(|(place, byte)| match DASHES.contains(&place) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        });
    is_number || is_uuid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_surely_an_id_is_repeated() {
        for text in [
            "7",
            "9223372036854775807",
            "019aa8f0-3c1e-7bb2-9f52-0d3c5f3c8a11",
        ] {
            assert_eq!(repeated(&KeyId::new(text).unwrap()), Some(text));
        }
        for text in [
            "old:7",
            "019aa8f03c1e7bb29f520d3c5f3c8a11",
            "019aa8f0-3c1e-7bb2-9f52-0d3c5f3c8a1x",
            "019aa8f0-3c1e-7bb2-9f5210d3c5f3c8a11",
            "123456789012345678901234567890",
        ] {
            assert_eq!(repeated(&KeyId::new(text).unwrap()), None, "{text}");
        }
    }
}
