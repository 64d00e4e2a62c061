//! Everyone, every route, and everyone's keys: who gets what is computed from one small table, and who
//! is refused has changed nothing.

use keyward::{Issued, KeyId, KeySnapshot, NewKey, Owner, Scope};
use serde_json::{Value, json};

use crate::answer::Answer;
use crate::world::{MANAGE, READ, VERIFY, WRITE, Who, World, path, worlds};

/// Who asks, and what the table says of them.
struct Asker {
    name: &'static str,
    who: Who,
    tenant: &'static str,
    owner: Option<&'static str>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Nobody,
    Admin,
    Member,
    Viewer,
    /// Someone with a role that the policy does not know.
    Stranger,
    /// A key that may manage keys.
    Manager,
    /// One that may not.
    Reader,
}

/// What is done to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    Show,
    Events,
    Change,
    Delete,
    Revoke,
    Rotate,
    Undo,
    Suspend,
    Resume,
}

const VERBS: [Verb; 9] = [
    Verb::Show,
    Verb::Events,
    Verb::Change,
    Verb::Delete,
    Verb::Revoke,
    Verb::Rotate,
    Verb::Undo,
    Verb::Suspend,
    Verb::Resume,
];

/// Whose key it is done to. What is missing is nobody's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    Ada,
    Ben,
    /// The tenant's as a whole.
    Team,
    Eve,
    Missing,
}

const KEYS: [Whose; 5] = [
    Whose::Ada,
    Whose::Ben,
    Whose::Team,
    Whose::Eve,
    Whose::Missing,
];

/// As far as an asker reaches, to look and to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Nobody,
    Own,
    Tenant,
}

/// The table: for each kind, what they may look at, and what they may do.
fn table(kind: Kind) -> (Reach, Reach) {
    match kind {
        Kind::Nobody | Kind::Stranger | Kind::Reader => (Reach::Nobody, Reach::Nobody),
        Kind::Admin | Kind::Manager => (Reach::Tenant, Reach::Tenant),
        Kind::Member => (Reach::Own, Reach::Own),
        Kind::Viewer => (Reach::Tenant, Reach::Nobody),
    }
}

/// The status and code of the answer.
fn expected(asker: &Asker, verb: Verb, whose: Whose) -> (u16, &'static str) {
    let (look, act) = table(asker.kind);
    let reaches = |reach| match (reach, whose.of()) {
        (Reach::Nobody, _) | (_, None) => false,
        (Reach::Own, Some((tenant, owner))) => {
            tenant == asker.tenant && owner.is_some() && owner == asker.owner
        }
        (Reach::Tenant, Some((tenant, _))) => tenant == asker.tenant,
    };
    let reads = matches!(verb, Verb::Show | Verb::Events);
    match asker.kind {
        Kind::Nobody => return (401, ""),
        // It learns not even that a key is not there.
        Kind::Reader => return (403, "by_key"),
        _ => {}
    }
    if !reaches(look) {
        return (404, "not_found");
    }
    if reads {
        return (200, "");
    }
    if !reaches(act) {
        return (403, "role");
    }
    match verb {
        Verb::Change => (200, ""),
        Verb::Rotate => (201, ""),
        _ => (204, ""),
    }
}

impl Whose {
    const fn of(self) -> Option<(&'static str, Option<&'static str>)> {
        match self {
            Self::Ada => Some(("a", Some("ada"))),
            Self::Ben => Some(("a", Some("ben"))),
            Self::Team => Some(("a", None)),
            Self::Eve => Some(("b", Some("eve"))),
            Self::Missing => None,
        }
    }
}

