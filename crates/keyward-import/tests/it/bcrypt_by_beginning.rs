//! A product whose keys are `ctza_` and 40 hexadecimal digits, kept as bcrypt and found by their first
//! nine characters, moves over. Its new keys look the same.

use std::time::Duration;

use keyward_core::{ImportError, Keyward, NewKey};
use keyward_import::{Bcrypt, Characters, FoundBy, Spelling};
use keyward_store::{Alphabet, KeptAs, KeyFilter, KeyFormat, KeyHash, ListQuery, Pepper, Peppers};

use crate::support::Service;

const KEY: &str = "ctza_a1b2c3d4e5f60718293a4b5c6d7e8f9012345678";
// Python, bcrypt 5.0.0: bcrypt.hashpw(KEY, bcrypt.gensalt(4, prefix=b"2a"))
const HASH: &str = "$2a$04$5JvjYgFurNaGT2tMaVIAn.IQSgek2Fq83oxmG7iuBexD./JIztJ9y";

fn format() -> KeyFormat {
    let format = KeyFormat::builder("ctza").without_public_id();
    let format = format.secret(Alphabet::Hex, 40).without_checksum();
    format.build().unwrap()
}

fn bcrypt() -> Bcrypt {
    let spelling = Spelling::new("ctza_", Characters::Hex, 40..=40);
    Bcrypt::new(FoundBy::beginning(spelling, 9).unwrap())
}

async fn left(keys: &Keyward) -> usize {
    let left = KeyFilter::all().kept(KeptAs::Foreign);
    keys.list(&ListQuery::new(left)).await.unwrap().keys.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn old_keys_and_new_ones_pass() {
    let service = Service::with(|builder| builder.format(format()).foreign(bcrypt())).await;
    let new = NewKey::named("new").tenant("acme").format("ctza");
    let issued = service.keys.issue(new).await.unwrap();
    let kept = bcrypt().kept(HASH, "ctza_a1b2").unwrap();
    let imported = service.import(kept).await.unwrap();
    assert_eq!(imported.lookup.as_deref(), Some("ctza_a1b2"));
    for _cached in [false, true] {
        assert_eq!(service.verify(KEY).await.unwrap().key_id(), &imported.id);
        let new = service.verify(issued.secret.expose()).await.unwrap();
        assert_eq!(new.key_id(), &issued.key.id);
    }
    let neighbour = "ctza_a1b2000000000000000000000000000000000000";
    assert!(service.verify(neighbour).await.is_err());
    assert_eq!(left(&service.keys).await, 1, "it stays as it is");
    service.keys.revoke(&imported.id).await.unwrap();
    assert!(service.verify(KEY).await.is_err());
    assert!(service.verify(issued.secret.expose()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn used_keys_move_and_the_others_are_left() {
    let pepper = || Peppers::current(Pepper::new("1", &[1; 32]).unwrap());
    for peppers in [Peppers::none(), pepper()] {
        let service = Service::with(|builder| {
            let builder = builder.format(format()).foreign(bcrypt());
            builder.upgrade_foreign().peppers(peppers)
        })
        .await;
        let kept = bcrypt().kept(HASH, "ctza_a1b2").unwrap();
        let used = service.import(kept).await.unwrap();
        // Python, bcrypt 5.0.0: the hash of 72 times `k`, of no key of this product.
        let other = "$2b$04$u9kLUjfalSewiQtClbxwDO2R4jevXC8xsNpZB.i0r.5Z2/CtmbNvq";
        let other = bcrypt().kept(other, "ctza_ffff").unwrap();
        service.import(other).await.unwrap();
        assert_eq!(left(&service.keys).await, 2);
        assert!(service.verify(KEY).await.is_ok());
        for _try in 0..1_000 {
            if left(&service.keys).await == 1 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(left(&service.keys).await, 1);
        let record = service.keys.get(&used.id).await.unwrap().unwrap().record;
        assert!(!matches!(record.hash, KeyHash::Foreign(_)));
        assert_eq!(record.lookup, None);
        assert_eq!(service.verify(KEY).await.unwrap().key_id(), &used.id);
        service.keys.revoke(&used.id).await.unwrap();
        assert!(service.verify(KEY).await.is_err());
    }
}

/// Each key of one beginning costs a slow hash, so there are sixteen at most.
#[tokio::test]
async fn the_seventeenth_key_of_a_beginning_is_refused() {
    let service = Service::with(|builder| builder.format(format()).foreign(bcrypt())).await;
    let nth = |n: usize, beginning| {
        let digit = &"./ABCDEFGHIJKLMNOPQRST"[n..=n];
        let hash = format!("{}{digit}{}", &HASH[..50], &HASH[51..]);
        bcrypt().kept(&hash, beginning).unwrap()
    };
    for n in 0..16 {
        service.import(nth(n, "ctza_a1b2")).await.unwrap();
    }
    let refused = service.import(nth(16, "ctza_a1b2")).await;
    assert!(
        matches!(refused, Err(ImportError::LookupFull)),
        "{refused:?}"
    );
    let elsewhere = service.import(nth(16, "ctza_a1b3")).await;
    assert!(elsewhere.is_ok());
}
