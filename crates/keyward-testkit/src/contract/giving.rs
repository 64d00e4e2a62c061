//! Through the service: nobody gives to keys what they lack themselves.

use std::time::Duration;

use ipnet::IpNet;
use keyward_core::{
    Actor, IssueError, Issued, KeyUpdate, LifecycleError, NewKey, Reason, Refusal, ScopeRule,
};
use keyward_store::{KeyStore, Limit, ListQuery, Owner, Records, Scope, Scopes};

use super::service::{Node, READ, WRITE};
use super::team::{HOUR, MANAGE, policy, start, user};

/// A rotation gives away the rights of a key, so whoever has fewer may not make one; an update may
/// narrow anything, and widen to what the actor holds.
pub async fn nobody_gives_what_they_lack<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let member = user("7", "member", "acme-inc");
    let strong = NewKey::named("strong")
        .tenant("acme-inc")
        .owner(Owner::new("user", "7"))
        .scopes([READ, MANAGE]);
    let strong = node.keys.issue(strong).await.unwrap().key;
    let acting = node.keys.acting_as(&member);
    let refused = |outcome: Result<_, LifecycleError>| match outcome {
        Err(LifecycleError::Refused(refusal)) => refusal,
        Ok(()) => panic!("it was done"),
        Err(other) => panic!("{other:?}"),
    };
    let lacking = Refusal::Scopes([MANAGE].into());
    let rotated = acting.rotate(&strong.id).await.map(|_| ());
    assert_eq!(refused(rotated), lacking);
    let scopes = async |scopes: &[Scope]| {
        let update = KeyUpdate::new().scopes(scopes.iter().cloned());
        acting.update(&strong.id, update).await.map(|_| ())
    };
    // What it has it may keep.
    scopes(&[READ, WRITE, MANAGE]).await.unwrap();
    scopes(&[READ]).await.unwrap();
    assert_eq!(refused(scopes(&[READ, MANAGE]).await), lacking);
    scopes(&[READ, WRITE]).await.unwrap();
    acting.rotate(&strong.id).await.unwrap();
    // A ceiling bounds what is given as it bounds what is done.
    node.keys
        .tenant("acme-inc")
        .ceiling(Some([READ].into()))
        .await
        .unwrap();
    let beyond = acting.issue(NewKey::named("x").scopes([WRITE])).await;
    assert!(
        matches!(beyond, Err(IssueError::Refused(Refusal::Scopes(_)))),
        "{beyond:?}"
    );
    acting
        .issue(NewKey::named("x").scopes([READ]))
        .await
        .unwrap();
}

/// A key manages keys only with the scope for it, never gives more than it has, and changes nothing
/// about itself.
pub async fn a_key_manages_keys_within_its_own_bounds<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let limit = |requests| Limit::new(requests, Duration::from_secs(1)).unwrap();
    let new = |scopes: &[Scope]| {
        NewKey::named("manager")
            .tenant("acme-inc")
            .scopes(scopes.iter().cloned())
            .limits([limit(10)])
            .expires_in(HOUR)
    };
    let actor_of = async |issued: &Issued| Actor::key(&node.verify(&issued.secret).await.unwrap());
    let plain = node.issued(node.keys.issue(new(&[READ])).await.unwrap());
    let plain = actor_of(&plain).await;
    let issued = node.keys.acting_as(&plain).issue(NewKey::named("x")).await;
    assert!(
        matches!(issued, Err(IssueError::Refused(Refusal::ByKey))),
        "{issued:?}"
    );
    assert!(
        node.keys
            .acting_as(&plain)
            .list(&ListQuery::all())
            .await
            .is_err()
    );

    let manager = node.issued(node.keys.issue(new(&[READ, MANAGE])).await.unwrap());
    let actor = actor_of(&manager).await;
    let acting = node.keys.acting_as(&actor);
    // What is not said it has from its maker.
    let child = acting.issue(NewKey::named("child").scopes([READ])).await;
    let child = node.issued(child.unwrap()).key;
    assert_eq!(child.expires_at, manager.key.expires_at);
    assert_eq!(child.limits, manager.key.limits);
    let longer = NewKey::named("x").expires_in(2 * HOUR);
    let faster = NewKey::named("x").limits([limit(11)]);
    let stronger = NewKey::named("x").scopes([WRITE]);
    for (new, refusal) in [
        (longer, Refusal::Expiry),
        (faster, Refusal::Limits),
        (stronger, Refusal::Scopes([WRITE].into())),
    ] {
        let issued = acting.issue(new).await;
        assert!(
            matches!(&issued, Err(IssueError::Refused(is)) if *is == refusal),
            "{issued:?}"
        );
    }
    let itself = &manager.key.id;
    for update in [
        KeyUpdate::new().expires_at(None),
        KeyUpdate::new().name("x"),
    ] {
        let updated = acting.update(itself, update).await;
        let own = matches!(updated, Err(LifecycleError::Refused(Refusal::OwnKey)));
        assert!(own, "{updated:?}");
    }
    for (update, refusal) in [
        (KeyUpdate::new().expires_at(None), Refusal::Expiry),
        (KeyUpdate::new().limits([]), Refusal::Limits),
        (
            KeyUpdate::new().scopes([WRITE]),
            Refusal::Scopes([WRITE].into()),
        ),
    ] {
        let updated = acting.update(&child.id, update).await;
        assert!(
            matches!(&updated, Err(LifecycleError::Refused(is)) if *is == refusal),
            "{updated:?}"
        );
    }
    acting
        .update(&child.id, KeyUpdate::new().name("renamed"))
        .await
        .unwrap();
    acting.revoke(&child.id).await.unwrap();
    acting.revoke(itself).await.unwrap();
    node.refuses(&manager.secret, Reason::Revoked).await;
    // Whoever came by it before gives nothing any more.
    let late = acting.issue(NewKey::named("x").scopes([READ])).await;
    assert!(
        matches!(late, Err(IssueError::Refused(Refusal::KeyOver))),
        "{late:?}"
    );
}

