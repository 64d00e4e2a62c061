//! Through the service: what bounds the issue of keys.

use std::time::Duration;

use keyward_core::{Invalid, IssueError};
use keyward_store::{AuditAction, AuditQuery, KeyFilter, KeyStore, Limit, Owner, Records};

use super::service::{Node, new_key};
use super::tools::at_once;

/// Everything that is said of a new key is kept, and shown to handlers.
pub async fn all_that_is_said_of_a_key_is_kept<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let daily = Limit::new(1_000, Duration::from_secs(24 * 3600)).unwrap();
    let brisk = Limit::new(10, Duration::from_secs(1)).unwrap();
    let new = new_key("acme_live")
        .description("orders\nto the warehouse")
        .owner(Owner::new("user", "7"))
        .environment("live")
        .tags(["b", "a", "b"])
        .limits([daily, brisk])
        .role("member")
        .metadata(serde_json::json!({ "plan": "pro" }))
        .expires_in(Duration::from_secs(3600));
    let issued = node.issued(node.keys.issue(new).await.unwrap());
    let kept = node.record(&issued.key.id).await;
    assert_eq!(kept, issued.key);
    assert_eq!(kept.tags, ["a", "b"]);
    assert_eq!(kept.limits, [brisk, daily]);
    let principal = node.verify(&issued.secret).await.unwrap();
    assert_eq!(principal.limits(), [brisk, daily]);
    assert_eq!(principal.limited_as(), &kept.id);
    assert_eq!(principal.successor(), None);
}

/// Of 200 who want a key of a tenant at once, as many get one as the cap allows; expired and revoked
/// keys leave room.
pub async fn a_tenants_cap_holds_however_many_ask<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |setup| setup.keys_per_tenant(7)).await;
    let other = node.another_with(|setup| setup.keys_per_tenant(7)).await;
    let wanted = (0..200).map(|n| {
        let keys = [&node, &other][n % 2].keys.clone();
        async move { keys.issue(new_key("acme_live")).await }
    });
    let outcomes = at_once(wanted).await;
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    for error in refused.clone() {
        assert!(matches!(error, IssueError::CapReached(7)), "{error:?}");
    }
    assert_eq!(refused.count(), 193);
    let first = outcomes.into_iter().find_map(Result::ok).unwrap();
    node.keys
        .issue(new_key("acme_live").tenant("other"))
        .await
        .unwrap();
    node.keys.revoke(&first.key.id).await.unwrap();
    node.keys.issue(new_key("acme_live")).await.unwrap();
    assert!(node.keys.issue(new_key("acme_live")).await.is_err());
}

/// The same for the keys of one owner in one tenant; neither other owners nor the same one in other
/// tenants are counted.
pub async fn an_owners_cap_holds_however_many_ask<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |setup| setup.keys_per_owner(3)).await;
    let new = |tenant: &str, owner: &str| {
        let owner = Owner::new("user", owner);
        new_key("acme_live").tenant(tenant).owner(owner)
    };
    let wanted = (0..200).map(|n| {
        let keys = node.keys.clone();
        let new = new(["acme-inc", "other"][n / 100], ["a", "b"][n % 2]);
        async move { keys.issue(new).await }
    });
    let outcomes = at_once(wanted).await;
    assert_eq!(
        outcomes.iter().filter(|outcome| outcome.is_ok()).count(),
        12
    );
    for tenant in ["acme-inc", "other"] {
        for owner in ["a", "b"] {
            let filter = KeyFilter::usable().tenant(tenant);
            let filter = filter.owner(Owner::new("user", owner));
            assert_eq!(node.keys.count(filter).await.unwrap(), 3);
        }
    }
    node.keys.issue(new_key("acme_live")).await.unwrap();
}

/// Of 50 requests with one token, one issues a key, and the others are told which; another tenant's
/// token is another one. Whoever is told so is not told that a cap was reached.
pub async fn a_token_issues_one_key<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |setup| setup.keys_per_tenant(1)).await;
    let new = |tenant: &str| {
        new_key("acme_live")
            .tenant(tenant)
            .idempotency_token("request 1")
    };
    let wanted = (0..50).map(|_| {
        let (keys, new) = (node.keys.clone(), new("acme-inc"));
        async move { keys.issue(new).await }
    });
    let (made, refused): (Vec<_>, Vec<_>) =
        at_once(wanted).await.into_iter().partition(Result::is_ok);
    let [Ok(made)] = &made[..] else {
        panic!("{} were made", made.len());
    };
    for error in refused {
        let error = error.unwrap_err();
        assert!(
            matches!(&error, IssueError::Replayed(key) if *key == made.key.id),
            "{error:?}"
        );
    }
    let other = node.keys.issue(new("other")).await.unwrap();
    assert_ne!(other.key.id, made.key.id);
    let lines = node.keys.audit(&AuditQuery::default()).await.unwrap();
    let issued = lines.iter().map(|line| line.record.action);
    assert!(issued.eq([AuditAction::Issued; 2]));
}

/// What cannot be is refused by the name of its field, and nothing of it is kept.
pub async fn what_cannot_be_is_named<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let pasted = node.issue("acme_live").await.secret;
    let limit = Limit::new(1, Duration::from_secs(1)).unwrap();
    let many = (1..=9).map(|n| Limit::new(n, Duration::from_secs(1)).unwrap());
    let new = || new_key("acme_live");
    let named = |name: &str| keyward_core::NewKey::named(name).tenant("acme-inc");
    let cases = [
        (named("safe\u{202e}gpj.exe"), Invalid::Name),
        (named("a\0b"), Invalid::Name),
        (named(pasted.expose()), Invalid::HoldsKey("name")),
        (new().description("\u{1b}[2J"), Invalid::Description),
        (
            new().description(pasted.expose()),
            Invalid::HoldsKey("description"),
        ),
        (new().environment(""), Invalid::Environment),
        (new().tags([""]), Invalid::Tags),
        (new().tags((0..33).map(|n| n.to_string())), Invalid::Tags),
        (new().tenant(""), Invalid::Tenant),
        (new().tenant("a\0b"), Invalid::Tenant),
        (new().owner(Owner::new("user", "")), Invalid::Owner),
        (new().limits(many), Invalid::Limits),
        (new().idempotency_token(""), Invalid::IdempotencyToken),
        (
            new().metadata(serde_json::json!({ "key": pasted.expose() })),
            Invalid::HoldsKey("metadata"),
        ),
    ];
    for (new, invalid) in cases {
        let error = node.keys.issue(new).await.unwrap_err();
        assert!(
            matches!(error, IssueError::Invalid(is) if is == invalid),
            "{error:?} is not {invalid:?}"
        );
    }
    node.keys.issue(new().limits([limit])).await.unwrap();
    assert_eq!(node.keys.count(KeyFilter::all()).await.unwrap(), 2);
}
