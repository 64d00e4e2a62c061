//! Through the service: who may do what, and what becomes of it while keys live.

use std::time::Duration;

use keyward_core::{Actor, DeniedKind, IssueError, KeyUpdate, LifecycleError, NewKey, Refusal};
use keyward_store::{
    AuditAction, AuditQuery, KeyFilter, KeyId, KeyStore, ListQuery, Owner, Records, Scopes,
};

use super::service::{Node, READ, SOON, WRITE, within};
use super::team::{HOUR, MANAGE, policy, start, user};

/// What an actor issues is theirs: their tenant, they as its owner and maker, their role; and no more
/// than they may give.
pub async fn what_an_actor_issues_is_theirs<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let member = user("7", "member", "acme-inc");
    let acting = node.keys.acting_as(&member);
    let issued = acting.issue(NewKey::named("ci").scopes([READ])).await;
    let key = node.issued(issued.unwrap()).key;
    assert_eq!(key.tenant.as_str(), "acme-inc");
    assert_eq!(key.owner, Some(Owner::new("user", "7")));
    assert_eq!(key.created_by.as_deref(), Some("user:7"));
    assert_eq!(key.role.as_deref(), Some("member"));
    // To say nothing, or an empty list, is no right at all.
    let none = acting.issue(NewKey::named("ci")).await.unwrap();
    assert!(none.key.scopes.is_empty());

    let refused =
        async |actor: &Actor, new: NewKey| match node.keys.acting_as(actor).issue(new).await {
            Err(IssueError::Refused(refusal)) => refusal,
            other => panic!("{other:?}"),
        };
    let beyond = NewKey::named("x").scopes([READ, MANAGE]);
    let lacking = Refusal::Scopes([MANAGE].into());
    assert_eq!(refused(&member, beyond).await, lacking);
    let elsewhere = NewKey::named("x").tenant("other");
    assert_eq!(refused(&member, elsewhere).await, Refusal::Tenant);
    let for_others = NewKey::named("x").owner(Owner::new("user", "8"));
    assert_eq!(refused(&member, for_others.clone()).await, Refusal::Owner);
    let admin = user("1", "admin", "acme-inc");
    node.keys.acting_as(&admin).issue(for_others).await.unwrap();
    for role in ["auditor", "nobody"] {
        let actor = user("9", role, "acme-inc");
        assert_eq!(refused(&actor, NewKey::named("x")).await, Refusal::Role);
    }
    node.keys.tenant("acme-inc").entitle(false).await.unwrap();
    assert_eq!(
        refused(&admin, NewKey::named("x")).await,
        Refusal::NotEntitled
    );
    node.keys.tenant("acme-inc").entitle(true).await.unwrap();
    node.keys
        .owner(Owner::new("user", "7"))
        .suspend()
        .await
        .unwrap();
    assert_eq!(
        refused(&member, NewKey::named("x")).await,
        Refusal::Suspended
    );
    assert_eq!(node.keys.count(KeyFilter::all()).await.unwrap(), 3);
}

/// To an actor, a key of another tenant, or one that they may not see, is not there; one that they may
/// see and not touch is refused.
pub async fn a_foreign_key_is_not_there<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let key = NewKey::named("ci")
        .tenant("acme-inc")
        .owner(Owner::new("user", "7"));
    let key = node.issued(node.keys.issue(key).await.unwrap());
    let id = &key.key.id;
    let before = node.record(id).await;
    let missing = KeyId::generate();
    for (actor, there) in [
        (user("7", "admin", "other"), false),
        (user("8", "member", "acme-inc"), false),
        (user("9", "nobody", "acme-inc"), false),
        (user("9", "auditor", "acme-inc"), true),
    ] {
        let acting = node.keys.acting_as(&actor);
        assert_eq!(acting.get(id).await.unwrap().is_some(), there);
        let rename = || KeyUpdate::new().name("x");
        let all = async |id: &KeyId| {
            [
                acting.rotate(id).await.map(|_| ()),
                acting.revoke(id).await,
                acting.suspend(id).await,
                acting.resume(id).await,
                acting.update(id, rename()).await.map(|_| ()),
                acting.undo_rotation(id).await.map(|_| ()),
            ]
        };
        for outcome in all(&missing).await {
            assert!(
                matches!(outcome, Err(LifecycleError::NotFound(_))),
                "{outcome:?}"
            );
        }
        for outcome in all(id).await {
            if there {
                let role = matches!(outcome, Err(LifecycleError::Refused(Refusal::Role)));
                assert!(role, "{outcome:?}");
            } else {
                let missing = matches!(&outcome, Err(LifecycleError::NotFound(of)) if of == id);
                assert!(missing, "{outcome:?}");
            }
        }
    }
    assert_eq!(node.record(id).await, before);
    assert!(node.accepts(&key).await);
}