/// Where scopes follow from the role, a key has exactly those, whatever is said or not said; where they
/// are inherited, it has them unless fewer are chosen.
pub async fn scopes_follow_the_rule<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |setup| {
        setup.policy(policy().scope_rule(ScopeRule::Fixed))
    })
    .await;
    let inherited = node
        .another_with(|setup| setup.policy(policy().scope_rule(ScopeRule::Inherited)))
        .await;
    let member = user("7", "member", "acme-inc");
    let all: Scopes = [READ, WRITE].into();
    for node in [&node, &inherited] {
        let acting = node.keys.acting_as(&member);
        let issued = acting.issue(NewKey::named("x")).await.unwrap();
        assert_eq!(issued.key.scopes, all);
        acting.rotate(&issued.key.id).await.unwrap();
    }
    let fewer = || NewKey::named("x").scopes([READ]);
    let acting = node.keys.acting_as(&member);
    let fixed = acting.issue(fewer()).await;
    assert!(
        matches!(fixed, Err(IssueError::Refused(Refusal::FixedScopes))),
        "{fixed:?}"
    );
    let key = acting.issue(NewKey::named("x")).await.unwrap().key;
    let narrowed = acting
        .update(&key.id, KeyUpdate::new().scopes([READ]))
        .await;
    let fixed = matches!(narrowed, Err(LifecycleError::Refused(Refusal::FixedScopes)));
    assert!(fixed, "{narrowed:?}");
    acting
        .update(&key.id, KeyUpdate::new().name("y"))
        .await
        .unwrap();
    let acting = inherited.keys.acting_as(&member);
    let chosen = acting.issue(fewer()).await.unwrap();
    assert_eq!(chosen.key.scopes, [READ].into());
    let none = acting.issue(NewKey::named("x").scopes([])).await.unwrap();
    assert!(none.key.scopes.is_empty());
}

