//! Through the service: what a host hears of its keys.

use std::time::Duration;

use keyward_store::{AuditAction, KeyStore, Records};
use tokio::time::{sleep, timeout};

use super::service::{Node, SOON, new_key};

/// Whoever listens hears of everything in its order, from every node, and of nothing twice; whoever
/// begins again behind a position hears of what came after it.
pub async fn every_event_is_heard<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    let start = node.keys.last_event().await.unwrap();
    assert_eq!(start, 0);
    let mut events = node.keys.events_after(start);
    let mut heard = Vec::new();
    let mut expected = Vec::new();
    for turn in 0..4 {
        let from = [&node, &other][turn % 2];
        let key = from.issue("acme_live").await.key;
        from.keys.revoke(&key.id).await.unwrap();
        expected.extend([
            (AuditAction::Issued, Some(key.id.clone())),
            (AuditAction::Revoked, Some(key.id)),
        ]);
        while heard.len() < expected.len() {
            let next = timeout(SOON, events.next()).await.unwrap().unwrap();
            heard.push((next.record.action, next.record.key, next.position));
            assert_eq!(events.position(), next.position);
        }
    }
    let told = heard.iter().map(|(action, key, _)| (*action, key.clone()));
    assert!(told.eq(expected.iter().cloned()));
    let mut again = other.keys.events_after(heard[2].2);
    for line in &heard[3..] {
        let next = timeout(SOON, again.next()).await.unwrap().unwrap();
        assert_eq!(next.position, line.2);
    }
    let quiet = timeout(Duration::from_millis(50), again.next()).await;
    assert!(quiet.is_err(), "there is no more");
    assert_eq!(node.keys.last_event().await.unwrap(), heard[7].2);
}

/// Of a key that ends soon, one line tells before it does, whichever node is first; and another one if
/// its end is moved.
pub async fn an_end_is_told_of_before<S: Records + KeyStore>(store: S) {
    let hour = Duration::from_secs(3600);
    let node = Node::start(store).await;
    let soon = node
        .keys
        .issue(new_key("acme_live").expires_in(hour))
        .await
        .unwrap();
    node.keys
        .issue(new_key("acme_live").expires_in(3 * hour))
        .await
        .unwrap();
    node.issue("acme_live").await;
    let mut events = node.keys.events_after(3);
    let first = node
        .another_with(|setup| setup.notice_before_end(2 * hour))
        .await;
    let second = node
        .another_with(|setup| setup.notice_before_end(2 * hour))
        .await;
    let told = timeout(SOON, events.next()).await.unwrap().unwrap();
    assert_eq!(told.record.action, AuditAction::ExpiresSoon);
    assert_eq!(told.record.key, Some(soon.key.id));
    // Long enough for both to have looked.
    sleep(Duration::from_millis(300)).await;
    let more = timeout(Duration::from_millis(50), events.next()).await;
    assert!(more.is_err(), "told once");
    drop((first, second));
}
