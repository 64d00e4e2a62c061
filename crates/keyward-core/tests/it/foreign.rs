//! Keys of another system: each compared once, apart from all others, and to nobody's harm.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{
    Builder, Denied, DeniedKind, ImportError, Invalid, Keyward, NewKey, Reason, StartError,
};
use keyward_memory::MemoryStore;
use keyward_store::{
    AuditAction, AuditQuery, Kept, KeyFormat, KeyHash, KeyRecord, Pepper, Peppers,
};
use keyward_testkit::{Call, FaultStore, Faults, LeakWatch};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::coherence::eventually;
use crate::foreign_keys::{Found, OldKeys};
use crate::support::format;

type Store = Arc<FaultStore<MemoryStore>>;

const KEY: &str = "old_aaaa_the_right_secret";

/// Over a clock that runs: blocking threads take real time.
struct Service {
    keys: Keyward,
    store: Store,
    faults: Faults,
    watch: LeakWatch,
}

impl Service {
    async fn start(old: &OldKeys) -> Self {
        Self::with(old, |builder| builder).await
    }

    async fn with(old: &OldKeys, set: impl FnOnce(Builder<Store>) -> Builder<Store>) -> Self {
        let watch = LeakWatch::start();
        let (store, faults) = FaultStore::new(MemoryStore::default());
        let store = Arc::new(store);
        let keys = node(&store, |builder| set(builder.foreign(old.clone()))).await;
        Self {
            keys,
            store,
            faults,
            watch,
        }
    }

    async fn import(&self, kept: Kept) -> KeyRecord {
        let new = NewKey::named("old").tenant("acme");
        self.keys.import(new, kept).await.unwrap()
    }

    async fn verify(&self, credential: &str) -> Option<Reason> {
        self.watch.secret(&credential[8..]);
        reason(&self.keys, credential).await
    }
}

async fn node(store: &Store, set: impl FnOnce(Builder<Store>) -> Builder<Store>) -> Keyward {
    let builder = Keyward::builder(store.clone()).format(format());
    // So long that a busy machine changes no answer.
    let builder = builder.lease(Duration::from_secs(60));
    let builder = builder.load_limit(Duration::from_secs(30));
    set(builder).start().await.unwrap()
}

/// Why it is refused, if it is.
async fn reason(keys: &Keyward, credential: &str) -> Option<Reason> {
    let verified = keys.verifier().verify(credential.as_bytes()).await;
    verified.err().as_ref().map(Denied::reason)
}

