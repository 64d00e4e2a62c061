//! The standing of owners and tenants.

use keyward_store::{
    Expectation, KeySnapshot, ListQuery, Owner, Records, Scopes, Subject, SubjectState,
};

use super::sample::{by_key, by_public_id, by_sha256, digest, owner, public_id, record};
use super::sample::{set, suspended, tenant};
use super::tools::{is_expectation, put};

/// A standing that was never set is good, and has revision 0.
pub async fn a_standing_is_good_until_it_is_set(store: impl Records) {
    for subject in [tenant("acme-inc"), owner("user", "1")] {
        let standing = store.standing(&subject).await.unwrap();
        assert_eq!(standing, SubjectState::default(), "{subject:?}");
    }
}

/// Every field of a standing comes back as it was written, for tenants and owners; a ceiling of
/// nothing is not the absence of one.
pub async fn a_standing_comes_back_as_it_was_written(store: impl Records) {
    let mut states = vec![suspended(1), SubjectState::default()];
    for ceiling in [None, Some(vec![]), Some(vec!["a:*", "b", "a"])] {
        let mut state = SubjectState::default();
        state.entitled = false;
        state.ceiling = ceiling.map(Scopes::from_stored);
        state.revision = 3_000_000_000;
        states.push(state);
    }
    for role in ["", "Rédacteur '\"\\"] {
        let mut state = suspended(5);
        state.role = Some(role.to_owned());
        states.push(state);
    }
    states.push(suspended(6));
    for subject in [tenant("租户 1"), owner("team", "Größe/7")] {
        for state in &states {
            store.commit(&set(&subject, state)).await.unwrap();
            let standing = store.standing(&subject).await.unwrap();
            assert_eq!(standing, *state, "{subject:?}");
        }
    }
}

/// A change that expects another revision of a standing than there is is refused.
pub async fn a_stale_standing_is_refused(store: impl Records) {
    for subject in [tenant("acme-inc"), owner("user", "1")] {
        let expecting = |is, state| {
            let subject = subject.clone();
            set(&subject, &state).expect(Expectation::SubjectRevision { subject, is })
        };
        let outcome = store.commit(&expecting(1, suspended(2))).await;
        assert!(is_expectation(&outcome, 0), "{outcome:?}");
        store.commit(&expecting(0, suspended(1))).await.unwrap();
        let outcome = store.commit(&expecting(0, suspended(1))).await;
        assert!(is_expectation(&outcome, 0), "{outcome:?}");
        store.commit(&expecting(1, suspended(2))).await.unwrap();
        assert_eq!(store.standing(&subject).await.unwrap(), suspended(2));
    }
}

/// Subjects are told apart: tenants from owners, owners by kind and by id.
pub async fn one_standing_is_not_anothers(store: impl Records) {
    store
        .commit(&set(&owner("user", "1"), &suspended(1)))
        .await
        .unwrap();
    for other in [
        tenant("1"),
        tenant("user"),
        tenant("user:1"),
        owner("team", "1"),
        owner("user", "2"),
        owner("1", "user"),
        owner("user:1", ""),
        owner("", "user:1"),
    ] {
        let standing = store.standing(&other).await.unwrap();
        assert_eq!(standing, SubjectState::default(), "{other:?}");
    }
}

/// Whatever finds a key says how its tenant and its owner stand.
pub async fn keys_come_with_the_standing_of_their_tenant_and_owner(store: impl Records) {
    let mut owned = record(1);
    owned.owner = Some(Owner::new("user", "1"));
    put(&store, [owned, record(2)]).await;
    snapshots(&store, &SubjectState::default(), &SubjectState::default()).await;

    let user = owner("user", "1");
    store.commit(&set(&user, &suspended(4))).await.unwrap();
    snapshots(&store, &SubjectState::default(), &suspended(4)).await;

    let mut ceiling = SubjectState::default();
    ceiling.role = Some("reader".to_owned());
    ceiling.ceiling = Some(Scopes::from_stored(["a:b"]));
    ceiling.revision = 7;
    let mut editor = suspended(5);
    editor.role = Some("editor".to_owned());
    store.commit(&set(&user, &editor)).await.unwrap();
    store
        .commit(&set(&tenant("acme-inc"), &ceiling))
        .await
        .unwrap();
    store
        .commit(&set(&tenant("other"), &suspended(1)))
        .await
        .unwrap();
    snapshots(&store, &ceiling, &editor).await;
}

/// The first key has an owner, the second has none.
async fn snapshots(store: &impl Records, tenant: &SubjectState, owner: &SubjectState) {
    let by_first = [
        by_key(&record(1)),
        by_public_id("acme_live", public_id(1)),
        by_sha256(digest(1)),
    ];
    for by in by_first {
        let key = &store.find(&by).await.unwrap()[0];
        assert_eq!((&key.tenant, &key.owner), (tenant, owner), "{by:?}");
    }
    let second = &store.find(&by_key(&record(2))).await.unwrap()[0];
    let good = SubjectState::default();
    assert_eq!((&second.tenant, &second.owner), (tenant, &good));

    let listed: Vec<KeySnapshot> = store.list(&ListQuery::all()).await.unwrap().keys;
    let listed: Vec<_> = listed.iter().map(|key| (&key.tenant, &key.owner)).collect();
    assert_eq!(listed, [(tenant, &good), (tenant, owner)]);
    let subject: Subject = super::sample::tenant("acme-inc");
    assert_eq!(store.standing(&subject).await.unwrap(), *tenant);
}
