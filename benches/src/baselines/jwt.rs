//! Signed tokens: no store and no cache, a signature on every request, and no revocation before expiry.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::{Extensions, HeaderMap, StatusCode};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde::{Deserialize, Serialize};

use super::guard::{Check, GuardLayer, Handed, bearer};
use super::name;
use crate::Result;
use crate::lineup::{Lineup, Traffic};

pub(super) fn enter(lineup: &mut Lineup) -> Result<()> {
    let (sign, verify) = (
        EncodingKey::from_secret(SECRET),
        DecodingKey::from_secret(SECRET),
    );
    one(lineup, name::HS256, Algorithm::HS256, &sign, verify)?;

    let der = [PKCS8.as_slice(), &ED25519_SECRET].concat();
    let (sign, verify) = (
        EncodingKey::from_ed_der(&der),
        DecodingKey::from_ed_der(&ED25519_PUBLIC),
    );
    one(lineup, name::EDDSA, Algorithm::EdDSA, &sign, verify)
}

fn one(
    lineup: &mut Lineup,
    name: &str,
    algorithm: Algorithm,
    sign: &EncodingKey,
    verify: DecodingKey,
) -> Result<()> {
    let expires = SystemTime::now().duration_since(UNIX_EPOCH)? + Duration::from_secs(86_400);
    let claims = Claims {
        sub: "01980a5e-6a3c-7c60-9d43-0e5b2a6f1c11".to_owned(),
        tenant: "acme-inc".to_owned(),
        scopes: vec!["orders:read".to_owned()],
        exp: expires.as_secs(),
    };
    let token = encode(&Header::new(algorithm), &claims, sign)?;
    let traffic = Traffic::bearer(&token, StatusCode::OK)?;
    let layer = GuardLayer::new(Signed(Arc::new((verify, Validation::new(algorithm)))));

    lineup.bare(name, layer.clone(), traffic.clone());
    lineup.router(name, |router| router.layer(layer), traffic);
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct Claims {
    sub: String,
    tenant: String,
    scopes: Vec<String>,
    exp: u64,
}

#[derive(Clone)]
struct Signed(Arc<(DecodingKey, Validation)>);

impl Check for Signed {
    fn check(&self, headers: &HeaderMap, extensions: &mut Extensions) -> bool {
        let (key, validation) = &*self.0;
        let Some(token) = bearer(headers) else {
            return false;
        };
        let Ok(token) = decode::<Claims>(token, key, validation) else {
            return false;
        };
        extensions.insert(Handed(Arc::new(token.claims)));
        true
    }
}

const SECRET: &[u8; 32] = b"a shared secret of 32 bytes here";

/// The key pair of RFC 8032, section 7.1, test 1.
const ED25519_SECRET: [u8; 32] = [
    0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4,
    0x44, 0x49, 0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
];
const ED25519_PUBLIC: [u8; 32] = [
    0xd7, 0x5a, 0x98, 0x01, 0x82, 0xb1, 0x0a, 0xb7, 0xd5, 0x4b, 0xfe, 0xd3, 0xc9, 0x64, 0x07, 0x3a,
    0x0e, 0xe1, 0x72, 0xf3, 0xda, 0xa6, 0x23, 0x25, 0xaf, 0x02, 0x1a, 0x68, 0xf7, 0x07, 0x51, 0x1a,
];
/// What PKCS #8 puts before the 32 bytes of an Ed25519 secret key (RFC 8410, section 7).
const PKCS8: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];
