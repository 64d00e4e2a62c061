//! Through the verifier: keys that another system issued.

use std::sync::Arc;

use keyward_core::{ImportError, Keyward, NewKey, Reason};
use keyward_store::{
    Beginning, Digest, ForeignHash, ForeignKeys, Kept, KeyHash, KeyStore, Locator, Pepper, Peppers,
    Plaintext, PublicId, Records,
};

use super::service::{Node, SOON, within};
use super::tools::at_once;

/// A key that was imported is accepted however its record is found: by public id, by its hash in the
/// other system, by its SHA-256, and by its beginning among others that share it. It is refused with
/// another secret, before it was imported, and once it is revoked; and it is not imported twice.
pub async fn an_imported_key_is_accepted<S: Records + KeyStore>(store: S) {
    let node = start(store, false, Peppers::none()).await;
    import(&node.keys, &key("salted", "a neighbour"))
        .await
        .unwrap();
    for way in WAYS {
        let (right, wrong) = (key(way, "right"), key(way, "wrong"));
        node.refuses(&right, Reason::Unknown).await;
        let record = import(&node.keys, &right).await.unwrap();
        for _cached in [false, true] {
            let principal = node.verify(&right).await.unwrap();
            assert_eq!(principal.key_id(), &record.id);
            node.refuses(&wrong, Reason::Unknown).await;
        }
        assert_eq!(node.record(&record.id).await, record);
        let again = import(&node.keys, &right).await;
        assert!(matches!(again, Err(ImportError::AlreadyThere)), "{again:?}");
        node.keys.revoke(&record.id).await.unwrap();
        node.refuses(&right, Reason::Revoked).await;
    }
}

/// An imported key that is used moves to the hash that new keys get, and is found by that from then on.
pub async fn an_imported_key_moves_to_the_present_hash<S: Records + KeyStore>(store: S) {
    let pepper = Pepper::new("first", &[1; 32]).unwrap();
    let node = start(store, true, Peppers::current(pepper)).await;
    for way in WAYS {
        let key = key(way, "right");
        let id = import(&node.keys, &key).await.unwrap().id;
        assert!(node.verify(&key).await.is_ok());
        within(SOON, "a move", async || {
            let record = node.record(&id).await;
            matches!(record.hash, KeyHash::HmacSha256 { .. }) && record.lookup.is_none()
        })
        .await;
        assert_eq!(node.verify(&key).await.unwrap().key_id(), &id);
        node.keys.revoke(&id).await.unwrap();
        node.refuses(&key, Reason::Revoked).await;
    }
}

/// Of a hundred keys of one beginning that are imported at once, sixteen are; all of these are accepted.
pub async fn sixteen_of_a_hundred_keys_share_a_beginning<S: Records + KeyStore>(store: S) {
    let node = start(store, false, Peppers::none()).await;
    let imports = (0..100).map(|n| {
        let keys = node.keys.clone();
        async move {
            let key = key("salted", &format!("number {n}"));
            match import(&keys, &key).await {
                Ok(_) => Some(key),
                Err(ImportError::LookupFull) => None,
                Err(error) => panic!("{error:?}"),
            }
        }
    });
    let there: Vec<_> = at_once(imports).await.into_iter().flatten().collect();
    assert_eq!(there.len(), 16);
    for key in there {
        assert!(node.verify(&key).await.is_ok());
    }
}

const WAYS: [&str; 4] = ["public", "hashed", "sha256", "salted"];

async fn start<S: Records + KeyStore>(store: S, moving: bool, peppers: Peppers) -> Node<S> {
    Node::start_with(store, |builder| {
        let builder = builder.foreign(OldKeys).peppers(peppers);
        match moving {
            true => builder.upgrade_foreign(),
            false => builder,
        }
    })
    .await
}

async fn import(keys: &Keyward, key: &Plaintext) -> Result<keyward_store::KeyRecord, ImportError> {
    let new = NewKey::named("old").tenant("acme-inc");
    keys.import(new, OldKeys::kept(key.expose())).await
}

/// `old_`, six letters that say how its record is found, and the secret.
fn key(way: &str, secret: &str) -> Plaintext {
    Plaintext::new(format!("old_{way}_{}", secret.replace(' ', "_")))
}

/// Keys of a system that never was.
#[derive(Debug)]
struct OldKeys;

impl OldKeys {
    const BEGINNING: usize = "old_".len() + 6;

    fn kept(key: &str) -> Kept {
        let beginning = &key[..Self::BEGINNING];
        let hash = |salt| KeyHash::Foreign(Self::hash(salt, key.as_bytes()));
        let mut kept = match &beginning[4..] {
            "public" => Kept::new(hash("salt")),
            "hashed" => Kept::new(hash("")),
            "salted" => Kept::new(hash("salt")),
            _ => Kept::new(KeyHash::Sha256(Digest::sha256(key.as_bytes()))),
        };
        if beginning.ends_with("public") {
            kept.prefix = "old".to_owned();
            kept.public_id = PublicId::new("public");
        }
        if beginning.ends_with("salted") {
            kept.lookup = Beginning::new("old_", beginning).ok();
        }
        kept.hint = beginning.to_owned();
        kept
    }

    fn hash(salt: &str, key: &[u8]) -> ForeignHash {
        let digest = Digest::sha256(&[salt.as_bytes(), key].concat());
        ForeignHash::new("old", format!("{salt}${}", digest.to_hex()))
    }
}

impl ForeignKeys for OldKeys {
    fn scheme(&self) -> &str {
        "old"
    }

    fn locate(&self, credential: &[u8]) -> Option<Locator> {
        let beginning = std::str::from_utf8(credential.get(..Self::BEGINNING)?).ok()?;
        Some(match beginning.strip_prefix("old_")? {
            "public" => Locator::PublicId {
                prefix: Arc::from("old"),
                id: PublicId::new("public")?,
            },
            "hashed" => Locator::Hash(Self::hash("", credential)),
            "salted" => Locator::Lookup(beginning.into()),
            _ => Locator::Sha256,
        })
    }

    fn reads(&self, hash: &str) -> bool {
        hash.contains('$')
    }

    fn proves(&self, credential: &[u8], hash: &str) -> bool {
        let salt = hash.split_once('$').map_or("", |(salt, _)| salt);
        Self::hash(salt, credential).text() == hash
    }

    fn is_slow(&self, hash: &str) -> bool {
        !hash.starts_with('$')
    }
}