/// Lists, reports, bulk revocations and the audit log are cut to what the actor may see.
pub async fn what_is_listed_is_cut_to_the_actor<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    for (tenant, owner) in [
        ("acme-inc", "7"),
        ("acme-inc", "8"),
        ("other", "7"),
        ("acme-inc", "7"),
    ] {
        let owner = Owner::new("user", owner);
        let new = NewKey::named("ci").tenant(tenant).owner(owner);
        node.keys.issue(new).await.unwrap();
    }
    node.keys.tenant("acme-inc").entitle(true).await.unwrap();
    node.keys
        .tenant("acme-inc")
        .ceiling(Some(Scopes::none()))
        .await
        .unwrap();
    // Of the log they also see what was refused to those before them.
    for (actor, keys, lines) in [
        (user("7", "member", "acme-inc"), 2, 2),
        (user("1", "admin", "acme-inc"), 3, 5),
        (user("1", "auditor", "acme-inc"), 3, 6),
        (user("7", "member", "other"), 1, 1),
    ] {
        let acting = node.keys.acting_as(&actor);
        let listed = acting.list(&ListQuery::all()).await.unwrap().keys;
        assert_eq!(listed.len(), keys, "{actor:?}");
        assert!(
            listed
                .iter()
                .all(|key| key.record.tenant == *actor.tenant())
        );
        let ending = acting.ending_within(HOUR, ListQuery::all()).await.unwrap();
        assert_eq!(ending.keys.len(), 0);
        let audit = acting.audit(&AuditQuery::default()).await.unwrap();
        assert_eq!(audit.len(), lines, "{actor:?}");
        let elsewhere = [
            acting.list(&ListQuery::tenant("third")).await.map(|_| ()),
            acting.audit(&AuditQuery::tenant("third")).await.map(|_| ()),
            acting
                .revoke_all(KeyFilter::listed().tenant("third"))
                .await
                .map(|_| ()),
        ];
        for outcome in elsewhere {
            assert!(
                matches!(outcome, Err(LifecycleError::Refused(_))),
                "{outcome:?}"
            );
        }
    }
    let nobody = user("7", "nobody", "acme-inc");
    let listed = node.keys.acting_as(&nobody).list(&ListQuery::all()).await;
    assert!(matches!(
        listed,
        Err(LifecycleError::Refused(Refusal::Role))
    ));
    let member = user("7", "member", "acme-inc");
    let acting = node.keys.acting_as(&member);
    let others = KeyFilter::listed().owner(Owner::new("user", "8"));
    assert!(acting.revoke_all(others).await.is_err());
    let mine = KeyFilter::listed().tenant("acme-inc");
    assert_eq!(acting.revoke_all(mine).await.unwrap(), 2);
    assert_eq!(node.keys.count(KeyFilter::listed()).await.unwrap(), 2);
    assert!(acting.purge(Duration::ZERO).await.is_err());
}

