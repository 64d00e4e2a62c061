//! A database of the version before, with all that is in it, and processes of that version beside newer
//! ones.

use std::time::{Duration, SystemTime};

use keyward_store::{
    AuditAction, AuditQuery, Candidates, Cursor, Digest, Feed, KeyFilter, KeyHash, KeyId,
    KeyRecord, KeyStore, ListQuery, Lookup, Owner, Pepper, Peppers, Plaintext, ReadFrom, Records,
    Scopes, Selector, Subject, SubjectState, Successor,
};
use keyward_throwaway::Database;
use serde_json::{Value, json};
use sqlx::PgConnection;

use crate::support::{Answer, FORMATS, Node, REVOKED, SOON, connect, format};

const FIRST: &str = include_str!("../../migrations/0001_keyward.sql");

#[tokio::test]
async fn a_database_of_the_first_version_keeps_everything() {
    let old = Old::fill().await;
    let store = connect(old.database.url());
    let error = store.ready().await.unwrap_err();
    assert!(crate::support::told(&error).contains("at version 1 and must be at 2"));
    let before = store.changes(&Cursor::origin()).await.unwrap().cursor;
    store.migrate().await.unwrap();
    store.ready().await.unwrap();

    // It is no change, and the history goes on.
    let changes = store.changes(&before).await.unwrap();
    assert_eq!(changes.feed, Feed::Events(Vec::new()));
    assert_eq!(changes.cursor, before);

    for record in &old.records {
        let mut selectors = vec![Selector::Key(record.id.clone())];
        if let Some(id) = record.public_id {
            let prefix = record.prefix.as_str().into();
            selectors.push(Selector::PublicId { prefix, id });
        }
        selectors.push(Selector::Credential(match &record.hash {
            KeyHash::HmacSha256 { pepper, mac } => {
                Candidates::new(Digest::sha256(b"none"), [(pepper.clone(), *mac)])
            }
            KeyHash::Sha256(digest) => Candidates::new(*digest, []),
            other => panic!("{other:?}"),
        }));
        for by in selectors {
            let loaded = store.load(&by, ReadFrom::Primary).await.unwrap();
            let [found] = &loaded.found[..] else {
                panic!("{by:?}: {:?}", loaded.found);
            };
            assert_eq!(found.record, *record);
            assert_eq!(found.tenant, barred());
            let used = (record.id == old.records[0].id).then_some(at(50));
            assert_eq!(found.last_used_at, used);
            if record.owner.is_some() {
                assert_eq!(found.owner, narrow());
            }
        }
    }
    let listed = store.list(&ListQuery::new(KeyFilter::all())).await.unwrap();
    let listed: Vec<_> = listed.keys.into_iter().map(|key| key.record).collect();
    let newest_first: Vec<_> = old.records.iter().rev().cloned().collect();
    assert_eq!(listed, newest_first);
    let tenant = Subject::Tenant("acme".into());
    assert_eq!(store.standing(&tenant).await.unwrap(), barred());
    let owner = Subject::Owner(Owner::new("user", "7"));
    assert_eq!(store.standing(&owner).await.unwrap(), narrow());
    let lines = store.audit(&AuditQuery::default()).await.unwrap();
    let actions: Vec<_> = lines.iter().map(|line| line.record.action).collect();
    assert_eq!(actions, [AuditAction::Issued, AuditAction::SubjectChanged]);
    assert_eq!(lines[0].record.key, Some(old.records[0].id.clone()));
    assert_eq!(
        (&lines[0].record.owner, &lines[0].record.before),
        (&None, &None)
    );
}

/// Every key is as good as it was.
#[tokio::test]
async fn keys_of_the_first_version_are_accepted() {
    let old = Old::fill().await;
    let store = connect(old.database.url());
    store.migrate().await.unwrap();
    old.database
        .execute("DELETE FROM keyward.tenants")
        .await
        .unwrap();
    let node = Node::start(store, |builder| builder.peppers(peppers())).await;
    let [one, opaque, peppered, revoked] = &old.keys;
    for key in [one, opaque, peppered] {
        assert_eq!(node.answer(key).await, Answer::Accepted);
    }
    assert_eq!(node.answer(revoked).await, REVOKED);
    node.keys.revoke(&old.records[0].id).await.unwrap();
    assert_eq!(node.answer(one).await, REVOKED);
}

