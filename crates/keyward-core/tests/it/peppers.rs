//! Keys kept under peppers, and how they move from one to the next.

use std::sync::Arc;

use keyward_core::{DeniedKind, Issued, Keyward, NewKey, Reason};
use keyward_memory::MemoryStore;
use keyward_store::{KeyFormat, KeyHash, KeyId, Pepper, PepperId, Peppers};
use keyward_testkit::LeakWatch;

use crate::coherence::eventually;
use crate::support::format;

fn pepper(id: &str) -> Pepper {
    Pepper::new(id, &[id.as_bytes()[0]; 32]).unwrap()
}

async fn node(store: &Arc<MemoryStore>, format: KeyFormat, peppers: Peppers) -> Keyward {
    let builder = Keyward::builder(store.clone())
        .format(format)
        .peppers(peppers);
    builder.start().await.unwrap()
}

async fn issue(keys: &Keyward) -> (LeakWatch, Issued) {
    let watch = LeakWatch::start();
    let issued = keys.issue(NewKey::named("a").tenant("t")).await.unwrap();
    watch.issued(&issued);
    (watch, issued)
}

async fn kept_under(keys: &Keyward, id: &KeyId) -> Option<PepperId> {
    match keys.get(id).await.unwrap().unwrap().record.hash {
        KeyHash::HmacSha256 { pepper, .. } => Some(pepper),
        _ => None,
    }
}

fn without_id() -> KeyFormat {
    KeyFormat::builder("acme_live")
        .without_public_id()
        .build()
        .unwrap()
}

#[tokio::test]
async fn keys_move_to_the_current_pepper_as_they_are_used() {
    for format in [format(), without_id()] {
        let store = Arc::new(MemoryStore::default());
        let plain = node(&store, format.clone(), Peppers::none()).await;
        let (_watch, issued) = issue(&plain).await;
        let (id, credential) = (&issued.key.id, issued.secret.expose().as_bytes());
        assert_eq!(kept_under(&plain, id).await, None);

        let first = node(&store, format.clone(), Peppers::current(pepper("1"))).await;
        assert!(first.verifier().verify(credential).await.is_ok());
        eventually(async || kept_under(&first, id).await == Some(PepperId::new("1"))).await;
        assert!(first.verifier().verify(credential).await.is_ok());

        let both = Peppers::current(pepper("2")).and_old(pepper("1")).unwrap();
        let second = node(&store, format.clone(), both).await;
        assert!(second.verifier().verify(credential).await.is_ok());
        eventually(async || kept_under(&second, id).await == Some(PepperId::new("2"))).await;
        second.revoke(id).await.unwrap();
        assert!(second.verifier().verify(credential).await.is_err());
    }
}

/// While a pepper is brought in, some nodes make it the current one before others do; a key does not
/// go back and forth between them.
#[tokio::test]
async fn a_pepper_is_brought_in_without_a_quarrel() {
    let store = Arc::new(MemoryStore::default());
    let early = Peppers::current(pepper("1")).and_next(pepper("2")).unwrap();
    let early = node(&store, format(), early).await;
    let late = Peppers::current(pepper("2")).and_old(pepper("1")).unwrap();
    let late = node(&store, format(), late).await;
    let (_watch, issued) = issue(&early).await;
    let (id, credential) = (&issued.key.id, issued.secret.expose().as_bytes());
    assert_eq!(kept_under(&early, id).await, Some(PepperId::new("1")));
    assert!(late.verifier().verify(credential).await.is_ok());
    eventually(async || kept_under(&early, id).await == Some(PepperId::new("2"))).await;
    let revision = early.get(id).await.unwrap().unwrap().record.revision;
    for _ in 0..20 {
        assert!(early.verifier().verify(credential).await.is_ok());
        assert!(late.verifier().verify(credential).await.is_ok());
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    assert_eq!(
        early.get(id).await.unwrap().unwrap().record.revision,
        revision
    );
}

/// The record is there, and whether the key is good cannot be told: that is not the key's fault.
#[tokio::test]
async fn a_pepper_that_is_not_live_is_an_outage() {
    let store = Arc::new(MemoryStore::default());
    let peppered = node(&store, format(), Peppers::current(pepper("1"))).await;
    let (_watch, issued) = issue(&peppered).await;
    let lacking = node(&store, format(), Peppers::current(pepper("2"))).await;
    let credential = issued.secret.expose().as_bytes();
    let denied = lacking.verifier().verify(credential).await.unwrap_err();
    assert_eq!(denied.kind(), DeniedKind::Unavailable);
    assert_eq!(denied.reason(), Reason::PepperNotLive);
}

/// Under a pepper nothing can be said of a secret but by making its MAC; the right one passes
/// although a wrong one came first.
#[tokio::test]
async fn a_wrong_secret_first_does_not_spoil_the_right_one() {
    let store = Arc::new(MemoryStore::default());
    let format = KeyFormat::builder("acme_live")
        .without_checksum()
        .build()
        .unwrap();
    let keys = node(&store, format, Peppers::current(pepper("1"))).await;
    let (_watch, issued) = issue(&keys).await;
    let right = issued.secret.expose();
    let wrong = format!(
        "{}{}",
        &right[..right.len() - 1],
        if right.ends_with('a') { 'b' } else { 'a' }
    );
    for _ in 0..3 {
        let denied = keys.verifier().verify(wrong.as_bytes()).await.unwrap_err();
        assert_eq!(denied.reason(), Reason::WrongSecret);
        assert!(keys.verifier().verify(right.as_bytes()).await.is_ok());
    }
}

/// The rehash writes the whole record; a revocation that came in between stays.
#[tokio::test]
async fn a_rehash_does_not_undo_a_revocation() {
    for _ in 0..50 {
        let store = Arc::new(MemoryStore::default());
        let plain = node(&store, format(), Peppers::none()).await;
        let (_watch, issued) = issue(&plain).await;
        let keys = node(&store, format(), Peppers::current(pepper("1"))).await;
        let credential = issued.secret.expose().as_bytes();
        let verifier = keys.verifier();
        let (_used, revoked) =
            tokio::join!(verifier.verify(credential), plain.revoke(&issued.key.id));
        revoked.unwrap();
        let record = keys.get(&issued.key.id).await.unwrap().unwrap().record;
        assert!(record.revoked_at.is_some());
        eventually(async || verifier.verify(credential).await.is_err()).await;
    }
}