#[tokio::test]
async fn right_keys_pass_and_no_others() {
    for found in [Found::Beginning, Found::PublicId, Found::Hash] {
        let old = OldKeys::found(found);
        let service = Service::start(&old).await;
        assert_eq!(service.verify(KEY).await, Some(Reason::Unknown));
        let record = service.import(old.kept(KEY)).await;
        for _cached in [false, true] {
            assert_eq!(service.verify(KEY).await, None, "it exists now");
            for wrong in ["old_aaaa_another_secret", "old_bbbb_the_right_secret"] {
                assert_eq!(service.verify(wrong).await, Some(Reason::Unknown));
            }
            for odd in ["new_aaaa_the_right_secret", "old_a", ""] {
                assert_eq!(reason(&service.keys, odd).await, Some(Reason::NotAKey));
            }
        }
        let long = format!("{KEY}{}", "x".repeat(231));
        assert_eq!(service.verify(&long).await, Some(Reason::NotAKey));
        let verifier = service.keys.verifier();
        let bytes = verifier.verify(b"old_aaaa\xff").await.unwrap_err();
        assert_eq!(bytes.reason(), Reason::NotAKey);
        service.keys.revoke(&record.id).await.unwrap();
        assert_eq!(service.verify(KEY).await, Some(Reason::Revoked));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_requests_of_one_key_are_one_hash() {
    let old = OldKeys::new();
    let service = Arc::new(Service::start(&old).await);
    service.import(old.kept(KEY)).await;
    old.takes(Duration::from_millis(100));
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let service = service.clone();
        tasks.spawn(async move { service.verify(KEY).await });
    }
    while let Some(reason) = tasks.join_next().await {
        assert_eq!(reason.unwrap(), None);
    }
    assert_eq!(service.verify(KEY).await, None);
    assert_eq!(old.runs(), 1);
    assert_eq!(service.faults.calls(Call::Load), 1);
}

/// Whatever makes the record be read again, the hash that was computed once stays true.
#[tokio::test]
async fn what_was_compared_is_not_compared_again() {
    let old = OldKeys::new();
    let service = Service::start(&old).await;
    service.import(old.kept(KEY)).await;
    for _turn in 0..3 {
        assert_eq!(service.verify(KEY).await, None);
        service.keys.tenant("acme").suspend().await.unwrap();
        assert_eq!(service.verify(KEY).await, Some(Reason::TenantSuspended));
        service.keys.tenant("acme").resume().await.unwrap();
    }
    assert!(service.faults.calls(Call::Load) > 3);
    assert_eq!(old.runs(), 1);
}

#[tokio::test]
async fn a_wrong_secret_costs_one_hash_and_then_none() {
    let old = OldKeys::new();
    let service = Service::start(&old).await;
    service.import(old.kept(KEY)).await;
    for n in 1..=10 {
        let wrong = format!("old_aaaa_wrong_secret_{n}");
        for _again in 0..3 {
            assert_eq!(service.verify(&wrong).await, Some(Reason::Unknown));
        }
        assert_eq!(old.runs(), n);
    }
    assert_eq!(
        service.verify("old_bbbb_nothing_there").await,
        Some(Reason::Unknown)
    );
    assert_eq!(old.runs(), 10, "nothing to compare it with");
    assert_eq!(service.verify(KEY).await, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_hashes_at_once_and_no_more() {
    for at_once in [1, 3] {
        let old = OldKeys::new();
        let service = Service::with(&old, |builder| builder.slow_hashes_at_once(at_once)).await;
        service.import(old.kept(KEY)).await;
        old.takes(Duration::from_millis(20));
        let mut tasks = JoinSet::new();
        for n in 0..20 {
            let keys = service.keys.clone();
            let wrong = format!("old_aaaa_wrong_secret_{n}");
            tasks.spawn(async move { reason(&keys, &wrong).await });
        }
        while let Some(reason) = tasks.join_next().await {
            assert_eq!(reason.unwrap(), Some(Reason::Unknown));
        }
        assert_eq!((old.runs(), old.peak()), (20, at_once));
    }
}

/// A flood of wrong secrets with a known beginning fills its own queue, and nothing else.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_slow_hashes_keeps_no_other_key_waiting() {
    let old = OldKeys::new();
    let service = Service::with(&old, |builder| builder.loads_at_once(2)).await;
    service.import(old.kept(KEY)).await;
    let others = [(); 50].map(|()| NewKey::named("new").tenant("acme"));
    let mut issued = Vec::new();
    for new in others {
        let key = service.keys.issue(new).await.unwrap();
        service.watch.issued(&key);
        issued.push(key);
    }
    let hash = Duration::from_millis(100);
    old.takes(hash);
    let mut flood = JoinSet::new();
    for n in 0..500 {
        let keys = service.keys.clone();
        let wrong = format!("old_aaaa_wrong_secret_{n}");
        flood.spawn(async move { reason(&keys, &wrong).await });
    }
    eventually(async || old.running() == 2).await;
    let start = Instant::now();
    for key in &issued {
        assert_eq!(reason(&service.keys, key.secret.expose()).await, None);
    }
    // What is queued takes some 33 times as long as one hash; fifty keys waited for none of it.
    assert!(start.elapsed() < 20 * hash, "{:?}", start.elapsed());
    assert!(old.running() > 0, "the flood was there all the time");
    let mut overloaded = 0;
    while let Some(reason) = flood.join_next().await {
        match reason.unwrap() {
            Some(Reason::Unknown) => {}
            Some(Reason::Overloaded) => overloaded += 1,
            other => panic!("{other:?}"),
        }
    }
    assert!(overloaded > 300, "the queue is short: {overloaded}");
    assert_eq!(service.verify(KEY).await, None);
}

/// Nobody waits longer than for any look-up; but the hash is computed to its end, and once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hash_that_takes_too_long_is_waited_for_no_longer_and_not_lost() {
    let old = OldKeys::new();
    let limit = Duration::from_millis(100);
    let service = Service::with(&old, |builder| builder.load_limit(limit)).await;
    service.import(old.kept(KEY)).await;
    old.takes(5 * limit);
    let verifier = service.keys.verifier();
    let denied = verifier.verify(KEY.as_bytes()).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::LoadTimedOut);
    assert_eq!(denied.kind(), DeniedKind::Unavailable);
    eventually(async || service.verify(KEY).await.is_none()).await;
    assert_eq!(old.runs(), 1);
}

#[tokio::test]
async fn a_panic_makes_no_key_bad() {
    for found in [Found::Beginning, Found::Hash] {
        let old = OldKeys::found(found);
        let service = Service::start(&old).await;
        service.import(old.kept(KEY)).await;
        old.panics_once();
        assert_eq!(service.verify(KEY).await, Some(Reason::LoadPanicked));
        assert_eq!(service.verify(KEY).await, None);
    }
}

