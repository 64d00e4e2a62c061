//! Through the service: keys that take each other's place.

use std::time::Duration;

use keyward_core::{IssueError, Issued, LifecycleError, Reason};
use keyward_store::{
    AuditAction, AuditQuery, KeyFilter, KeyId, KeyStatus, KeyStore, Owner, Records, Statuses,
};
use tokio::time::sleep;

use super::service::{FORMATS, Node, READ, SOON, new_key, within};
use super::tools::at_once;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A rotation gives a key that may do what the old one may, and nothing else; its format, limits and
/// expiry stay. Without an overlap the old one is refused from the return on, cached or not.
pub async fn a_rotated_key_is_replaced_at_once<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for format in FORMATS {
        let new = new_key(format)
            .owner(Owner::new("user", "7"))
            .scopes([READ])
            .tags(["a"])
            .environment("live")
            .metadata(serde_json::json!({ "plan": "pro" }))
            .expires_in(HOUR);
        let old = node.issued(node.keys.issue(new).await.unwrap());
        assert!(node.accepts(&old).await);
        let new = node.issued(node.keys.rotate(&old.key.id).await.unwrap());
        node.refuses(&old.secret, Reason::Retired).await;
        let principal = node.verify(&new.secret).await.unwrap();
        assert_eq!(principal.limited_as(), &old.key.id);
        assert_eq!(node.record(&new.key.id).await, new.key);

        let mut expected = old.key.clone();
        expected.id = new.key.id.clone();
        expected.public_id = new.key.public_id;
        expected.hint.clone_from(&new.key.hint);
        expected.hash = new.key.hash.clone();
        expected.created_at = new.key.created_at;
        expected.rotated_from = Some(old.key.id.clone());
        expected.lineage = Some(old.key.id.clone());
        assert_eq!(new.key, expected);
        assert_eq!(new.key.prefix, format);
        assert_eq!(status(&node, &old).await, KeyStatus::Retired);
        let listed = KeyFilter::listed().prefix(format);
        assert_eq!(node.keys.count(listed).await.unwrap(), 1);
    }
}

/// With an overlap both are good, and the old one tells what takes its place and when; then it is
/// refused.
pub async fn an_overlap_ends<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    let old = node.issue("acme_live").await;
    let overlap = Duration::from_millis(1500);
    let new = node.keys.rotate(&old.key.id).overlap(overlap).await;
    let new = node.issued(new.unwrap());
    let principal = node.verify(&old.secret).await.unwrap();
    let successor = principal.successor().unwrap();
    assert_eq!(successor.key, new.key.id);
    assert_eq!(successor.until, successor.since + overlap);
    assert!(other.accepts(&old).await && other.accepts(&new).await);
    assert_eq!(status(&node, &old).await, KeyStatus::Retiring);
    sleep(overlap).await;
    for node in [&node, &other] {
        within(SOON, "the old key is refused", async || {
            !node.accepts(&old).await
        })
        .await;
        node.refuses(&old.secret, Reason::Retired).await;
        assert!(node.accepts(&new).await);
    }
}

/// An overlap never outlives the old key's own expiry, and the new key expires no later than the old
/// one would have.
pub async fn an_overlap_does_not_outlive_the_old_key<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let new = new_key("acme_live").expires_in(HOUR);
    let old = node.issued(node.keys.issue(new).await.unwrap());
    let new = node.keys.rotate(&old.key.id).overlap(DAY).await.unwrap();
    let record = node.record(&old.key.id).await;
    assert_eq!(
        record.successor.map(|to| Some(to.until)),
        Some(old.key.expires_at)
    );
    assert_eq!(new.key.expires_at, old.key.expires_at);
    let forever = node.issue("acme_live").await;
    let too_long = node.keys.rotate(&forever.key.id).overlap(Duration::MAX);
    assert!(matches!(too_long.await, Err(LifecycleError::Invalid(_))));
}

/// What is not good is not rotated: that would give it new life.
pub async fn what_is_not_good_is_not_rotated<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let is = async |key: &Issued, status| {
        let outcome = node.keys.rotate(&key.key.id).overlap(DAY).await;
        assert!(
            matches!(&outcome, Err(LifecycleError::Is(is)) if *is == status),
            "{outcome:?}"
        );
        let undone = node.keys.undo_rotation(&key.key.id).await;
        assert!(
            matches!(undone, Err(LifecycleError::NothingToUndo)),
            "{undone:?}"
        );
    };
    let key = node.issue("acme_live").await;
    node.keys.suspend(&key.key.id).await.unwrap();
    is(&key, KeyStatus::Suspended).await;
    node.keys.revoke(&key.key.id).await.unwrap();
    is(&key, KeyStatus::Revoked).await;
    let short = new_key("acme_live").expires_in(Duration::from_millis(1));
    let short = node.issued(node.keys.issue(short).await.unwrap());
    sleep(Duration::from_millis(50)).await;
    is(&short, KeyStatus::Expired).await;
    let missing = node.keys.rotate(&KeyId::from(1)).await;
    assert!(matches!(missing, Err(LifecycleError::NotFound(_))));
}

