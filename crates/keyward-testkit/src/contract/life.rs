//! Through the verifier: the life of a key.

use std::time::Duration;

use keyward_core::{DeniedKind, Reason};
use keyward_store::{
    Digest, KeyHash, KeyStore, Owner, Pepper, PepperId, Peppers, Records, Scope, Scopes,
};
use tokio::time::sleep;

use super::service::{
    FORMATS, Node, READ, SOON, WRITE, new_key, unknown_key, with_wrong_secret, within,
};
use super::tools::put;
use crate::Call;

/// An issued key is accepted from the return of its issue on, as what it was issued as.
pub async fn an_issued_key_is_accepted<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        let owner = Owner::new("user", "42");
        let new = new_key(format)
            .scopes([READ])
            .owner(owner.clone())
            .role("ci");
        let issued = node.keys.issue(new).await.unwrap();
        for _cached in [false, true] {
            let principal = node.verify(&issued.secret).await.unwrap();
            assert_eq!(principal.key_id(), &issued.key.id);
            assert_eq!((principal.tenant(), principal.name()), ("acme-inc", "ci"));
            assert_eq!(principal.owner(), Some(&owner));
            assert_eq!(principal.role(), Some("ci"));
            assert!(principal.require(&READ).is_ok());
            assert!(principal.require(&WRITE).is_err());
        }
    }
}

/// What issuing a key returns is what the store holds of it.
pub async fn what_is_issued_is_what_is_kept<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let new = new_key("acme_live")
        .scopes([READ])
        .expires_in(Duration::from_secs(3600));
    let issued = node.keys.issue(new).await.unwrap();
    let kept = node.keys.get(&issued.key.id).await.unwrap();
    assert_eq!(kept.unwrap().record, issued.key);
}

/// A wrong secret is refused, before and after the right one was accepted; once the key is known,
/// without asking the store.
pub async fn a_wrong_secret_is_refused<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for (format, reason) in FORMATS
        .into_iter()
        .zip([Reason::WrongSecret, Reason::Unknown])
    {
        let issued = node.issue(format).await;
        let wrong = with_wrong_secret(&issued.secret);
        node.refuses(&wrong, reason).await;
        assert!(node.accepts(&issued).await);
        let loads = node.faults.calls(Call::Load);
        node.refuses(&wrong, reason).await;
        assert!(node.accepts(&issued).await);
        assert_eq!(node.faults.calls(Call::Load), loads);
    }
}

/// A revoked key is refused on the very next verification, whether it was cached or not. Revoking
/// it again changes nothing.
pub async fn a_revoked_key_is_refused_at_once<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        for cached in [true, false] {
            let (issued, other) = (node.issue(format).await, node.issue(format).await);
            if cached {
                assert!(node.accepts(&issued).await);
            }
            node.keys.revoke(&issued.key.id).await.unwrap();
            node.refuses(&issued.secret, Reason::Revoked).await;
            let revoked = node.record(&issued.key.id).await;
            assert!(revoked.revoked_at.is_some());
            node.keys.revoke(&issued.key.id).await.unwrap();
            assert_eq!(node.record(&issued.key.id).await, revoked);
            assert!(node.accepts(&other).await);
        }
    }
}

/// The keys of a suspended tenant are refused from then on, and accepted again after it is resumed;
/// those of other tenants are accepted all the time.
pub async fn a_suspended_tenants_keys_are_refused<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = new_key("acme_live").tenant("other");
    let other = node.keys.issue(other).await.unwrap();
    for format in FORMATS {
        let issued = node.issue(format).await;
        for _turn in 0..3 {
            assert!(node.accepts(&issued).await);
            node.keys.tenant("acme-inc").suspend().await.unwrap();
            node.refuses(&issued.secret, Reason::TenantSuspended).await;
            assert!(node.accepts(&other).await);
            node.keys.tenant("acme-inc").resume().await.unwrap();
        }
        assert!(node.accepts(&issued).await);
    }
}

/// The same for the keys of a suspended owner; a key without an owner is not among them.
pub async fn a_suspended_owners_keys_are_refused<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        let user = Owner::new("user", "42");
        let owned = new_key(format).owner(user.clone());
        let owned = node.keys.issue(owned).await.unwrap();
        let other = new_key(format).owner(Owner::new("team", "42"));
        let others = [
            node.issue(format).await,
            node.keys.issue(other).await.unwrap(),
        ];
        assert!(node.accepts(&owned).await);
        node.keys.owner(user.clone()).suspend().await.unwrap();
        node.refuses(&owned.secret, Reason::OwnerSuspended).await;
        for other in &others {
            assert!(node.accepts(other).await);
        }
        node.keys.owner(user).resume().await.unwrap();
        assert!(node.accepts(&owned).await);
    }
}

/// A key whose tenant or owner is not entitled is told so, and not that it is bad.
pub async fn a_key_without_entitlement_is_told_so<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let user = Owner::new("user", "42");
    let new = new_key("acme_live").owner(user.clone());
    let issued = node.keys.issue(new).await.unwrap();
    for standing in [node.keys.tenant("acme-inc"), node.keys.owner(user)] {
        assert!(node.accepts(&issued).await);
        standing.entitle(false).await.unwrap();
        let denied = node.verify(&issued.secret).await.unwrap_err();
        assert_eq!(denied.kind(), DeniedKind::NotEntitled);
        // Whoever does not have the key is told nothing of that.
        let wrong = with_wrong_secret(&issued.secret);
        node.refuses(&wrong, Reason::WrongSecret).await;
        standing.entitle(true).await.unwrap();
        assert!(node.accepts(&issued).await);
    }
}