/// While a service is being deployed, a process of the version before still makes changes: it adds keys,
/// heeds caps, and leaves what it does not know of as it is.
#[tokio::test]
async fn a_process_of_the_version_before_goes_on() {
    let old = Old::fill().await;
    let store = connect(old.database.url());
    store.migrate().await.unwrap();
    let set = "UPDATE keyward.keys SET tags = '{ci}', lookup = 'acme', limits = '{10/1000}', \
        successor = 'next', rotated_at = to_timestamp(1763000100), \
        retires_at = to_timestamp(1763000200), lineage = 'first'; \
        UPDATE keyward.tenants SET role = 'editor'; UPDATE keyward.owners SET role = 'reader'";
    old.database.execute(set).await.unwrap();

    let mut replaced = old.records[0].clone();
    replaced.name = "renamed".to_owned();
    replaced.revision = 2;
    let mut added = record(9, "acme_live_new");
    added.tenant = "other".into();
    let cap = |than: u64| {
        json!({ "kind": "fewer", "than": than, "tenant": "acme", "owner_kind": null,
            "owner_id": null, "revoked": false, "unexpired": true })
    };
    let mut write = json!({
        "expect": [cap(4), { "kind": "revision", "key": "key-0", "is": 1 }],
        "keys": ["key-0"],
        "write": [row("replace", &replaced), row("insert", &added), standing()],
    });
    let mut session = old.database.connect().await.unwrap();
    assert_eq!(commit(&mut session, write.clone()).await, None);
    write["expect"] = json!([cap(3)]);
    assert_eq!(commit(&mut session, write).await, Some(0));

    replaced.tags = vec!["ci".to_owned()];
    replaced.lookup = Some("acme".to_owned());
    replaced.limits = keyward_store::Limit::new(10, Duration::from_secs(1))
        .into_iter()
        .collect();
    replaced.successor = Some(Successor {
        key: KeyId::new("next").unwrap(),
        since: at(100),
        until: at(200),
    });
    replaced.lineage = Some(KeyId::new("first").unwrap());
    for expected in [&replaced, &added] {
        let found = store
            .find(&Selector::Key(expected.id.clone()))
            .await
            .unwrap();
        assert_eq!(found[0].record, *expected);
    }
    let tenant = Subject::Tenant("acme".into());
    let role = store.standing(&tenant).await.unwrap().role;
    assert_eq!(role.as_deref(), Some("editor"));

    let node = Node::start(store, |builder| builder.peppers(peppers())).await;
    node.comes_to(&old.keys[3], REVOKED, SOON).await;
}

/// A database at the first file, as it was left.
struct Old {
    database: Database,
    /// Oldest first.
    records: Vec<KeyRecord>,
    keys: [Plaintext; 4],
}

impl Old {
    async fn fill() -> Self {
        let database = Database::fresh().await.unwrap();
        database.execute(FIRST).await.unwrap();
        let keys = [FORMATS[0], FORMATS[1], FORMATS[1], FORMATS[0]]
            .map(|prefix| format(prefix).generate().unwrap());
        let mut records: Vec<_> = (0..)
            .zip(&keys)
            .map(|(n, made)| {
                let mut record = record(n, made.plaintext.expose());
                record.public_id = made.public_id;
                record.hint.clone_from(&made.hint);
                record
            })
            .collect();
        records[0].prefix = FORMATS[0].to_owned();
        records[0].owner = Some(Owner::new("user", "7"));
        records[0].description = Some("what for".to_owned());
        records[0].environment = Some(String::new());
        records[0].role = Some("admin".to_owned());
        records[0].created_by = Some("user:7".to_owned());
        records[0].expires_at = Some(SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799));
        records[0].rotated_from = Some(KeyId::from(12));
        records[0].metadata = Some(r#"{"plan" : "pro"}"#.to_owned());
        records[1].prefix = FORMATS[1].to_owned();
        records[2].prefix = FORMATS[1].to_owned();
        let pepper = pepper();
        records[2].hash = KeyHash::HmacSha256 {
            pepper: pepper.id().clone(),
            mac: pepper.mac(keys[2].plaintext.expose().as_bytes()),
        };
        records[3].prefix = FORMATS[0].to_owned();
        records[3].revoked_at = Some(at(5));
        let write = records.iter().map(|record| row("insert", record));
        let mut write: Vec<_> = write.collect();
        write.push(standing());
        write.push(
            json!({ "kind": "owner", "owner_kind": "user", "owner_id": "7",
            "suspended": false, "entitled": true, "ceiling": ["orders:*"], "revision": 4 }),
        );
        let audit = json!([
            { "at": micros(at(1)), "action": "issued", "key": "key-0", "tenant": "acme" },
            { "at": micros(at(2)), "action": "subject_changed", "actor": "user:1",
                "subject": "tenant", "subject_id": "acme" },
        ]);
        let mut session = database.connect().await.unwrap();
        let change = json!({ "write": write, "audit": audit });
        assert_eq!(commit(&mut session, change).await, None);
        let used = "INSERT INTO keyward.last_used VALUES ('key-0', to_timestamp(1763000050))";
        database.execute(used).await.unwrap();
        let keys = keys.map(|made| made.plaintext);
        Self {
            database,
            records,
            keys,
        }
    }
}

