//! What is done to keys that exist.

use std::time::Duration;

use keyward::{KeyFilter, KeyUpdate};
use keyward_memory::MemoryStore;
use keyward_testkit::{Call, Fault, FaultStore};

use crate::support::{Client, READ, app, issue, keys_in, page};

const KEYS: &str = "/settings/keys";

#[tokio::test]
async fn a_rotation_shows_the_new_key_once_and_both_work_meanwhile() {
    let (keys, ada) = app().await;
    let old = issue(&keys, "ci").await;
    let path = format!("{KEYS}/{}", old.key.id);
    let question = ada.get(&format!("{path}?rotate")).await;
    assert!(question.body.contains("Rotate this key?"));
    let shown = ada.post(&format!("{path}/rotate"), "overlap=3600").await;
    assert_eq!(shown.status, 200);
    assert!(shown.body.contains("The old key works until"));
    for secret in [shown.secret(), old.secret.expose()] {
        assert!(keys.verifier().verify(secret.as_bytes()).await.is_ok());
    }
    // Reloaded, it is not rotated again.
    let again = ada.post(&format!("{path}/rotate"), "overlap=3600").await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains("was rotated already") && !again.body.contains(shown.secret()));
    let details = ada.get(&path).await;
    assert!(details.body.contains("Works until") && details.body.contains("Undo rotation"));
    assert!(
        ada.get(&format!("{path}?revoke"))
            .await
            .body
            .contains("revoked together")
    );

    let question = ada.get(&format!("{path}?undo")).await.body;
    assert!(question.contains("Undo this rotation?"));
    let undone = ada.post(&format!("{path}/undo"), "").await;
    assert_eq!(
        (undone.status, undone.header("location")),
        (303, &*format!("{path}?done=undone"))
    );
    assert!(
        keys.verifier()
            .verify(shown.secret().as_bytes())
            .await
            .is_err()
    );
    assert!(
        keys.verifier()
            .verify(old.secret.expose().as_bytes())
            .await
            .is_ok()
    );
    assert_eq!(ada.post(&format!("{path}/undo"), "").await.status, 409);
}

/// Reloaded after it was undone in another tab, the answer of a rotation makes no second key.
#[tokio::test]
async fn a_rotation_that_was_undone_is_not_made_again() {
    let (keys, ada) = app().await;
    let old = issue(&keys, "ci").await;
    let path = format!("{KEYS}/{}", old.key.id);
    let question = ada.get(&format!("{path}?rotate")).await;
    let revision = question.between("name=\"revision\" value=\"", "\"");
    let form = format!("revision={revision}&overlap=3600");
    let rotate = format!("{path}/rotate");
    assert_eq!(ada.post(&rotate, &form).await.status, 200);
    let again = ada.post(&rotate, &form).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains("was rotated already"));
    assert_eq!(ada.post(&format!("{path}/undo"), "").await.status, 303);
    let again = ada.post(&rotate, &form).await;
    assert_eq!(again.status, 409);
    assert!(again.body.contains("stands otherwise by now"));
    assert_eq!(keys.count(KeyFilter::all()).await.unwrap(), 2);
    assert_eq!(ada.post(&rotate, "revision=x").await.status, 422);
    // Asked anew, it is rotated.
    let question = ada.get(&format!("{path}?rotate")).await;
    let revision = question.between("name=\"revision\" value=\"", "\"");
    let form = format!("revision={revision}&overlap=3600");
    assert_eq!(ada.post(&rotate, &form).await.status, 200);
}

#[tokio::test]
async fn a_rotation_without_overlap_ends_the_old_key() {
    let (keys, ada) = app().await;
    let old = issue(&keys, "ci").await;
    let path = format!("{KEYS}/{}/rotate", old.key.id);
    assert_eq!(ada.post(&path, "overlap=5").await.status, 422);
    let shown = ada.post(&path, "overlap=0").await;
    assert!(shown.body.contains("does not work any more"));
    assert!(
        keys.verifier()
            .verify(old.secret.expose().as_bytes())
            .await
            .is_err()
    );
}

