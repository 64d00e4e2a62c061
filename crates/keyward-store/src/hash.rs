use crate::{Digest, ForeignHash, PepperId};

/// How a key is kept: what a store holds in place of the plaintext.
///
/// A key of at least 112 random bits needs no slow hash (NIST SP 800-63B-4 §3.1.2, OWASP ASVS
/// 6.5.2); a pepper that is not in the database makes a stolen table useless even for weaker keys.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyHash {
    /// SHA-256 of the whole key.
    Sha256(Digest),
    /// HMAC-SHA-256 (RFC 2104) of the whole key under a pepper.
    HmacSha256 {
        /// Which pepper.
        pepper: PepperId,
        /// The MAC.
        mac: Digest,
    },
    /// As another system kept it.
    Foreign(ForeignHash),
}