/// A key may do what it, its owner and its tenant all may; and no more from the moment a ceiling
/// is set.
pub async fn a_ceiling_narrows_what_a_key_may_do<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let user = Owner::new("user", "42");
    let wild = Scope::from_static("orders:*");
    let new = new_key("acme_live").owner(user.clone()).scopes([wild]);
    let issued = node.keys.issue(new).await.unwrap();
    let rights = async || {
        let principal = node.verify(&issued.secret).await.unwrap();
        [READ, WRITE].map(|scope| principal.require(&scope).is_ok())
    };
    for standing in [node.keys.tenant("acme-inc"), node.keys.owner(user)] {
        assert_eq!(rights().await, [true, true]);
        for (ceiling, may) in [
            (Scopes::from([READ]), [true, false]),
            (Scopes::from([WRITE]), [false, true]),
            (Scopes::none(), [false, false]),
        ] {
            standing.ceiling(Some(ceiling)).await.unwrap();
            assert_eq!(rights().await, may);
        }
        standing.ceiling(None).await.unwrap();
    }
    let tenant = node.keys.tenant("acme-inc");
    tenant.ceiling(Some(Scopes::from([READ]))).await.unwrap();
    assert_eq!(rights().await, [true, false]);
}

/// A key that was refused because it did not exist is accepted as soon as it does.
pub async fn a_key_is_accepted_once_it_exists<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        let (secret, record) = unknown_key(format);
        for _cached in [false, true] {
            node.refuses(&secret, Reason::Unknown).await;
        }
        put(&node.store, [record]).await;
        node.catch_up().await;
        assert!(node.verify(&secret).await.is_ok(), "{format}");
    }
}

/// A key is refused from its expiry on, by the store's clock; whether it was cached or not.
pub async fn a_key_expires<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let life = Duration::from_secs(3);
    let mut keys = Vec::new();
    for format in FORMATS {
        for cached in [true, false] {
            let new = new_key(format).expires_in(life);
            let issued = node.keys.issue(new).await.unwrap();
            assert!(!cached || node.accepts(&issued).await);
            keys.push(issued);
        }
    }
    sleep(life).await;
    // A store on another machine may be a little behind.
    sleep(Duration::from_millis(200)).await;
    for issued in keys {
        node.refuses(&issued.secret, Reason::Expired).await;
    }
}

/// When a key was last used shows within two seconds; three more are for slow machines. That it
/// was refused is no use of it.
pub async fn a_use_shows_within_seconds<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let [used, unused] = [node.issue("acme_live").await, node.issue("acme_live").await];
    assert!(node.accepts(&used).await);
    let wrong = with_wrong_secret(&unused.secret);
    node.refuses(&wrong, Reason::WrongSecret).await;
    let last_use = async |id| node.keys.get(id).await.unwrap().unwrap().last_used_at;
    within(Duration::from_secs(5), "the use shows", async || {
        last_use(&used.key.id).await.is_some()
    })
    .await;
    let since = last_use(&used.key.id).await.unwrap();
    let since = since.duration_since(used.key.created_at);
    // To the second, so it may seem to be a little before the issue.
    let since = since.unwrap_or_default();
    assert!(since < Duration::from_secs(60), "{since:?} after its issue");
    assert_eq!(last_use(&unused.key.id).await, None);
}

/// A service that shuts down writes down the uses that it still had in memory.
pub async fn a_use_is_not_lost_at_shutdown<S: Records + KeyStore>(store: S) {
    let hour = Duration::from_secs(3600);
    let node = Node::start_with(store, |builder| builder.flush_interval(hour)).await;
    // The first flush is at the start.
    sleep(Duration::from_millis(50)).await;
    let issued = node.issue("acme_live").await;
    assert!(node.accepts(&issued).await);
    node.keys.shutdown().await;
    let key = node.keys.get(&issued.key.id).await.unwrap().unwrap();
    assert!(key.last_used_at.is_some());
}

/// A key that is kept as SHA-256, or under an old pepper, moves to the current pepper when it is
/// used, and is accepted all the time.
pub async fn a_key_moves_to_the_current_pepper<S: Records + KeyStore>(store: S) {
    let pepper = |id: &str, byte| Pepper::new(id, &[byte; 32]).unwrap();
    let plain = Node::start(store).await;
    let old = Peppers::current(pepper("old", 1));
    let old = plain.another_with(|builder| builder.peppers(old)).await;
    let new = Peppers::current(pepper("new", 2));
    let new = new.and_old(pepper("old", 1)).unwrap();
    let new = plain.another_with(|builder| builder.peppers(new)).await;
    for issuer in [&plain, &old] {
        for format in FORMATS {
            let issued = issuer.issue(format).await;
            new.catch_up().await;
            assert!(new.accepts(&issued).await);
            let moved = KeyHash::HmacSha256 {
                pepper: PepperId::new("new"),
                mac: pepper("new", 2).mac(issued.secret.expose().as_bytes()),
            };
            within(SOON, "the key moves", async || {
                assert!(new.accepts(&issued).await);
                new.record(&issued.key.id).await.hash == moved
            })
            .await;
            new.catch_up().await;
            assert!(new.accepts(&issued).await);
            let wrong = Digest::sha256(issued.secret.expose().as_bytes());
            let by = super::sample::by_sha256(wrong);
            assert_eq!(super::tools::found(&new.store, &by).await, []);
        }
    }
}