async fn askers(world: &World) -> Vec<Asker> {
    let user = |name, owner, tenant, kind| Asker {
        name,
        who: Who::User(name),
        tenant,
        owner: Some(owner),
        kind,
    };
    let mut askers = vec![
        user("ada:admin@a", "ada", "a", Kind::Admin),
        user("ben:member@a", "ben", "a", Kind::Member),
        user("ada:viewer@a", "ada", "a", Kind::Viewer),
        user("eve:admin@b", "eve", "b", Kind::Admin),
        user("eve:member@b", "eve", "b", Kind::Member),
        // The same name in another tenant is someone else.
        user("ben:member@b", "ben", "b", Kind::Member),
        user("eve:viewer@b", "eve", "b", Kind::Viewer),
        user("ada:intern@a", "ada", "a", Kind::Stranger),
    ];
    askers.push(Asker {
        name: "nobody",
        who: Who::Nobody,
        tenant: "a",
        owner: None,
        kind: Kind::Nobody,
    });
    let key = async |name, tenant, owner: Option<&'static str>, scopes: &[Scope], role, kind| {
        let new = NewKey::named(name).tenant(tenant).scopes(scopes.to_vec());
        let new = owner
            .iter()
            .fold(new, |new, owner| new.owner(Owner::new("user", *owner)));
        let new = match role {
            Some(role) => new.role(role),
            None => new,
        };
        let who = Who::key(&world.issue(new).await.secret);
        Asker {
            name,
            who,
            tenant,
            owner,
            kind,
        }
    };
    let all = [READ, WRITE, MANAGE];
    askers.push(key("manager of a", "a", None, &all, None, Kind::Manager).await);
    askers.push(key("manager of b", "b", None, &all, None, Kind::Manager).await);
    let admin = Some("admin");
    askers.push(key("ada's", "a", Some("ada"), &all, admin, Kind::Manager).await);
    // A key reaches no further than the role that it has.
    let member = Some("member");
    askers.push(key("ben's", "a", Some("ben"), &all, member, Kind::Member).await);
    askers.push(
        key(
            "reader of a",
            "a",
            Some("ada"),
            &[READ, VERIFY],
            admin,
            Kind::Reader,
        )
        .await,
    );
    askers
}

/// A key in the state in which the verb does something, with all that is kept of it.
struct Target {
    id: KeyId,
    kept: Option<(KeySnapshot, Issued)>,
}

async fn target(world: &World, verb: Verb, whose: Whose) -> Target {
    let Some((tenant, owner)) = whose.of() else {
        let id = KeyId::generate();
        return Target { id, kept: None };
    };
    let new = NewKey::named("ci").tenant(tenant).scopes([READ]);
    let new = owner
        .iter()
        .fold(new, |new, owner| new.owner(Owner::new("user", *owner)));
    let issued = world.issue(new).await;
    let id = issued.key.id.clone();
    match verb {
        Verb::Resume => world.keys.suspend(&id).await.unwrap(),
        Verb::Undo => {
            let hour = std::time::Duration::from_secs(3600);
            world.keys.rotate(&id).overlap(hour).await.unwrap();
        }
        _ => {}
    }
    let kept = Some((world.kept(&id).await, issued));
    Target { id, kept }
}

async fn act(world: &World, who: &Who, verb: Verb, id: &KeyId) -> Answer {
    let at = path(id);
    let (method, what) = match verb {
        Verb::Show => ("GET", ""),
        Verb::Events => ("GET", "/events"),
        Verb::Change => {
            return world
                .tell(who, "PATCH", &at, json!({"name": "other"}))
                .await;
        }
        Verb::Delete => ("DELETE", ""),
        Verb::Revoke => ("POST", "/revoke"),
        Verb::Rotate => ("POST", "/rotate"),
        Verb::Undo => ("DELETE", "/rotation"),
        Verb::Suspend => ("POST", "/suspend"),
        Verb::Resume => ("POST", "/resume"),
    };
    world.ask(who, method, &format!("{at}{what}")).await
}

