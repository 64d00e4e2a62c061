use thiserror::Error;
use zeroize::Zeroizing;

use super::alphabet::encode_base62;
use super::checksum::checksum;
use super::{Alphabet, IdShape, KeyFormat};
use crate::{Plaintext, PublicId};

/// A new key, and what may be kept of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Generated {
    /// The key in the clear.
    pub plaintext: Plaintext,
    /// Its public id, where the format has one.
    pub public_id: Option<PublicId>,
    /// As much of it as may be shown.
    pub hint: String,
}

impl KeyFormat {
    /// Makes a key from the operating system's generator.
    ///
    /// # Errors
    /// [`GenerateError`] when the operating system gives no random bytes; there is no other source
    /// to fall back to.
    pub fn generate(&self) -> Result<Generated, GenerateError> {
        // Sized once: a string that grew would leave pieces of the key behind.
        let mut key = Zeroizing::new(Vec::with_capacity(self.key_len()));
        key.extend_from_slice(self.prefix.as_bytes());
        key.push(self.prefix_separator);
        let mut public_id = None;
        if let Some(shape) = self.id {
            let start = key.len();
            match shape {
                IdShape::U64 => key.extend_from_slice(&encode_base62::<11>(random_id()?)),
                IdShape::Characters(n) => push_random(&mut key, self.alphabet, n)?,
            }
            public_id = key.get(start..).and_then(PublicId::from_ascii);
            key.push(self.id_separator);
        }
        push_random(&mut key, self.alphabet, self.secret_len)?;
        if self.checksum {
            let sum = checksum(&key);
            key.extend_from_slice(&sum);
        }
        let text = std::str::from_utf8(&key).unwrap_or_default();
        Ok(Generated {
            hint: text.get(..self.hint_len).unwrap_or_default().to_owned(),
            plaintext: Plaintext::new(text.to_owned()),
            public_id,
        })
    }
}

fn random_id() -> Result<u64, GenerateError> {
    loop {
        let id = getrandom::u64().map_err(GenerateError)?;
        if id > 0 {
            return Ok(id);
        }
    }
}

/// Appends `count` characters, each as likely as every other.
fn push_random(key: &mut Vec<u8>, alphabet: Alphabet, count: usize) -> Result<(), GenerateError> {
    let characters = alphabet.characters();
    // The next power of two above the alphabet: what lies between is thrown away, for a remainder
    // would favour the first characters.
    let mask = characters.len().next_power_of_two() - 1;
    let mut random = Zeroizing::new([0_u8; 64]);
    let end = key.len() + count;
    while key.len() < end {
        getrandom::fill(&mut *random).map_err(GenerateError)?;
        let picked = random
            .iter()
            .filter_map(|byte| characters.get(usize::from(*byte) & mask));
        key.extend(picked.take(end - key.len()));
    }
    Ok(())
}

/// The operating system gave no random bytes.
#[derive(Debug, Error)]
#[error("the operating system gave no random bytes")]
pub struct GenerateError(#[source] getrandom::Error);
