//! Through the service: keys that are changed, suspended, revoked in bulk and deleted.

use std::time::{Duration, SystemTime};

use keyward_core::{Invalid, Issued, KeyUpdate, LifecycleError, Reason};
use keyward_store::{
    AuditAction, AuditQuery, KeyFilter, KeyStatus, KeyStore, Limit, ListQuery, Owner, Records,
    Statuses,
};
use tokio::time::sleep;

use super::service::{FORMATS, Node, READ, SOON, WRITE, new_key, within};
use super::tools::at_once;

const HOUR: Duration = Duration::from_secs(3600);

/// A suspended key is refused from then on, cached or not, on every node; and accepted again once it is
/// resumed. To do either twice changes nothing.
pub async fn a_suspended_key_is_refused_until_it_is_resumed<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    for format in FORMATS {
        let (key, left) = (node.issue(format).await, node.issue(format).await);
        for _turn in 0..2 {
            assert!(node.accepts(&key).await && other.accepts(&key).await);
            node.keys.suspend(&key.key.id).await.unwrap();
            node.refuses(&key.secret, Reason::Suspended).await;
            within(SOON, "the other node hears", async || {
                !other.accepts(&key).await
            })
            .await;
            let suspended = node.record(&key.key.id).await;
            node.keys.suspend(&key.key.id).await.unwrap();
            assert_eq!(node.record(&key.key.id).await, suspended);
            node.keys.resume(&key.key.id).await.unwrap();
            node.keys.resume(&key.key.id).await.unwrap();
            assert!(node.accepts(&key).await);
            within(SOON, "the other node hears", async || {
                other.accepts(&key).await
            })
            .await;
        }
        assert!(node.accepts(&left).await);
    }
}

/// What is revoked or retired is neither suspended, resumed nor changed: it never comes back.
pub async fn what_is_over_stays_so<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let (revoked, retired) = (node.issue("acme_live").await, node.issue("acme_live").await);
    node.keys.suspend(&revoked.key.id).await.unwrap();
    node.keys.revoke(&revoked.key.id).await.unwrap();
    node.keys.rotate(&retired.key.id).await.unwrap();
    for (key, status) in [
        (&revoked, KeyStatus::Revoked),
        (&retired, KeyStatus::Retired),
    ] {
        let id = &key.key.id;
        let before = node.record(id).await;
        let later = KeyUpdate::new().expires_in(HOUR);
        for outcome in [
            node.keys.resume(id).await,
            node.keys.suspend(id).await,
            node.keys.update(id, later).await.map(|_record| ()),
        ] {
            let is = matches!(&outcome, Err(LifecycleError::Is(is)) if *is == status);
            assert!(is, "{outcome:?}");
        }
        assert_eq!(node.record(id).await, before);
    }
    let short = new_key("acme_live").expires_in(Duration::from_millis(1));
    let short = node.issued(node.keys.issue(short).await.unwrap());
    sleep(Duration::from_millis(50)).await;
    let revive = KeyUpdate::new().expires_at(None);
    let revived = node.keys.update(&short.key.id, revive).await;
    let expired = matches!(&revived, Err(LifecycleError::Is(KeyStatus::Expired)));
    assert!(expired, "{revived:?}");
}

/// An update changes what it names and nothing else, and is heeded at once by what is cached.
pub async fn an_update_is_heeded_at_once<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let new = new_key("acme_live").scopes([READ, WRITE]).description("d");
    let key = node.issued(node.keys.issue(new).await.unwrap());
    let id = &key.key.id;
    assert!(
        node.verify(&key.secret)
            .await
            .unwrap()
            .require(&WRITE)
            .is_ok()
    );
    let narrowed = KeyUpdate::new().scopes([READ]).name("renamed");
    let record = node.keys.update(id, narrowed).await.unwrap();
    assert_eq!(record, node.record(id).await);
    let mut expected = key.key.clone();
    expected.name = "renamed".to_owned();
    expected.scopes = [READ].into();
    expected.revision += 1;
    assert_eq!(record, expected);
    let principal = node.verify(&key.secret).await.unwrap();
    assert!(principal.require(&WRITE).is_err());
    assert_eq!(principal.name(), "renamed");

    let limit = Limit::new(5, Duration::from_secs(1)).unwrap();
    let all = KeyUpdate::new()
        .description(None)
        .tags(["b", "a"])
        .metadata(Some(serde_json::json!({ "a": 1 })))
        .limits([limit])
        .expires_in(Duration::from_millis(400));
    let record = node.keys.update(id, all).await.unwrap();
    assert_eq!(
        (record.description.as_ref(), &record.tags[..]),
        (None, &["a".to_owned(), "b".to_owned()][..])
    );
    assert_eq!(node.verify(&key.secret).await.unwrap().limits(), [limit]);
    within(SOON, "the key expires", async || !node.accepts(&key).await).await;
    node.refuses(&key.secret, Reason::Expired).await;

    let same = node.issue("acme_live").await.key;
    let nothing = node.keys.update(&same.id, KeyUpdate::new()).await.unwrap();
    assert_eq!(nothing, same);
    let bad = KeyUpdate::new().name("\u{202e}");
    let bad = node.keys.update(&same.id, bad).await;
    assert!(
        matches!(bad, Err(LifecycleError::Invalid(Invalid::Name))),
        "{bad:?}"
    );
    let past = KeyUpdate::new().expires_at(Some(SystemTime::UNIX_EPOCH));
    let past = node.keys.update(&same.id, past).await;
    assert!(
        matches!(past, Err(LifecycleError::Invalid(Invalid::ExpiryInPast))),
        "{past:?}"
    );
    assert_eq!(node.record(&same.id).await, same);
}