/// Whoever came by a key gives no more than it could when they came, and no more than it can when they
/// give, whatever has become of it meanwhile.
pub async fn a_key_that_changes_gives_no_more_than_before_or_after<S: Records + KeyStore>(
    store: S,
) {
    let node = start(store).await;
    let limit = |requests| Limit::new(requests, Duration::from_secs(1)).unwrap();
    let net = |text: &str| text.parse::<IpNet>().unwrap();
    let new = NewKey::named("manager")
        .tenant("acme-inc")
        .scopes([READ, MANAGE])
        .limits([limit(10)])
        .networks([net("10.0.0.0/8"), net("2001:db8::/32")])
        .expires_in(2 * HOUR);
    let manager = node.issued(node.keys.issue(new).await.unwrap());
    let actor = Actor::key(&node.verify(&manager.secret).await.unwrap());
    let acting = node.keys.acting_as(&actor);
    let itself = &manager.key.id;
    let child = async || acting.issue(NewKey::named("child")).await.unwrap().key;

    // What is widened is theirs only when they come again.
    let wider = KeyUpdate::new()
        .scopes([READ, WRITE, MANAGE])
        .limits([])
        .networks([])
        .expires_at(None);
    node.keys.update(itself, wider).await.unwrap();
    let same = child().await;
    assert_eq!(same.expires_at, manager.key.expires_at);
    assert_eq!(same.limits, manager.key.limits);
    assert_eq!(same.networks, manager.key.networks);
    let anywhere = NewKey::named("x").networks([]);
    let faster = NewKey::named("x").limits([]);
    let longer = NewKey::named("x").expires_in(3 * HOUR);
    let stronger = NewKey::named("x").scopes([WRITE]);
    for (new, refusal) in [
        (anywhere, Refusal::Networks),
        (faster, Refusal::Limits),
        (longer, Refusal::Expiry),
        (stronger, Refusal::Scopes([WRITE].into())),
    ] {
        let issued = acting.issue(new).await;
        assert!(
            matches!(&issued, Err(IssueError::Refused(is)) if *is == refusal),
            "{issued:?}"
        );
    }

    // What is narrowed is not theirs any more.
    let narrower = KeyUpdate::new()
        .scopes([MANAGE])
        .limits([limit(5)])
        .networks([net("10.1.0.0/16"), net("192.168.0.0/16")])
        .expires_in(HOUR);
    let narrowed = node.keys.update(itself, narrower).await.unwrap();
    let less = child().await;
    assert_eq!(less.expires_at, narrowed.expires_at);
    assert_eq!(less.limits, [limit(5), limit(10)]);
    assert_eq!(less.networks, [net("10.1.0.0/16")]);
    let before = NewKey::named("x").scopes([READ]);
    let issued = acting.issue(before).await;
    assert!(
        matches!(&issued, Err(IssueError::Refused(Refusal::Scopes(_)))),
        "{issued:?}"
    );
    // Nowhere is nothing that a key could say: without networks it would be good from anywhere.
    let elsewhere = KeyUpdate::new().networks([net("192.168.0.0/16")]);
    node.keys.update(itself, elsewhere).await.unwrap();
    let issued = acting.issue(NewKey::named("x")).await;
    assert!(
        matches!(&issued, Err(IssueError::Refused(Refusal::Networks))),
        "{issued:?}"
    );
}

/// A key gives no more places to be used from than it has itself, however these are spelled.
pub async fn a_key_gives_no_other_networks_than_its_own<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let nets = |texts: &[&str]| -> Vec<IpNet> {
        let nets = texts.iter().map(|text| text.parse().unwrap());
        nets.collect()
    };
    let own = nets(&["10.0.0.0/9", "10.128.0.0/9", "2001:db8::/32"]);
    let new = NewKey::named("manager")
        .tenant("acme-inc")
        .scopes([MANAGE])
        .networks(own.clone());
    let manager = node.issued(node.keys.issue(new).await.unwrap());
    let actor = Actor::key(&node.verify(&manager.secret).await.unwrap());
    let acting = node.keys.acting_as(&actor);
    let child = acting.issue(NewKey::named("child")).await.unwrap().key;
    assert_eq!(child.networks, own);
    let cases: [(&[&str], bool); 7] = [
        (&["10.1.2.3/16"], true),
        (&["2001:db8:7::/48", "10.200.0.1/32"], true),
        // No more than its two halves.
        (&["10.0.0.0/8"], true),
        (&["10.0.0.0/7"], false),
        (&["10.1.0.0/16", "192.168.0.0/16"], false),
        (&["::/0"], false),
        // From anywhere.
        (&[], false),
    ];
    for (texts, is_within) in cases {
        let networks = nets(texts);
        let issued = acting
            .issue(NewKey::named("x").networks(networks.clone()))
            .await;
        let updated = acting
            .update(&child.id, KeyUpdate::new().networks(networks.clone()))
            .await;
        if is_within {
            let mut kept: Vec<_> = networks.iter().map(IpNet::trunc).collect();
            kept.sort();
            assert_eq!(issued.unwrap().key.networks, kept);
            assert_eq!(updated.unwrap().networks, kept);
        } else {
            assert!(
                matches!(issued, Err(IssueError::Refused(Refusal::Networks))),
                "{texts:?}: {issued:?}"
            );
            assert!(
                matches!(updated, Err(LifecycleError::Refused(Refusal::Networks))),
                "{texts:?}: {updated:?}"
            );
        }
    }
    // One that is good elsewhere is not theirs to replace, and may be narrowed to where it is.
    let loose = NewKey::named("loose").tenant("acme-inc");
    let loose = node.keys.issue(loose).await.unwrap().key;
    let rotated = acting.rotate(&loose.id).await;
    assert!(
        matches!(rotated, Err(LifecycleError::Refused(Refusal::Networks))),
        "{rotated:?}"
    );
    let narrowed = KeyUpdate::new().networks(nets(&["10.1.0.0/16"]));
    acting.update(&loose.id, narrowed).await.unwrap();
    acting.rotate(&loose.id).await.unwrap();
}