#[tokio::test]
async fn a_revocation_is_asked_for_and_done() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "ci").await;
    let path = format!("{KEYS}/{}", key.key.id);
    let question = ada.get(&format!("{path}?revoke")).await.body;
    assert!(question.contains("Revoke this key?") && question.contains("Last used"));
    let done = ada.post(&format!("{path}/revoke"), "").await;
    assert_eq!(
        (done.status, done.header("location")),
        (303, "/settings/keys?done=revoked")
    );
    assert!(
        keys.verifier()
            .verify(key.secret.expose().as_bytes())
            .await
            .is_err()
    );
    assert!(
        ada.get("/settings/keys?done=revoked")
            .await
            .body
            .contains("The key was revoked.")
    );
    // Once more is no failure, and a key that is over is asked nothing.
    assert_eq!(ada.post(&format!("{path}/revoke"), "").await.status, 303);
    let details = ada.get(&format!("{path}?revoke")).await.body;
    assert!(!details.contains("Revoke this key?") && details.contains("badge revoked"));
}

#[tokio::test]
async fn half_of_a_rotation_can_be_revoked_alone() {
    let (keys, ada) = app().await;
    let old = issue(&keys, "ci").await;
    let hour = Duration::from_secs(3600);
    let new = keys.rotate(&old.key.id).overlap(hour).await.unwrap();
    let path = format!("{KEYS}/{}", new.key.id);
    assert!(
        ada.get(&format!("{path}?revoke"))
            .await
            .body
            .contains("revoked together")
    );
    ada.post(&format!("{path}/revoke"), "only=yes").await;
    assert!(
        keys.verifier()
            .verify(new.secret.expose().as_bytes())
            .await
            .is_err()
    );
    assert!(
        keys.verifier()
            .verify(old.secret.expose().as_bytes())
            .await
            .is_ok()
    );
}

#[tokio::test]
async fn a_key_is_suspended_and_resumed() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "ci").await;
    let path = format!("{KEYS}/{}", key.key.id);
    let credential = key.secret.expose().as_bytes();
    assert_eq!(ada.post(&format!("{path}/suspend"), "").await.status, 303);
    assert!(keys.verifier().verify(credential).await.is_err());
    assert!(ada.get(&path).await.body.contains("badge suspended"));
    assert_eq!(ada.post(&format!("{path}/rotate"), "").await.status, 409);
    assert_eq!(ada.post(&format!("{path}/resume"), "").await.status, 303);
    assert!(keys.verifier().verify(credential).await.is_ok());
}

#[tokio::test]
async fn the_history_tells_what_changed() {
    let (keys, ada) = app().await;
    let key = issue(&keys, "ci").await.key;
    let update = KeyUpdate::new().name("<b>build</b>").scopes([]);
    keys.update(&key.id, update).await.unwrap();
    let path = format!("{KEYS}/{}", key.id);
    ada.of("eve:auditor@acme")
        .post(&format!("{path}/revoke"), "")
        .await;
    let details = ada.get(&path).await.body;
    assert!(details.contains("<strong>Changed</strong> by <bdi>the service</bdi>"));
    assert!(details.contains("<del><bdi>ci</bdi></del> <ins><bdi>&#60;b&#62;build"));
    assert!(details.contains(&format!("<del><bdi>{READ}</bdi></del> <ins><bdi>nothing")));
    assert!(details.contains("<strong>Refused: Revoke</strong> by <bdi>user:eve</bdi>"));
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_unavailable_and_nothing_is_done() {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    let keys = keys_in(store).await;
    let ada = Client::new(page(&keys).at(KEYS));
    let key = issue(&keys, "ci").await;
    let path = format!("{KEYS}/{}", key.key.id);
    for call in [Call::List, Call::Find, Call::Commit] {
        faults.always(call, Fault::Fail);
    }
    for answer in [
        ada.get(KEYS).await,
        ada.get(&path).await,
        ada.post(KEYS, "name=x").await,
        ada.post(&format!("{path}/rotate"), "").await,
        ada.post(&format!("{path}/revoke"), "").await,
    ] {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
        assert!(answer.body.contains("Nothing was changed"));
    }
    for call in [Call::List, Call::Find, Call::Commit] {
        faults.heal(call);
    }
    assert_eq!(keys.count(KeyFilter::all()).await.unwrap(), 1);
    assert!(
        keys.verifier()
            .verify(key.secret.expose().as_bytes())
            .await
            .is_ok()
    );

    // The store does it, and then the connection breaks.
    faults.once(Call::Commit, Fault::FailAfter);
    let answer = ada.post(&format!("{path}/revoke"), "").await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("it may have been done"));
    assert_eq!(ada.post(&format!("{path}/revoke"), "").await.status, 303);
}
