//! Keys that exist elsewhere, taken over without their plaintext.
//!
//! Whoever holds such a key goes on using it: it is verified with the hash that the other system kept.
//! Each type here that implements [`ForeignKeys`](keyward_store::ForeignKeys) goes two ways: into the
//! builder of the service, by `Builder::foreign`, so that keys of this kind are recognized and compared;
//! and over the rows of the other system, to make of each a [`Kept`](keyward_store::Kept), which
//! `Keyward::import` takes.
//!
//! | what was kept | by |
//! |---|---|
//! | SHA-256 or SHA-512 of the whole key, in hexadecimal digits, base64 or base64url | [`Sha256Keys`], [`Sha512Keys`] |
//! | bcrypt, Argon2, Django's PBKDF2 | [`Bcrypt`], [`Argon2`], [`Pbkdf2`] |
//! | rows of better-auth's API key plugin | [`BetterAuth`] |
//! | rows of djangorestframework-api-key, 2.x and 3.x | [`DrfApiKey`] |
//! | rows of Laravel Sanctum | [`Sanctum`] |
//! | rows of services that use Seam's prefixed-api-key | [`PrefixedApiKey`] |
//! | rows of Unkey | [`Unkey`] |
//!
//! ```
//! use keyward_core::{ImportError, Keyward, NewKey};
//! use keyward_import::{BetterAuth, BetterAuthRow};
//! use keyward_memory::MemoryStore;
//! use keyward_store::KeyFormat;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let better_auth = BetterAuth::new(["acme_"]);
//! let keys = Keyward::builder(MemoryStore::default())
//!     .format(KeyFormat::new("acme_live")?) // of new keys
//!     .foreign(better_auth.clone())         // and of those that there are
//!     .start()
//!     .await?;
//!
//! // select "id", "key", "name", "start", "prefix", "enabled", "permissions", ... from "apikey"
//! let mut row = BetterAuthRow::new(
//!     "8jzm9gOaakhuh0a9D4YK6HWCpfQsO8qf",
//!     "nzdbhrClUnylxErsMNCNFosTGPH9y-REvEzvMjR5lZ4",
//! );
//! row.name = Some("ci");
//! row.start = Some("acme_C");
//! row.prefix = Some("acme_");
//! row.permissions = Some(r#"{"orders":["read","write"]}"#);
//!
//! let key = better_auth.read(&row)?;
//! let new = NewKey::named(key.name.unwrap_or("unnamed".to_owned()))
//!     .tenant("acme-inc") // the row's "referenceId" is a user, or an organization
//!     .scopes(key.scopes);
//! match keys.import(new, key.kept).await {
//!     Ok(_) | Err(ImportError::AlreadyThere) => {} // done again, it goes on where it stopped
//!     Err(error) => return Err(error.into()),
//! }
//!
//! let credential = b"acme_CUgsCyhtXHYPOxkdDovufttkkJDgcEcmKfZfjgRjXvtOUlXNrXjwpRDhujyHjipG";
//! assert_eq!(keys.verifier().verify(credential).await?.name(), "ci");
//! # Ok(())
//! # }
//! ```
//!
//! # Slow hashes
//! bcrypt, Argon2 and PBKDF2 are computed on threads of their own, a few at once, and once for each
//! credential that is cached. Their hashes are salted, so a record is found by a public id or by the
//! [beginning](FoundBy::beginning) of its key; at most
//! [sixteen](keyward_store::MAX_LOOKUP_CANDIDATES) share one. What a hash may cost is bounded; a costlier
//! one is refused when it is imported.

mod argon2;
mod bcrypt;
mod digest;
mod encoding;
mod error;
mod foreign_key;
mod found_by;
mod layouts;
mod pbkdf2;
mod spelling;

pub use argon2::Argon2;
pub use bcrypt::Bcrypt;
pub use digest::{Sha256Keys, Sha512Keys};
pub use error::{RowError, Unreadable};
pub use foreign_key::ForeignKey;
pub use found_by::FoundBy;
pub use layouts::{
    BetterAuth, BetterAuthRow, DrfApiKey, DrfApiKeyRow, PrefixedApiKey, PrefixedApiKeyRow, Sanctum,
    SanctumRow, Unkey, UnkeyRow,
};
pub use pbkdf2::Pbkdf2;
pub use spelling::{Characters, Spelling};