/// The audit log says what a change was about, before and after.
pub async fn a_change_is_told_before_and_after<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let new = new_key("acme_live").scopes([READ, WRITE]);
    let key = node.issued(node.keys.issue(new).await.unwrap()).key;
    let jo = node.keys.as_operator("ops:jo");
    let update = KeyUpdate::new()
        .scopes([READ])
        .description(Some("d".to_owned()));
    jo.update(&key.id, update).await.unwrap();
    let tenant = node.keys.tenant("acme-inc").by("ops:jo");
    tenant.entitle(false).await.unwrap();
    let lines = node
        .keys
        .audit(&AuditQuery::tenant("acme-inc"))
        .await
        .unwrap();
    let lines: Vec<_> = lines.into_iter().map(|line| line.record).collect();
    let [issued, updated, changed] = &lines[..] else {
        panic!("{} lines", lines.len());
    };
    let json = |text: &Option<String>| {
        let text = text.as_deref().unwrap();
        serde_json::from_str::<serde_json::Value>(text).unwrap()
    };
    assert_eq!(issued.before, None);
    assert_eq!(
        json(&issued.after)["scopes"],
        serde_json::json!(["orders:read", "orders:write"])
    );
    assert_eq!(updated.actor.as_deref(), Some("ops:jo"));
    assert_eq!(
        json(&updated.before),
        serde_json::json!({ "description": null, "scopes": ["orders:read", "orders:write"] })
    );
    assert_eq!(
        json(&updated.after),
        serde_json::json!({ "description": "d", "scopes": ["orders:read"] })
    );
    assert_eq!(changed.action, AuditAction::SubjectChanged);
    assert_eq!(changed.actor.as_deref(), Some("ops:jo"));
    assert_eq!(
        json(&changed.before),
        serde_json::json!({ "entitled": true })
    );
    assert_eq!(
        json(&changed.after),
        serde_json::json!({ "entitled": false })
    );
}

/// A bulk revocation revokes what its filter lets through and nothing else, as many as a dry run has
/// counted; without a word on whose keys, it revokes none.
pub async fn a_bulk_revocation_revokes_what_it_says<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let mut keys: Vec<Issued> = Vec::new();
    for n in 0..12 {
        let new = new_key(FORMATS[n % 2])
            .tenant(["acme-inc", "other"][n / 6])
            .owner(Owner::new("user", (n % 3).to_string()))
            .tags([format!("tag {}", n % 4)]);
        keys.push(node.issued(node.keys.issue(new).await.unwrap()));
    }
    let nothing_said = node.keys.revoke_all(KeyFilter::listed()).await;
    let refused = matches!(nothing_said, Err(LifecycleError::Invalid(Invalid::Filter)));
    assert!(refused, "{nothing_said:?}");

    let mut left: Vec<bool> = vec![true; keys.len()];
    let mut revoke = async |filter: KeyFilter, is: &dyn Fn(usize) -> bool| {
        let meant = (0..keys.len()).filter(|n| left[*n] && is(*n)).count();
        let meant = u64::try_from(meant).unwrap();
        assert!(meant > 0);
        let all = || node.keys.revoke_all(filter.clone());
        assert_eq!(all().dry_run().await.unwrap(), meant);
        assert_eq!(all().await.unwrap(), meant);
        assert_eq!(all().await.unwrap(), 0);
        for (n, key) in keys.iter().enumerate() {
            left[n] &= !is(n);
            assert_eq!(node.accepts(key).await, left[n], "{n}");
        }
    };
    let all = KeyFilter::listed;
    revoke(all().tenant("acme-inc").tag("tag 1"), &|n| {
        n < 6 && n % 4 == 1
    })
    .await;
    revoke(all().owner(Owner::new("user", "2")), &|n| n % 3 == 2).await;
    revoke(all().prefix("acme_opaque"), &|n| n % 2 == 1).await;
    revoke(all().created_before(keys[5].key.created_at), &|n| n < 5).await;
    revoke(all().tenant("other"), &|n| n >= 6).await;
}

