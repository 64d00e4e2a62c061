//! Whatever the policy, whoever acts and whatever the key: what holds of every answer.

use std::time::{Duration, SystemTime};

use keyward_core::{Action, Actor, Policy, Principal, Reach, Refusal, Role, ScopeRule};
use keyward_store::{Digest, KeyHash, KeyId, KeyRecord, Limit, Owner, Scope, Scopes, Successor};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

const ACTIONS: [Action; 6] = [
    Action::Issue,
    Action::See,
    Action::Update,
    Action::Rotate,
    Action::Suspend,
    Action::Revoke,
];
const REACHES: [Reach; 3] = [Reach::Nobody, Reach::Own, Reach::Tenant];
/// What is granted, and what is needed: members of the wildcards, and what only looks like one.
const GRANTED: [&str; 7] = ["a:x", "a:y", "a:*", "a:b:*", "b:x", "b:*", "m"];
const NEEDED: [&str; 12] = [
    "a:x", "a:y", "a:z", "a:b", "a:b:c", "a:b:d", "a:", "b:x", "b:y", "m", "m:x", "*",
];
/// The one that lets keys manage keys.
const MANAGE: Scope = Scope::from_static("m");

fn scope(text: &str) -> Scope {
    Scope::new(text).unwrap()
}

fn scopes() -> impl Strategy<Value = Scopes> {
    subsequence(&GRANTED[..], 0..=GRANTED.len()).prop_map(|of| of.into_iter().map(scope).collect())
}

fn owners() -> impl Strategy<Value = Option<Owner>> {
    select(&[None, Some("1"), Some("2")][..]).prop_map(|id| id.map(|id| Owner::new("user", id)))
}

fn limits() -> impl Strategy<Value = Vec<Limit>> {
    let limit = (1..4u64, 1..4u64);
    let limit = limit.prop_map(|(n, s)| Limit::new(n, Duration::from_secs(s)).unwrap());
    prop::collection::vec(limit, 0..3)
}

fn ends() -> impl Strategy<Value = Option<SystemTime>> {
    let end = (1..4u64).prop_map(|s| SystemTime::UNIX_EPOCH + Duration::from_secs(s));
    prop::option::of(end)
}

fn roles() -> impl Strategy<Value = Option<&'static str>> {
    select(&[None, Some("r0"), Some("r1"), Some("r2"), Some("unknown")][..])
}

prop_compose! {
    fn records()(
        id in 0..3i64,
        tenant in select(&["t", "u"][..]),
        (owner, role) in (owners(), roles()),
        scopes in scopes(),
        (expires_at, until) in (ends(), ends()),
        limits in limits(),
    ) -> KeyRecord {
        let no_hash = KeyHash::Sha256(Digest::sha256(b""));
        let mut record = KeyRecord::new(KeyId::from(id), tenant, no_hash);
        record.owner = owner;
        record.role = role.map(str::to_owned);
        record.scopes = scopes;
        record.expires_at = expires_at;
        record.limits = limits;
        let since = SystemTime::UNIX_EPOCH;
        record.successor = until.map(|until| Successor { key: KeyId::from(9), since, until });
        record
    }
}

prop_compose! {
    fn parts()(grants in scopes(), may in prop::array::uniform6(select(&REACHES[..])))
        -> (Scopes, [Reach; 6]) {
        (grants, may)
    }
}

prop_compose! {
    fn policies()(
        parts in prop::array::uniform3(parts()),
        rule in select(&[ScopeRule::Chosen, ScopeRule::Inherited, ScopeRule::Fixed][..]),
        keys in prop::option::of(select(&REACHES[..])),
    ) -> Policy {
        let mut policy = Policy::new().scope_rule(rule);
        for (name, (grants, may)) in ["r0", "r1", "r2"].into_iter().zip(parts) {
            let mut role = Role::named(name).grants(grants.iter().cloned());
            for (action, whose) in ACTIONS.into_iter().zip(may) {
                role = role.may(action, whose);
            }
            policy = policy.role(role);
        }
        match keys {
            Some(whose) => policy.keys_manage(MANAGE, whose),
            None => policy,
        }
    }
}

/// Someone, and the key that they act by.
fn actors() -> impl Strategy<Value = (Actor, Option<KeyRecord>)> {
    let bound = prop::option::of(scopes());
    let user = (owners(), roles(), bound).prop_map(|(owner, role, bound)| {
        let owner = owner.unwrap_or_else(|| Owner::new("user", "3"));
        let mut actor = Actor::user(owner, "t");
        if let Some(role) = role {
            actor = actor.role(role);
        }
        if let Some(bound) = bound {
            actor = actor.scopes(bound.iter().cloned());
        }
        (actor, None)
    });
    let key = records().prop_map(|record| {
        let actor = Actor::key(&Principal::for_test(&record));
        (actor, Some(record))
    });
    prop_oneof![user, key]
}

