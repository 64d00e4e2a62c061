use std::fmt;

use ::argon2::{Algorithm, Params, Version};
use base64::Engine as _;
use keyward_store::{ForeignHash, ForeignKeys, Kept, KeyHash, Locator};
use subtle::ConstantTimeEq;

use crate::encoding::{MAX, PLAIN};
use crate::{FoundBy, RowError, Unreadable};

/// Keys of which an Argon2 hash was kept: `$argon2id$`, `$argon2i$` or `$argon2d$` (RFC 9106), as the
/// reference implementation writes it.
#[derive(Clone, Debug)]
pub struct Argon2 {
    found_by: FoundBy,
    most: Cost,
}

/// What it takes to compute a hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Cost {
    memory: u32,
    passes: u32,
    lanes: u32,
}

impl Argon2 {
    /// The highest cost unless said otherwise: 64 MiB, 10 passes, 16 lanes.
    pub const MAX_COST: (u32, u32, u32) = (64 * 1024, 10, 16);
    const SCHEME: &str = "argon2";

    /// Keys that are found so.
    #[must_use]
    pub const fn new(found_by: FoundBy) -> Self {
        let (memory, passes, lanes) = Self::MAX_COST;
        Self {
            found_by,
            most: Cost {
                memory,
                passes,
                lanes,
            },
        }
    }

    /// Hashes are allowed that take up to so many KiB of memory, passes over it and lanes.
    #[must_use]
    pub const fn max_cost(mut self, memory_kib: u32, passes: u32, lanes: u32) -> Self {
        self.most = Cost {
            memory: memory_kib,
            passes,
            lanes,
        };
        self
    }

    /// A hash that can be compared.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no Argon2 hash, or one of a higher cost than is allowed.
    pub fn hash(&self, text: &str) -> Result<ForeignHash, Unreadable> {
        self.read(text)?;
        Ok(ForeignHash::new(Self::SCHEME, text))
    }

    /// What is kept of a key with that hash and that beginning.
    ///
    /// # Errors
    /// [`RowError`] names `hash` or `beginning`.
    pub fn kept(&self, hash: &str, beginning: &str) -> Result<Kept, RowError> {
        let hash = self.hash(hash).map_err(RowError::of("hash"))?;
        self.found_by.kept(hash, "beginning", beginning)
    }

    /// What is kept of a key with that hash whose public id is told apart, by
    /// [`Kept::public_id`] and [`Kept::prefix`].
    ///
    /// # Errors
    /// [`Unreadable`] as from [`hash`](Argon2::hash).
    pub fn kept_by_public_id(&self, hash: &str) -> Result<Kept, Unreadable> {
        Ok(Kept::new(KeyHash::Foreign(self.hash(hash)?)))
    }

    fn read(&self, text: &str) -> Result<Kernel, Unreadable> {
        let kernel = Kernel::read(text).ok_or(Unreadable::Hash)?;
        let Cost {
            memory,
            passes,
            lanes,
        } = kernel.cost;
        let allowed =
            memory <= self.most.memory && passes <= self.most.passes && lanes <= self.most.lanes;
        allowed.then_some(kernel).ok_or(Unreadable::TooCostly)
    }
}

impl ForeignKeys for Argon2 {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        self.found_by.locate(credential)
    }

    fn reads(&self, hash: &str) -> bool {
        self.read(hash).is_ok()
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let kernel = self.read(hash).ok();
        kernel.is_some_and(|kernel| kernel.proves(credential))
    }

    fn is_slow(&self, _hash: &str) -> bool {
        true
    }
}

/// What the text of a hash says.
struct Kernel {
    algorithm: Algorithm,
    version: Version,
    cost: Cost,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl Kernel {
    /// `$argon2id$v=19$m=65536,t=3,p=4$<salt>$<output>`; the oldest have no version.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix('$')?.split('$');
        let algorithm = match parts.next()? {
            "argon2id" => Algorithm::Argon2id,
            "argon2i" => Algorithm::Argon2i,
            "argon2d" => Algorithm::Argon2d,
            _ => return None,
        };
        let mut next = parts.next()?;
        let version = match next.strip_prefix("v=") {
            None => Version::V0x10,
            Some(version) => {
                next = parts.next()?;
                match version {
                    "16" => Version::V0x10,
                    "19" => Version::V0x13,
                    _ => return None,
                }
            }
        };
        let cost = Cost::read(next)?;
        let (salt, output) = (decoded(parts.next()?)?, decoded(parts.next()?)?);
        let fits = salt.len() >= ::argon2::MIN_SALT_LEN && output.len() >= MIN_OUTPUT;
        (fits && parts.next().is_none()).then_some(Self {
            algorithm,
            version,
            cost,
            salt,
            output,
        })
    }

    fn proves(&self, credential: &[u8]) -> bool {
        let Cost {
            memory,
            passes,
            lanes,
        } = self.cost;
        let length = self.output.len();
        let Ok(params) = Params::new(memory, passes, lanes, Some(length)) else {
            return false;
        };
        let mut output = [0; MAX];
        let Some(output) = output.get_mut(..length) else {
            return false;
        };
        let argon2 = ::argon2::Argon2::new(self.algorithm, self.version, params);
        let computed = argon2.hash_password_into(credential, &self.salt, output);
        computed.is_ok() && bool::from(output.ct_eq(&self.output))
    }
}

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kernel")
            .field("cost", &self.cost)
            .finish_non_exhaustive()
    }
}

impl Cost {
    /// `m=65536,t=3,p=4`, in that order.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split(',');
        let mut part = |name: &str| parts.next()?.strip_prefix(name).and_then(number);
        let cost = Self {
            memory: part("m=")?,
            passes: part("t=")?,
            lanes: part("p=")?,
        };
        parts.next().is_none().then_some(cost)
    }
}

/// A number in digits alone.
pub(crate) fn number(text: &str) -> Option<u32> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = [0; MAX + 3];
    if text.len() > MAX.div_ceil(3) * 4 || text.contains('=') {
        return None;
    }
    let length = PLAIN.decode_slice(text, &mut bytes).ok()?;
    let bytes = bytes.get(..length).filter(|bytes| bytes.len() <= MAX)?;
    Some(bytes.to_vec())
}

/// Fewer bytes would be guessed.
const MIN_OUTPUT: usize = 16;
