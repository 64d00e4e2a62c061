use ::pbkdf2::pbkdf2_hmac;
use keyward_store::{ForeignHash, ForeignKeys, Kept, KeyHash, Locator};
use sha2::Sha256;
use subtle::ConstantTimeEq;

use crate::argon2::number;
use crate::encoding::base64;
use crate::{FoundBy, RowError, Unreadable};

/// Keys of which a PBKDF2 hash (RFC 8018) was kept, as Django writes it by default:
/// `pbkdf2_sha256$<iterations>$<salt>$<base64>`.
#[derive(Clone, Debug)]
pub struct Pbkdf2 {
    found_by: FoundBy,
    max_iterations: u32,
}

impl Pbkdf2 {
    /// The most iterations unless said otherwise. Django 5.2 makes a million, later ones some more.
    pub const MAX_ITERATIONS: u32 = 2_000_000;
    const SCHEME: &str = "pbkdf2";

    /// Keys that are found so.
    #[must_use]
    pub const fn new(found_by: FoundBy) -> Self {
        Self {
            found_by,
            max_iterations: Self::MAX_ITERATIONS,
        }
    }

    /// Hashes of up to so many iterations are allowed.
    #[must_use]
    pub const fn max_iterations(mut self, iterations: u32) -> Self {
        self.max_iterations = iterations;
        self
    }

    /// A hash that can be compared.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no such hash, or one of more iterations than are allowed.
    pub fn hash(&self, text: &str) -> Result<ForeignHash, Unreadable> {
        Kernel::read(text, self.max_iterations)?;
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
    /// [`Unreadable`] as from [`hash`](Pbkdf2::hash).
    pub fn kept_by_public_id(&self, hash: &str) -> Result<Kept, Unreadable> {
        Ok(Kept::new(KeyHash::Foreign(self.hash(hash)?)))
    }
}

impl ForeignKeys for Pbkdf2 {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        self.found_by.locate(credential)
    }

    fn reads(&self, hash: &str) -> bool {
        Kernel::read(hash, self.max_iterations).is_ok()
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let kernel = Kernel::read(hash, self.max_iterations).ok();
        kernel.is_some_and(|kernel| kernel.proves(credential))
    }

    fn is_slow(&self, _hash: &str) -> bool {
        true
    }
}

/// What the text of a hash says.
pub(crate) struct Kernel<'a> {
    iterations: u32,
    salt: &'a str,
    output: [u8; 32],
}

impl<'a> Kernel<'a> {
    pub(crate) fn read(text: &'a str, max_iterations: u32) -> Result<Self, Unreadable> {
        let kernel = Self::parse(text).ok_or(Unreadable::Hash)?;
        if kernel.iterations > max_iterations {
            return Err(Unreadable::TooCostly);
        }
        Ok(kernel)
    }

    fn parse(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("pbkdf2_sha256$")?.split('$');
        let kernel = Self {
            iterations: number(parts.next()?).filter(|iterations| *iterations > 0)?,
            salt: parts.next()?,
            output: base64(parts.next()?)?,
        };
        parts.next().is_none().then_some(kernel)
    }

    pub(crate) fn proves(&self, credential: &[u8]) -> bool {
        let mut output = [0; 32];
        let salt = self.salt.as_bytes();
        pbkdf2_hmac::<Sha256>(credential, salt, self.iterations, &mut output);
        output.ct_eq(&self.output).into()
    }
}