/// While the overlap lasts, a rotation can be undone by the name of either key: the old one stays, the
/// new one is refused.
pub async fn a_rotation_is_undone<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for by_new in [false, true] {
        let old = node.issue("acme_live").await;
        let new = node.issued(node.keys.rotate(&old.key.id).overlap(DAY).await.unwrap());
        assert!(node.accepts(&old).await && node.accepts(&new).await);
        let named = if by_new { &new.key.id } else { &old.key.id };
        let restored = node.keys.undo_rotation(named).await.unwrap();
        assert_eq!(restored, node.record(&old.key.id).await);
        assert_eq!(restored.successor, None);
        assert!(node.accepts(&old).await);
        node.refuses(&new.secret, Reason::Revoked).await;
        let again = node.keys.undo_rotation(named).await;
        assert!(
            matches!(again, Err(LifecycleError::NothingToUndo)),
            "{again:?}"
        );
        // And the old one can be rotated again.
        node.keys.rotate(&old.key.id).await.unwrap();
        let late = node.keys.undo_rotation(&old.key.id).await;
        assert!(
            matches!(late, Err(LifecycleError::NothingToUndo)),
            "{late:?}"
        );
        node.refuses(&old.secret, Reason::Retired).await;
    }
}

/// Revoking either half of a rotation revokes both, unless only one is asked for.
pub async fn both_halves_are_revoked<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    for by_new in [false, true] {
        let pair = async || {
            let old = node.issue("acme_live").await;
            let new = node.keys.rotate(&old.key.id).overlap(DAY).await;
            (old, node.issued(new.unwrap()))
        };
        let (old, new) = pair().await;
        let named = if by_new { &new } else { &old };
        node.keys.revoke(&named.key.id).await.unwrap();
        node.refuses(&old.secret, Reason::Revoked).await;
        node.refuses(&new.secret, Reason::Revoked).await;

        let (old, new) = pair().await;
        let (named, left) = if by_new { (&new, &old) } else { (&old, &new) };
        node.keys.revoke(&named.key.id).only().await.unwrap();
        node.refuses(&named.secret, Reason::Revoked).await;
        assert!(node.accepts(left).await);
    }
    // When the overlap is over, the new key lives on.
    let old = node.issue("acme_live").await;
    let new = node.issued(node.keys.rotate(&old.key.id).await.unwrap());
    node.keys.revoke(&old.key.id).await.unwrap();
    assert!(node.accepts(&new).await);
}

/// Of one key, never more than two descendants are good: rotating the new one ends the overlap of the
/// old one.
pub async fn at_most_two_of_a_line_are_good<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let first = node.issue("acme_live").await;
    let mut line = vec![first];
    for _turn in 0..4 {
        let last = &line[line.len() - 1];
        let next = node.keys.rotate(&last.key.id).overlap(DAY).await.unwrap();
        assert_eq!(next.key.lineage, Some(line[0].key.id.clone()));
        line.push(node.issued(next));
        let mut good = Vec::new();
        for key in &line {
            good.push(node.accepts(key).await);
        }
        let expected = (0..line.len()).map(|place| place + 2 >= line.len());
        assert!(good.iter().copied().eq(expected), "{good:?}");
    }
    let again = node.keys.rotate(&line[0].key.id).await;
    assert!(matches!(&again, Err(LifecycleError::Replaced(by)) if *by == line[1].key.id));
}

/// Of twenty rotations of one key at once, one wins and the others are told by which key it was
/// replaced.
pub async fn one_of_many_rotations_wins<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    let old = node.issue("acme_live").await;
    let rotations = (0..20).map(|n| {
        let keys = [&node, &other][n % 2].keys.clone();
        let key = old.key.id.clone();
        async move { keys.rotate(&key).overlap(DAY).await }
    });
    let outcomes = at_once(rotations).await;
    let won: Vec<_> = outcomes
        .iter()
        .filter_map(|outcome| outcome.as_ref().ok())
        .collect();
    let [won] = &won[..] else {
        panic!("{} have won", won.len());
    };
    for lost in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        let by_it = matches!(lost, LifecycleError::Replaced(by) if *by == won.key.id);
        assert!(by_it, "{lost:?}");
    }
    let line = KeyFilter::all().standing(Statuses::ALL).tenant("acme-inc");
    assert_eq!(node.keys.count(line).await.unwrap(), 2);
}