/// A record that has nothing which came later.
fn record(n: u64, plaintext: &str) -> KeyRecord {
    let hash = KeyHash::Sha256(Digest::sha256(plaintext.as_bytes()));
    let id = KeyId::new(&format!("key-{n}")).unwrap();
    let mut record = KeyRecord::new(id, "acme", hash);
    record.name = format!("key {n}");
    record.scopes = Scopes::from_stored(["orders:read"]);
    record.created_at = at(n);
    record
}

fn pepper() -> Pepper {
    Pepper::new("2026-11", &[7; 32]).unwrap()
}

fn peppers() -> Peppers {
    Peppers::none().and_old(pepper()).unwrap()
}

fn barred() -> SubjectState {
    let mut state = SubjectState::default();
    state.suspended = true;
    state.revision = 3;
    state
}

fn standing() -> Value {
    json!({ "kind": "tenant", "tenant": "acme", "suspended": true, "entitled": true,
        "ceiling": null, "revision": 3 })
}

fn narrow() -> SubjectState {
    let mut state = SubjectState::default();
    state.ceiling = Some(Scopes::from_stored(["orders:*"]));
    state.revision = 4;
    state
}

/// As the version before spells it.
fn row(kind: &str, record: &KeyRecord) -> Value {
    let (hash, pepper, digest) = match &record.hash {
        KeyHash::Sha256(digest) => ("sha256", "", digest),
        KeyHash::HmacSha256 { pepper, mac } => ("hmac-sha256", pepper.as_str(), mac),
        other => panic!("{other:?}"),
    };
    json!({
        "kind": kind,
        "id": record.id.as_str(),
        "tenant": record.tenant.as_str(),
        "owner_kind": record.owner.as_ref().map(Owner::kind),
        "owner_id": record.owner.as_ref().map(Owner::id),
        "name": record.name,
        "description": record.description,
        "environment": record.environment,
        "prefix": record.prefix,
        "public_id": record.public_id.as_ref().map(|id| id.as_str()),
        "hint": record.hint,
        "hash": hash,
        "pepper": pepper,
        "digest": digest.to_hex(),
        "scopes": record.scopes.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "role": record.role,
        "created_at": micros(record.created_at),
        "created_by": record.created_by,
        "expires_at": record.expires_at.map(micros),
        "revoked_at": record.revoked_at.map(micros),
        "suspended_at": record.suspended_at.map(micros),
        "rotated_from": record.rotated_from.as_ref().map(|id| id.as_str()),
        "metadata": record.metadata,
        "revision": record.revision,
    })
}

/// As the version before calls it.
async fn commit(session: &mut PgConnection, mut change: Value) -> Option<i32> {
    for part in ["locks", "keys", "expect", "write", "audit"] {
        if change[part].is_null() {
            change[part] = json!([]);
        }
    }
    change["at"] = json!(micros(at(0)));
    let call = sqlx::query_scalar("SELECT keyward.commit($1::jsonb)");
    call.bind(change.to_string())
        .fetch_one(session)
        .await
        .unwrap()
}

/// So many seconds after the first.
fn at(seconds: u64) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000 + seconds)
}

fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap();
    since.as_micros().try_into().unwrap()
}