/// A key that is spelled like ours, with a public id, and kept as another system kept it. What one
/// credential is found to be says nothing of another with the same id.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_passes_on_anothers_hash() {
    let old = OldKeys::new();
    let no_checksum = || {
        let format = KeyFormat::builder("bare_live").without_checksum();
        format.build().unwrap()
    };
    let service = Service::with(&old, |builder| builder.format(no_checksum())).await;
    let generated = no_checksum().generate().unwrap();
    let right = generated.plaintext.expose().to_owned();
    let mut kept = Kept::new(KeyHash::Foreign(old.hash("salt", &right)));
    kept.prefix = "bare_live".to_owned();
    kept.public_id = generated.public_id;
    let record = service.import(kept).await;
    old.takes(Duration::from_millis(5));
    let start = right.len() - 3;
    let mut tasks = JoinSet::new();
    let others: Vec<String> = (100..150)
        .map(|n| format!("{}{n}", &right[..start]))
        .filter(|other| *other != right)
        .collect();
    for credential in others.iter().chain([&right; 50]) {
        let (keys, credential) = (service.keys.clone(), credential.clone());
        tasks.spawn(async move {
            let refused = reason(&keys, &credential).await;
            (credential, refused)
        });
    }
    while let Some(verified) = tasks.join_next().await {
        let (credential, refused) = verified.unwrap();
        let expected = (credential != right).then_some(Reason::WrongSecret);
        assert_eq!(refused, expected);
    }
    assert_eq!(old.runs(), others.len() + 1);
    let loads = service.faults.calls(Call::Load);
    for _again in 0..3 {
        assert_eq!(reason(&service.keys, &right).await, None);
        assert_eq!(
            reason(&service.keys, &others[0]).await,
            Some(Reason::WrongSecret)
        );
    }
    assert_eq!(old.runs(), others.len() + 1);
    assert_eq!(service.faults.calls(Call::Load), loads);
    service.keys.revoke(&record.id).await.unwrap();
    assert_eq!(reason(&service.keys, &right).await, Some(Reason::Revoked));

    let lacking = node(&service.store, |builder| builder.format(no_checksum())).await;
    let denied = lacking
        .verifier()
        .verify(right.as_bytes())
        .await
        .unwrap_err();
    assert_eq!(denied.reason(), Reason::SchemeNotRegistered);
    assert_eq!(denied.kind(), DeniedKind::Unavailable);
}

#[tokio::test]
async fn a_scheme_that_is_not_registered_is_an_outage() {
    let (old, other) = (OldKeys::new(), OldKeys::new().named("other"));
    let service = Service::start(&old).await;
    service.import(old.kept(KEY)).await;
    let lacking = node(&service.store, |builder| builder.foreign(other)).await;
    assert_eq!(
        reason(&lacking, KEY).await,
        Some(Reason::SchemeNotRegistered),
        "it is found, and cannot be compared"
    );
    let none = node(&service.store, |builder| builder).await;
    assert_eq!(reason(&none, KEY).await, Some(Reason::NotAKey));
}

#[tokio::test]
async fn a_key_moves_when_it_is_used_if_that_is_wanted() {
    let pepper = || Peppers::current(Pepper::new("1", &[1; 32]).unwrap());
    for found in [Found::Beginning, Found::PublicId, Found::Hash] {
        for peppers in [Peppers::none(), pepper()] {
            let old = OldKeys::found(found);
            let service = Service::with(&old, |builder| builder.peppers(peppers.clone())).await;
            let id = service.import(old.kept(KEY)).await.id;
            let kept = async || service.keys.get(&id).await.unwrap().unwrap().record;
            assert_eq!(service.verify(KEY).await, None);
            let node = async |moving: bool| {
                node(&service.store, |builder| {
                    let builder = builder.foreign(old.clone()).peppers(peppers.clone());
                    match moving {
                        true => builder.upgrade_foreign(),
                        false => builder,
                    }
                })
                .await
            };
            let staying = node(false).await;
            assert_eq!(reason(&staying, KEY).await, None);
            assert!(matches!(kept().await.hash, KeyHash::Foreign(_)));
            let moving = node(true).await;
            assert_eq!(reason(&moving, KEY).await, None);
            eventually(async || !matches!(kept().await.hash, KeyHash::Foreign(_))).await;
            assert_eq!(kept().await.lookup, None);
            let runs = old.runs();
            for keys in [&service.keys, &staying, &moving, &node(false).await] {
                assert_eq!(reason(keys, KEY).await, None);
            }
            assert_eq!(old.runs(), runs, "no slow hash any more");
            let wrong = "old_aaaa_another_secret";
            assert!(reason(&moving, wrong).await.is_some());
        }
    }
}