/// A bulk revocation of many keys leaves none, also of those that are issued meanwhile.
pub async fn a_bulk_revocation_leaves_none<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let issue = async |count: usize| {
        let new = (0..count).map(|_| {
            let keys = node.keys.clone();
            async move { keys.issue(new_key("acme_live")).await.unwrap() }
        });
        at_once(new).await
    };
    let many = issue(250).await;
    let filter = KeyFilter::listed().tenant("acme-inc");
    let revoke = node.keys.revoke_all(filter.clone());
    let (revoked, more) = tokio::join!(async { revoke.await.unwrap() }, issue(5));
    assert!((250..=255).contains(&revoked), "{revoked}");
    let rest = node.keys.revoke_all(filter).await.unwrap();
    assert_eq!(revoked + rest, 255);
    for key in many.iter().step_by(50).chain(&more) {
        node.refuses(&key.secret, Reason::Revoked).await;
    }
    let lines = AuditQuery::tenant("acme-inc").limit(1000);
    let lines = node.keys.audit(&lines).await.unwrap();
    let actions = lines.iter().map(|line| line.record.action);
    assert_eq!(
        actions
            .filter(|action| *action == AuditAction::Revoked)
            .count(),
        255
    );
}

/// What has been over for long enough is deleted, and nothing else; the audit log keeps telling of it.
pub async fn a_purge_deletes_what_is_long_over<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let issue = async || node.issue("acme_live").await;
    let (revoked, rotated, active, suspended) =
        (issue().await, issue().await, issue().await, issue().await);
    let short = new_key("acme_live").expires_in(Duration::from_millis(1));
    let short = node.issued(node.keys.issue(short).await.unwrap());
    node.keys.revoke(&revoked.key.id).await.unwrap();
    let new = node.issued(node.keys.rotate(&rotated.key.id).await.unwrap());
    node.keys.suspend(&suspended.key.id).await.unwrap();
    sleep(Duration::from_millis(50)).await;
    assert_eq!(node.keys.purge(HOUR).await.unwrap(), 0);
    assert_eq!(node.keys.purge(Duration::ZERO).await.unwrap(), 3);
    for gone in [&revoked, &rotated, &short] {
        assert!(node.keys.get(&gone.key.id).await.unwrap().is_none());
        node.refuses(&gone.secret, Reason::Unknown).await;
        let lines = node
            .keys
            .audit(&AuditQuery::key(&gone.key.id))
            .await
            .unwrap();
        let last = lines.last().unwrap().record.action;
        assert_eq!(last, AuditAction::Purged);
    }
    assert!(node.accepts(&active).await && node.accepts(&new).await);
    node.keys.resume(&suspended.key.id).await.unwrap();
    assert!(node.accepts(&suspended).await);
}

/// When a key that is about to be deleted is resumed at the same moment, either of the two happens:
/// what is resumed is not lost, and what is deleted is not resumed.
pub async fn a_resumed_key_is_not_purged<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    for turn in 0..10 {
        let short = new_key("acme_live").expires_in(Duration::from_millis(20));
        let key = node.issued(node.keys.issue(short).await.unwrap());
        node.keys.suspend(&key.key.id).await.unwrap();
        sleep(Duration::from_millis(40)).await;
        let resume = async {
            sleep(Duration::from_micros(turn * 200)).await;
            other.keys.resume(&key.key.id).await
        };
        let (purged, resumed) = tokio::join!(node.keys.purge(Duration::ZERO), resume);
        // Resumed or not, it has expired, and a purge that looks again deletes it.
        assert_eq!(purged.unwrap(), 1);
        match resumed {
            Ok(()) | Err(LifecycleError::NotFound(_)) => {}
            Err(error) => panic!("{error:?}"),
        }
        assert!(node.keys.get(&key.key.id).await.unwrap().is_none());
        node.refuses(&key.secret, Reason::Unknown).await;
    }
}

/// Reports find keys that are not used and keys that end soon.
pub async fn reports_find_what_they_say<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |setup| {
        setup.flush_interval(Duration::from_millis(20))
    })
    .await;
    let (used, unused) = (node.issue("acme_live").await, node.issue("acme_live").await);
    let soon = new_key("acme_live").expires_in(HOUR);
    let soon = node.issued(node.keys.issue(soon).await.unwrap());
    let later = new_key("acme_live").expires_in(3 * HOUR);
    node.keys.issue(later).await.unwrap();
    let retiring = node.issue("acme_live").await;
    node.keys
        .rotate(&retiring.key.id)
        .overlap(HOUR)
        .await
        .unwrap();
    let ids = |page: keyward_store::Page| {
        let ids = page.keys.into_iter().map(|key| key.record.id);
        ids.collect::<Vec<_>>()
    };
    let query = || ListQuery::tenant("acme-inc");
    let ending = node.keys.ending_within(2 * HOUR, query()).await.unwrap();
    assert_eq!(ids(ending), [retiring.key.id.clone(), soon.key.id.clone()]);
    let pause = Duration::from_millis(1200);
    sleep(pause).await;
    assert!(node.accepts(&used).await);
    within(SOON, "the use is written down", async || {
        let unused = node.keys.unused_for(pause, query()).await.unwrap();
        !ids(unused).contains(&used.key.id)
    })
    .await;
    let idle = node.keys.unused_for(pause, query()).await.unwrap();
    assert!(ids(idle).contains(&unused.key.id));
    let idle = node.keys.unused_for(HOUR, query()).await.unwrap();
    assert!(ids(idle).is_empty());
    let never = query().standing(Statuses::NONE);
    assert!(ids(node.keys.list(&never).await.unwrap()).is_empty());
}
