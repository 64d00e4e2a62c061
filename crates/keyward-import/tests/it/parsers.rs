//! Whatever stands in a column or in a request, nothing panics, and what is read proves no nonsense.

use keyward_import::{
    Argon2, Bcrypt, BetterAuth, BetterAuthRow, Characters, DrfApiKey, DrfApiKeyRow, FoundBy,
    Pbkdf2, PrefixedApiKey, PrefixedApiKeyRow, Sanctum, SanctumRow, Sha256Keys, Sha512Keys,
    Spelling, Unkey, UnkeyRow,
};
use keyward_store::ForeignKeys;
use proptest::prelude::*;

fn all() -> Vec<Box<dyn ForeignKeys>> {
    let spelling = Spelling::new("ctza_", Characters::Visible, 0..=255);
    let found_by = FoundBy::beginning(spelling.clone(), 9).unwrap();
    vec![
        Box::new(Sha256Keys::new(spelling.clone())),
        Box::new(Sha512Keys::new(spelling.clone())),
        Box::new(Bcrypt::new(found_by.clone()).max_cost(4).truncating()),
        Box::new(Argon2::new(found_by.clone()).max_cost(64, 1, 1)),
        Box::new(Pbkdf2::new(found_by).max_iterations(10)),
        Box::new(BetterAuth::spelled([spelling])),
        Box::new(DrfApiKey::new().max_iterations(10)),
        Box::new(Sanctum::new()),
        Box::new(PrefixedApiKey::new("ctza")),
        Box::new(Unkey::new(["ctza"])),
    ]
}

/// Something like a hash: what hashes are made of, in any order.
fn hash_like() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("$".to_owned()),
        Just("$2b$04$".to_owned()),
        Just("$argon2id$v=19$m=64,t=1,p=1$".to_owned()),
        Just("pbkdf2_sha256$10$".to_owned()),
        Just("sha512$$".to_owned()),
        "[0-9a-f]{60,130}",
        "[A-Za-z0-9+/._-]{20,90}=?",
        ".{0,8}",
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_credential_panics(
        credential in prop::collection::vec(any::<u8>(), 0..300),
        behind in prop_oneof![Just("ctza_"), Just("ctza_a_"), Just("12|"), Just("abc."), Just("")],
    ) {
        let credential = [behind.as_bytes(), &credential].concat();
        for keys in all() {
            let _located = keys.locate(&credential);
        }
    }

    #[test]
    fn no_hash_panics(text in hash_like(), credential in prop::collection::vec(any::<u8>(), 0..100)) {
        for keys in all() {
            let proved = keys.proves(&credential, &text);
            prop_assert!(!proved, "{} takes nonsense for a key", keys.scheme());
            let _ = (keys.reads(&text), keys.is_slow(&text));
        }
    }

    #[test]
    fn no_column_panics(text in hash_like(), other in ".{0,40}") {
        let _ = Sha256Keys::kept(&text);
        let _ = Sha512Keys::kept(&text);
        let mut row = BetterAuthRow::new(&other, &text);
        row.permissions = Some(&other);
        let _ = BetterAuth::new([""]).read(&row);
        let _ = DrfApiKey::new().read(&DrfApiKeyRow::new(&other, &text));
        let mut row = SanctumRow::new(1, &text);
        row.abilities = Some(&other);
        let _ = Sanctum::new().read(&row);
        let _ = PrefixedApiKey::new("a").read(&PrefixedApiKeyRow::new(&other, &text));
        let _ = Unkey::new(["a"]).read(&UnkeyRow::new(&other, &text));
        let spelling = Spelling::new("a", Characters::Visible, 0..=255);
        let bcrypt = Bcrypt::new(FoundBy::beginning(spelling, 5).unwrap());
        let _ = bcrypt.kept(&text, &other);
    }
}