/// What one set grants and another does not.
fn beyond(given: &Scopes, had: impl Fn(&Scope) -> bool) -> Vec<Scope> {
    let needed = NEEDED.into_iter().chain(GRANTED).map(scope);
    needed
        .filter(|scope| given.allows(scope) && !had(scope))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Every question has an answer, and the same one each time; whoever may do anything with a key may
    /// see it, and who may not see it is told that it is not there.
    #[test]
    fn every_question_has_an_answer(
        policy in policies(),
        (actor, _) in actors(),
        record in records(),
    ) {
        let seen = policy.permits(&actor, Action::See, &record);
        for action in ACTIONS {
            let answer = policy.permits(&actor, action, &record);
            prop_assert_eq!(&answer, &policy.permits(&actor, action, &record));
            if action == Action::Issue {
                continue;
            }
            match (&seen, answer) {
                (Ok(()), answer) => prop_assert_ne!(answer, Err(Refusal::NotFound)),
                (Err(refusal), answer) => prop_assert_eq!(answer, Err(refusal.clone())),
            }
        }
    }

    /// Nobody's rights are more than their role grants, or the key by which they act may do.
    #[test]
    fn rights_are_bounded(policy in policies(), (actor, key) in actors()) {
        let rights = policy.rights(&actor);
        let role = actor.role_name().and_then(|role| policy.find(role));
        let most = match &key {
            Some(key) => key.scopes.clone(),
            None => role.map_or_else(Scopes::none, |role| role.scopes().clone()),
        };
        prop_assert_eq!(beyond(&rights, |scope| most.allows(scope)), []);
    }

    /// Who may issue or replace a key has all rights that it has; a key that does so lasts as long, and
    /// is bounded by limits as strict.
    #[test]
    fn nobody_makes_more_than_they_have(
        policy in policies(),
        (actor, key) in actors(),
        record in records(),
    ) {
        let rights = policy.rights(&actor);
        for action in [Action::Issue, Action::Rotate] {
            if policy.permits(&actor, action, &record).is_err() {
                continue;
            }
            prop_assert_eq!(beyond(&record.scopes, |scope| rights.allows(scope)), []);
            let Some(key) = &key else { continue };
            if let Some(end) = key.ends_at() {
                prop_assert!(record.expires_at.is_some_and(|expiry| expiry <= end));
            }
            for limit in &key.limits {
                prop_assert!(record.limits.iter().any(|ours| ours.is_within(limit)));
            }
        }
    }

    /// Who may change a key adds nothing that they lack; what it had it may keep.
    #[test]
    fn nobody_adds_what_they_lack(
        policy in policies(),
        (actor, key) in actors(),
        before in records(),
        change in records(),
        which in prop::array::uniform3(any::<bool>()),
    ) {
        let mut after = before.clone();
        let [scopes, expiry, limits] = which;
        if scopes {
            after.scopes = change.scopes;
        }
        if expiry {
            after.expires_at = change.expires_at;
        }
        if limits {
            after.limits = change.limits;
        }
        let rights = policy.rights(&actor);
        let permitted = policy.permits_update(&actor, &before, &after);
        if policy.permits(&actor, Action::Update, &before).is_ok() && before == after {
            prop_assert_eq!(&permitted, &Ok(()));
        }
        if permitted.is_err() {
            return Ok(());
        }
        let had = |scope: &Scope| rights.allows(scope) || before.scopes.allows(scope);
        prop_assert_eq!(beyond(&after.scopes, had), []);
        let Some(key) = &key else { return Ok(()) };
        prop_assert_ne!(&key.id, &before.id);
        if let Some(end) = key.ends_at().filter(|_| after.expires_at != before.expires_at) {
            prop_assert!(after.expires_at.is_some_and(|expiry| expiry <= end));
        }
        for limit in key.limits.iter().filter(|_| after.limits != before.limits) {
            prop_assert!(after.limits.iter().any(|ours| ours.is_within(limit)));
        }
    }

    /// Nobody moves a key to another tenant, or to an owner for whom they may make none.
    #[test]
    fn nobody_gives_keys_away(
        policy in policies(),
        (actor, _) in actors(),
        before in records(),
        change in records(),
    ) {
        let mut after = before.clone();
        after.tenant = change.tenant;
        after.owner = change.owner;
        if policy.permits_update(&actor, &before, &after).is_ok() {
            prop_assert_eq!(&after.tenant, actor.tenant());
            let is_new = after.owner != before.owner;
            if is_new && policy.reach(&actor, Action::Issue) != Reach::Tenant {
                prop_assert_eq!(after.owner.as_ref(), actor.owner());
            }
        }
    }

    /// A key of another tenant is none, and none can be made there.
    #[test]
    fn another_tenant_is_out_of_reach(
        policy in policies(),
        (actor, key) in actors(),
        mut record in records(),
    ) {
        record.tenant = "elsewhere".into();
        for action in ACTIONS {
            let refusal = policy.permits(&actor, action, &record).unwrap_err();
            let due = match action {
                Action::Issue => Refusal::Tenant,
                _ => Refusal::NotFound,
            };
            // Before it learns anything, a key that manages none is told so.
            prop_assert!(refusal == due || key.is_some() && refusal == Refusal::ByKey, "{refusal}");
        }
    }

    /// A key reaches no further than its role, and without the scope for it nowhere.
    #[test]
    fn a_key_reaches_no_further_than_its_role(policy in policies(), record in records()) {
        let actor = Actor::key(&Principal::for_test(&record));
        let role = actor.role_name();
        for action in ACTIONS {
            let reach = policy.reach(&actor, action);
            if let Some(name) = role {
                let role = policy.find(name).map_or(Reach::Nobody, |role| role.reach(action));
                prop_assert!(reach <= role, "{reach:?} {role:?}");
            }
            if !record.scopes.allows(&MANAGE) {
                prop_assert_eq!(reach, Reach::Nobody);
                prop_assert_eq!(
                    policy.permits(&actor, action, &record),
                    Err(Refusal::ByKey)
                );
            }
        }
    }
}
