//! SHA-256 and SHA-512 in each spelling.

use keyward_import::{Characters, Sha256Keys, Sha512Keys, Spelling, Unreadable};

use crate::support::Service;

// Node 20:
// node -e 'for (const a of ["sha256", "sha512"]) for (const e of ["hex", "base64", "base64url"])
//   console.log(require("crypto").createHash(a).update("acme_Kx8vQ2mN5pR7tY1wZ3bD6fH9").digest(e))'
const KEY: &str = "acme_Kx8vQ2mN5pR7tY1wZ3bD6fH9";
const SHA256: [&str; 3] = [
    "febee743b40652ab6010e74f5a7370a72bdb23a91841be5cd83405e25553dc39",
    "/r7nQ7QGUqtgEOdPWnNwpyvbI6kYQb5c2DQF4lVT3Dk=",
    "_r7nQ7QGUqtgEOdPWnNwpyvbI6kYQb5c2DQF4lVT3Dk",
];
const SHA512: [&str; 3] = [
    "7f99ec13599f95c660880080a7f4b76464b90dfa87b1ebd7b0a0d5017140a2e1aa5202424e5804e8c9d5092c9dcbe743c23c738d7adfd87c34c1fb5bd241c946",
    "f5nsE1mflcZgiACAp/S3ZGS5DfqHsevXsKDVAXFAouGqUgJCTlgE6MnVCSydy+dDwjxzjXrf2Hw0wftb0kHJRg==",
    "f5nsE1mflcZgiACAp_S3ZGS5DfqHsevXsKDVAXFAouGqUgJCTlgE6MnVCSydy-dDwjxzjXrf2Hw0wftb0kHJRg",
];

fn spelling() -> Spelling {
    Spelling::new("acme_", Characters::Base62, 24..=25)
}

#[tokio::test]
async fn sha_256_of_the_whole_key() {
    for text in SHA256.map(str::to_owned).into_iter().chain([
        SHA256[0].to_uppercase(),
        SHA256[1].trim_end_matches('=').to_owned(),
        format!("{}=", SHA256[2]),
    ]) {
        let service = Service::start(Sha256Keys::new(spelling())).await;
        service
            .takes_over(Sha256Keys::kept(&text).unwrap(), KEY)
            .await;
    }
}

#[tokio::test]
async fn sha_512_of_the_whole_key() {
    for text in SHA512.map(str::to_owned).into_iter().chain([
        SHA512[0].to_uppercase(),
        SHA512[1].trim_end_matches('=').to_owned(),
        format!("{}==", SHA512[2]),
    ]) {
        let service = Service::start(Sha512Keys::new(spelling())).await;
        service
            .takes_over(Sha512Keys::kept(&text).unwrap(), KEY)
            .await;
    }
}

#[test]
fn a_digest_of_another_length_is_refused() {
    for text in SHA512 {
        assert_eq!(Sha256Keys::kept(text), Err(Unreadable::Hash));
    }
    for text in SHA256 {
        assert_eq!(Sha512Keys::kept(text), Err(Unreadable::Hash));
    }
    assert_eq!(Sha256Keys::kept(KEY), Err(Unreadable::Hash));
}