/// When a key is rotated and revoked at once, it is revoked in the end, and so is what took its place:
/// whoever revokes a key revokes all that came of it until then.
pub async fn a_rotation_does_not_escape_a_revocation<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    for turn in 0..20 {
        let old = node.issue("acme_live").await;
        let key = &old.key.id;
        let rotate = async { other.keys.rotate(key).overlap(DAY).await };
        let revoke = async {
            // In some turns one is first, in some the other.
            sleep(Duration::from_micros(turn * 150)).await;
            node.keys.revoke(key).await
        };
        let (rotated, revoked) = tokio::join!(rotate, revoke);
        revoked.unwrap();
        node.refuses(&old.secret, Reason::Revoked).await;
        match rotated {
            Ok(new) => assert!(!node.accepts(&node.issued(new)).await, "it has escaped"),
            Err(error) => {
                let revoked = matches!(error, LifecycleError::Is(KeyStatus::Revoked));
                assert!(revoked, "{error:?}");
            }
        }
    }
}

/// A rotation needs no room under a cap; what it makes counts like any other key.
pub async fn a_rotation_needs_no_room<S: Records + KeyStore>(store: S) {
    let node = Node::start_with(store, |setup| setup.keys_per_tenant(1)).await;
    let old = node.issue("acme_live").await;
    let new = node.keys.rotate(&old.key.id).overlap(DAY).await.unwrap();
    let more = node.keys.issue(new_key("acme_live")).await;
    assert!(matches!(more, Err(IssueError::CapReached(1))), "{more:?}");
    node.keys.rotate(&new.key.id).overlap(DAY).await.unwrap();
}

/// The audit log tells of a rotation under both names.
pub async fn a_rotation_is_told_under_both_names<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let old = node.issue("acme_live").await;
    let operator = node.keys.as_operator("ops:jo");
    let new = operator.rotate(&old.key.id).overlap(DAY).await.unwrap();
    operator.undo_rotation(&new.key.id).await.unwrap();
    let actions = async |key: &KeyId| {
        let lines = node.keys.audit(&AuditQuery::key(key)).await.unwrap();
        let lines = lines.into_iter().map(|line| line.record);
        lines
            .map(|line| (line.action, line.actor))
            .collect::<Vec<_>>()
    };
    let jo = || Some("ops:jo".to_owned());
    assert_eq!(
        actions(&old.key.id).await,
        [
            (AuditAction::Issued, None),
            (AuditAction::Rotated, jo()),
            (AuditAction::RotationUndone, jo()),
        ]
    );
    assert_eq!(
        actions(&new.key.id).await,
        [(AuditAction::Issued, jo()), (AuditAction::Revoked, jo())]
    );
}

/// A replaced key that is used in the second half of its overlap is told of once, whatever node it is
/// used on; and so is one that is used after it.
pub async fn late_uses_are_told_once<S: Records + KeyStore>(store: S) {
    let node = Node::start(store).await;
    let other = node.another().await;
    let old = node.issue("acme_live").await;
    let overlap = Duration::from_secs(2);
    let new = node
        .keys
        .rotate(&old.key.id)
        .overlap(overlap)
        .await
        .unwrap();
    assert!(node.accepts(&old).await && other.accepts(&old).await);
    let told = async |action: AuditAction| {
        let lines = node
            .keys
            .audit(&AuditQuery::key(&old.key.id))
            .await
            .unwrap();
        lines
            .iter()
            .filter(|line| line.record.action == action)
            .count()
    };
    assert_eq!(told(AuditAction::UsedLate).await, 0);
    sleep(overlap * 6 / 10).await;
    within(SOON, "the late use is told", async || {
        let _used = (node.accepts(&old).await, other.accepts(&old).await);
        told(AuditAction::UsedLate).await > 0
    })
    .await;
    within(SOON, "the overlap ends", async || !node.accepts(&old).await).await;
    within(SOON, "the use after the end is told", async || {
        let _refused = (node.accepts(&old).await, other.accepts(&old).await);
        told(AuditAction::UsedWhenRetired).await > 0
    })
    .await;
    sleep(Duration::from_millis(100)).await;
    assert_eq!(told(AuditAction::UsedLate).await, 1);
    assert_eq!(told(AuditAction::UsedWhenRetired).await, 1);
    assert!(node.accepts(&node.issued(new)).await);
}

async fn status<S: Records + KeyStore>(node: &Node<S>, key: &Issued) -> KeyStatus {
    let record = node.record(&key.key.id).await;
    record.status(std::time::SystemTime::now())
}