/// Every asker × every verb × every key.
#[tokio::test]
async fn everyone_does_what_they_may_and_nothing_else() {
    for world in worlds().await {
        let (mut done, mut refused) = (0, 0);
        for asker in askers(&world).await {
            for verb in VERBS {
                for whose in KEYS {
                    let what =
                        format!("{}: {} does {verb:?} to {whose:?}", world.store, asker.name);
                    let (status, code) = expected(&asker, verb, whose);
                    let target = target(&world, verb, whose).await;
                    let answer = act(&world, &asker.who, verb, &target.id).await;
                    assert_eq!(
                        (answer.status, answer.code()),
                        (status, code),
                        "{what}: {answer:?}"
                    );
                    let Some((before, issued)) = target.kept else {
                        continue;
                    };
                    let after = world.kept(&target.id).await;
                    let changes = status < 400 && !matches!(verb, Verb::Show | Verb::Events);
                    assert_eq!(before != after, changes, "{what}");
                    if status >= 400 {
                        let accepted = verb != Verb::Resume;
                        assert_eq!(world.accepts(&issued.secret).await, accepted, "{what}");
                        refused += 1;
                    } else {
                        done += 1;
                    }
                }
            }
        }
        // The table says neither yes nor no to all.
        assert!(
            done > 100 && refused > 300,
            "{done} done, {refused} refused"
        );
    }
}

/// The routes that name no key: who may use them, and what they see.
#[tokio::test]
async fn everyone_makes_and_sees_what_they_may() {
    for world in worlds().await {
        for whose in KEYS {
            target(&world, Verb::Show, whose).await;
        }
        for asker in askers(&world).await {
            let (look, act) = table(asker.kind);
            let what = format!("{}: {}", world.store, asker.name);
            let refused = |reach: Reach| match (asker.kind, reach) {
                (Kind::Nobody, _) => Some((401, "")),
                (Kind::Reader, _) => Some((403, "by_key")),
                (_, Reach::Nobody) => Some((403, "role")),
                _ => None,
            };
            for at in [
                "/api-keys",
                "/api-keys/reports/unused",
                "/api-keys/reports/expiring",
            ] {
                let list = world.ask(&asker.who, "GET", at).await;
                let expected = refused(look).unwrap_or((200, ""));
                assert_eq!((list.status, list.code()), expected, "{what} {at}");
                for key in list.json.as_array().into_iter().flatten() {
                    let id = KeyId::new(key["id"].as_str().unwrap()).unwrap();
                    let kept = world.kept(&id).await.record;
                    assert_eq!(kept.tenant.as_str(), asker.tenant, "{what} {at}");
                    let owner = kept.owner.as_ref().map(Owner::id);
                    assert!(look == Reach::Tenant || owner == asker.owner, "{what} {at}");
                }
            }
            let before = all(&world).await;
            let made = world
                .tell(&asker.who, "POST", "/api-keys", json!({"name": "x"}))
                .await;
            let expected = refused(act).unwrap_or((201, ""));
            assert_eq!((made.status, made.code()), expected, "{what} creates");
            let added = all(&world).await - before;
            assert_eq!(added, u64::from(made.status == 201), "{what} creates");
            if made.status == 201 {
                let id = KeyId::new(made.text_of("id")).unwrap();
                let kept = world.kept(&id).await.record;
                assert_eq!(kept.tenant.as_str(), asker.tenant, "{what} creates");
                assert_eq!(
                    kept.owner.as_ref().map(Owner::id),
                    asker.owner,
                    "{what} creates"
                );
            }
            let dry = json!({"prefix": "ak_live", "dryRun": true});
            let counted = world
                .tell(&asker.who, "POST", "/api-keys/revoke", dry)
                .await;
            let expected = refused(act).unwrap_or((200, ""));
            assert_eq!((counted.status, counted.code()), expected, "{what} revokes");
            let none: Value = json!({"tag": "none of that name"});
            let before = all(&world).await;
            let revoked = world
                .tell(&asker.who, "POST", "/api-keys/revoke", none)
                .await;
            assert_eq!((revoked.status, revoked.code()), expected, "{what} revokes");
            assert_eq!(all(&world).await, before, "{what} revokes");
        }
    }
}

/// How many keys there are that are not over.
async fn all(world: &World) -> u64 {
    let filter = keyward::KeyFilter::listed();
    world.keys.count(filter).await.unwrap()
}