/// The move writes the whole record; a revocation that came in between stays.
#[tokio::test]
async fn a_move_does_not_undo_a_revocation() {
    for _ in 0..50 {
        let old = OldKeys::new();
        let service = Service::with(&old, Builder::upgrade_foreign).await;
        let id = service.import(old.kept(KEY)).await.id;
        let (_used, revoked) = tokio::join!(service.verify(KEY), service.keys.revoke(&id));
        revoked.unwrap();
        eventually(async || service.verify(KEY).await == Some(Reason::Revoked)).await;
        let record = service.keys.get(&id).await.unwrap().unwrap().record;
        assert!(record.revoked_at.is_some());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_beginning_has_sixteen_keys_however_many_want_it() {
    let old = OldKeys::new();
    let service = Service::start(&old).await;
    let mut tasks = JoinSet::new();
    for n in 0..40 {
        let keys = service.keys.clone();
        let kept = old.kept(&format!("{KEY}_{n}"));
        tasks.spawn(async move { keys.import(NewKey::named("old").tenant("acme"), kept).await });
    }
    let mut there = 0;
    while let Some(imported) = tasks.join_next().await {
        match imported.unwrap() {
            Ok(_) => there += 1,
            Err(ImportError::LookupFull) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(there, 16);
    let mut passing = 0;
    for n in 0..40 {
        passing += usize::from(service.verify(&format!("{KEY}_{n}")).await.is_none());
    }
    assert_eq!(passing, 16);
}

/// Two systems may spell their keys alike: each of their records is looked for, and each hash compared by
/// the scheme that it names.
#[tokio::test]
async fn one_spelling_may_be_that_of_several_systems() {
    let by_id = OldKeys::found(Found::PublicId).named("by id");
    let by_hash = OldKeys::found(Found::Hash).named("by hash");
    let by_beginning = OldKeys::new().named("by beginning");
    let service = Service::with(&by_id, |builder| {
        let builder = builder.foreign(by_hash.clone());
        builder.foreign(by_beginning.clone())
    })
    .await;
    let keys = ["old_aaaa_first", "old_aaaa_second", "old_aaaa_third"];
    for key in keys {
        assert_eq!(service.verify(key).await, Some(Reason::Unknown));
    }
    let mut records = Vec::new();
    for (system, key) in [&by_id, &by_hash, &by_beginning].into_iter().zip(keys) {
        records.push(service.import(system.kept(key)).await);
    }
    for _cached in [false, true] {
        for (key, record) in keys.into_iter().zip(&records) {
            let verifier = service.keys.verifier();
            let principal = verifier.verify(key.as_bytes()).await.unwrap();
            assert_eq!(principal.key_id(), &record.id);
        }
        assert_eq!(
            service.verify("old_aaaa_fourth").await,
            Some(Reason::Unknown)
        );
    }
    for (key, record) in keys.into_iter().zip(&records) {
        service.keys.revoke(&record.id).await.unwrap();
        assert_eq!(service.verify(key).await, Some(Reason::Revoked));
    }
}

/// Who made which key, and when, is on record; nobody sees the hash.
#[tokio::test]
async fn an_import_is_on_record() {
    let old = OldKeys::new();
    let service = Service::start(&old).await;
    let new = || NewKey::named("old").tenant("acme").created_by("migration");
    let record = service.keys.import(new(), old.kept(KEY)).await.unwrap();
    let audit = service
        .keys
        .audit(&AuditQuery::key(&record.id))
        .await
        .unwrap();
    assert_eq!(audit.len(), 1);
    let line = &audit[0].record;
    assert_eq!(line.action, AuditAction::Imported);
    assert_eq!(line.tenant.as_ref(), Some(&record.tenant));
    assert_eq!(line.actor.as_deref(), Some("migration"));
    let kept = old.kept(KEY);
    let KeyHash::Foreign(hash) = &kept.hash else {
        panic!("it is kept as the other system kept it")
    };
    for shown in [
        format!("{kept:?}"),
        format!("{record:?}"),
        format!("{line:?}"),
    ] {
        assert!(!shown.contains(hash.text()), "{shown}");
    }
    let gone = new().expires_at(std::time::SystemTime::UNIX_EPOCH);
    let refused = service
        .keys
        .import(gone, old.kept("old_aaaa_another"))
        .await;
    assert!(matches!(
        refused,
        Err(ImportError::Key(Invalid::ExpiryInPast))
    ));
}

#[tokio::test]
async fn schemes_have_names_of_their_own() {
    let start = async |schemes: [&'static str; 2]| {
        let builder = Keyward::builder(MemoryStore::default()).format(format());
        let [one, other] = schemes.map(|scheme| OldKeys::new().named(scheme));
        builder.foreign(one).foreign(other).start().await.err()
    };
    assert!(start(["a", "b"]).await.is_none());
    assert!(matches!(
        start(["a", "a"]).await,
        Some(StartError::DuplicateScheme(scheme)) if scheme == "a"
    ));
    assert!(matches!(
        start(["a", ""]).await,
        Some(StartError::Settings(_))
    ));
}
