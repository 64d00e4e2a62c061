use std::str::FromStr;

use ::bcrypt::HashParts;
use keyward_store::{ForeignHash, ForeignKeys, Kept, KeyHash, Locator};

use crate::argon2::number;
use crate::{FoundBy, RowError, Unreadable};

/// Keys of which a bcrypt hash was kept: `$2a$`, `$2b$` or `$2y$`.
///
/// bcrypt reads 72 bytes at most. Some libraries refuse a longer key, others cut it off, so that every
/// key with the same first 72 bytes passes. Here a longer key never passes, unless
/// [`truncating`](Bcrypt::truncating) says that the other system cut it off.
///
/// ```
/// # use keyward_core::{Keyward, NewKey};
/// # use keyward_import::{Bcrypt, Characters, FoundBy, Spelling};
/// # use keyward_memory::MemoryStore;
/// # use keyward_store::{Alphabet, KeyFormat};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // New keys look like the old ones: `ctza_` and 40 hexadecimal digits.
/// let format = KeyFormat::builder("ctza")
///     .without_public_id()
///     .secret(Alphabet::Hex, 40)
///     .without_checksum()
///     .build()?;
/// // The old ones are found by their first nine characters.
/// let spelling = Spelling::new("ctza_", Characters::Hex, 40..=40);
/// let bcrypt = Bcrypt::new(FoundBy::beginning(spelling, 9)?);
///
/// let keys = Keyward::builder(MemoryStore::default())
///     .format(format)
///     .foreign(bcrypt.clone())
///     .upgrade_foreign()
///     .start()
///     .await?;
///
/// let (prefix, hash) = (
///     "ctza_a1b2",
///     "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y",
/// );
/// let new = NewKey::named("ci").tenant("acme-inc");
/// keys.import(new, bcrypt.kept(hash, prefix)?).await?;
///
/// let credential = b"ctza_a1b2c3d4e5f60718293a4b5c6d7e8f9012345678";
/// assert_eq!(keys.verifier().verify(credential).await?.name(), "ci");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Bcrypt {
    found_by: FoundBy,
    max_cost: u32,
    truncating: bool,
}

impl Bcrypt {
    /// The highest cost unless said otherwise: some 200 ms for each of at most 16 candidates.
    pub const MAX_COST: u32 = 12;
    const SCHEME: &str = "bcrypt";
    /// What bcrypt reads of a key.
    const MAX_BYTES: usize = 72;

    /// Keys that are found so.
    #[must_use]
    pub const fn new(found_by: FoundBy) -> Self {
        Self {
            found_by,
            max_cost: Self::MAX_COST,
            truncating: false,
        }
    }

    /// Hashes of a cost up to this are allowed. Each step doubles the time.
    #[must_use]
    pub const fn max_cost(mut self, cost: u32) -> Self {
        self.max_cost = cost;
        self
    }

    /// Of keys longer than 72 bytes only the first 72 count, as with PHP's `password_hash`.
    ///
    /// Where keys move to the present hash on use, they count whole from then on, as they were used first.
    #[must_use]
    pub const fn truncating(mut self) -> Self {
        self.truncating = true;
        self
    }

    /// A hash that can be compared.
    ///
    /// # Errors
    /// [`Unreadable`] for what is no bcrypt hash, or one of a higher cost than is allowed.
    pub fn hash(&self, text: &str) -> Result<ForeignHash, Unreadable> {
        let known = ["$2a$", "$2b$", "$2y$"];
        if !known.iter().any(|version| text.starts_with(version)) {
            return Err(Unreadable::Hash);
        }
        HashParts::from_str(text).map_err(|_| Unreadable::Hash)?;
        // The library would take `+4` for a cost too.
        match text.get(4..6).and_then(number).ok_or(Unreadable::Hash)? {
            cost if !(4..=31).contains(&cost) => Err(Unreadable::Hash),
            cost if cost > self.max_cost => Err(Unreadable::TooCostly),
            _ => Ok(ForeignHash::new(Self::SCHEME, text)),
        }
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
    /// [`Unreadable`] as from [`hash`](Bcrypt::hash).
    pub fn kept_by_public_id(&self, hash: &str) -> Result<Kept, Unreadable> {
        Ok(Kept::new(KeyHash::Foreign(self.hash(hash)?)))
    }
}

impl ForeignKeys for Bcrypt {
    fn scheme(&self) -> &str {
        Self::SCHEME
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        self.found_by.locate(credential)
    }

    fn reads(&self, hash: &str) -> bool {
        self.hash(hash).is_ok()
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let fits = credential.len() <= Self::MAX_BYTES || self.truncating;
        // Libraries end a key at its first zero byte, or go on, or fail.
        let ends = credential.contains(&0);
        fits && !ends && self.reads(hash) && ::bcrypt::verify(credential, hash).unwrap_or(false)
    }

    fn is_slow(&self, _hash: &str) -> bool {
        true
    }
}