/// What is refused to someone who would make, change or delete keys is in the audit log, with their name.
pub async fn refused_mints_are_told<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let member = user("7", "member", "acme-inc");
    let foreign = NewKey::named("x").tenant("other");
    let foreign = node.keys.issue(foreign).await.unwrap().key;
    let acting = node.keys.acting_as(&member);
    assert!(
        acting
            .issue(NewKey::named("x").scopes([MANAGE]))
            .await
            .is_err()
    );
    assert!(acting.rotate(&foreign.id).await.is_err());
    assert!(
        acting
            .update(&foreign.id, KeyUpdate::new().name("y"))
            .await
            .is_err()
    );
    assert!(acting.revoke(&foreign.id).await.is_err());
    assert!(acting.suspend(&foreign.id).await.is_err());
    assert!(acting.undo_rotation(&foreign.id).await.is_err());
    let others = KeyFilter::listed().tenant("other");
    assert!(acting.revoke_all(others.clone()).await.is_err());
    assert!(acting.purge(HOUR).await.is_err());
    // What is only looked at is not.
    assert!(acting.revoke_all(others).dry_run().await.is_err());
    assert!(acting.list(&ListQuery::tenant("other")).await.is_err());
    let lines = acting.audit(&AuditQuery::default()).await.unwrap();
    let told: Vec<_> = lines
        .into_iter()
        .map(|line| line.record)
        .map(|line| {
            (
                line.action,
                line.actor.unwrap(),
                line.refusal.unwrap(),
                line.key,
            )
        })
        .collect();
    let refused = |word: &str, key| {
        let (actor, word) = ("user:7".to_owned(), word.to_owned());
        (AuditAction::Refused, actor, word, key)
    };
    let id = Some(foreign.id);
    assert_eq!(
        told,
        [
            refused("scopes", None),
            refused("not_found", id.clone()),
            refused("not_found", id.clone()),
            refused("not_found", id.clone()),
            refused("not_found", id.clone()),
            refused("not_found", id),
            refused("tenant", None),
            refused("role", None),
        ]
    );
    // To whom the key belongs, it is no line of theirs.
    let theirs = node.keys.audit(&AuditQuery::tenant("other")).await.unwrap();
    assert_eq!(theirs.len(), 1);
}

/// A change of entitlement, role, ceiling or suspension reaches principals that are cached, here at
/// once and on another node soon; and so does its end.
pub async fn a_standing_reaches_cached_principals<S: Records + KeyStore>(store: S) {
    let node = start(store).await;
    let other = node.another_with(|setup| setup.policy(policy())).await;
    let owner = Owner::new("user", "7");
    let new = NewKey::named("ci")
        .tenant("acme-inc")
        .owner(owner.clone())
        .role("admin")
        .scopes([READ, WRITE, MANAGE]);
    let key = node.issued(node.keys.issue(new).await.unwrap());
    // What it may do and under which role, or why not.
    let is = async |node: &Node<S>| match node.verify(&key.secret).await {
        Ok(principal) => {
            let role = principal.role().unwrap_or_default();
            format!("{role}: {}", principal.scopes())
        }
        Err(denied) if denied.kind() == DeniedKind::NotEntitled => "not entitled".to_owned(),
        Err(denied) => denied.reason().to_string(),
    };
    let becomes = async |what: &str| {
        assert_eq!(is(&node).await, what, "at once");
        within(SOON, what, async || is(&other).await == what).await;
    };
    let all = "admin: keys:manage orders:read orders:write";
    becomes(all).await;
    let tenant = node.keys.tenant("acme-inc");
    let standing = node.keys.owner(owner.clone());
    tenant.entitle(false).await.unwrap();
    becomes("not entitled").await;
    tenant.entitle(true).await.unwrap();
    becomes(all).await;
    standing.set_role(Some("member")).await.unwrap();
    becomes("member: orders:read orders:write").await;
    tenant.ceiling(Some([READ, MANAGE].into())).await.unwrap();
    becomes("member: orders:read").await;
    standing.suspend().await.unwrap();
    becomes("owner suspended").await;
    standing.resume().await.unwrap();
    tenant.ceiling(None).await.unwrap();
    standing.set_role(Some("auditor")).await.unwrap();
    becomes("auditor: orders:read").await;
    standing.set_role(None).await.unwrap();
    becomes(all).await;
    tenant.suspend().await.unwrap();
    becomes("tenant suspended").await;
    tenant.resume().await.unwrap();
    becomes(all).await;
    let unknown = standing.set_role(Some("emperor")).await;
    assert!(
        matches!(unknown, Err(LifecycleError::UnknownRole)),
        "{unknown:?}"
    );
}
