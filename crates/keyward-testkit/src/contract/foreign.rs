//! Keys of other systems: hashes as they kept them.

use keyward_store::{
    Candidates, EventSubject, ForeignHash, KeyRecord, KeyStore, MAX_LOOKUP_CANDIDATES, PepperId,
    Records, Selector,
};

use super::sample::{
    by_foreign, digest, edit, foreign, foreign_record, hmac, key_id, record, time,
};
use super::tools::{Follower, found, put};

/// A record that another system's hash is kept of is found by that hash, whatever else is asked for in
/// the same breath; and by no other spelling, nor under another scheme.
pub async fn a_key_is_found_by_its_foreign_hash(store: impl Records) {
    let mut key = record(1);
    key.hash = foreign("sha1", "DA39a3");
    put(&store, [key.clone(), foreign_record(), record(2)]).await;
    for by in [
        by_foreign([("sha1", "DA39a3")], []),
        by_foreign([("md5", "DA39a3"), ("sha1", "DA39a3")], ["da39"]),
    ] {
        assert_eq!(found(&store, &by).await, [key.clone()], "{by:?}");
    }
    let many = (0..9).map(|n| ("sha1", ["", "a", "DA39a3"][n % 3]));
    assert_eq!(found(&store, &by_foreign(many, [])).await, [key]);
    for by in [
        by_foreign([("sha1", "da39a3")], []),
        by_foreign([("sha1", "DA39a")], []),
        by_foreign([("SHA1", "DA39a3")], []),
        by_foreign([("", "DA39a3")], []),
        by_foreign([], ["DA39a3"]),
        by_foreign([], []),
    ] {
        assert_eq!(found(&store, &by).await, [], "{by:?}");
    }
    let long = foreign_record();
    let keyward_store::KeyHash::Foreign(hash) = &long.hash else {
        unreachable!("it is foreign");
    };
    let by = by_foreign([(hash.scheme(), hash.text())], []);
    assert_eq!(found(&store, &by).await, std::slice::from_ref(&long));
}

/// A record is found by the beginning of its key, however it is kept, and by no shorter or longer one.
pub async fn a_key_is_found_by_its_beginning(store: impl Records) {
    let mut keys = [record(1), record(2), record(3), record(4)];
    keys[0].hash = foreign("bcrypt", "$2b$1");
    keys[0].lookup = Some("ctza_12345678".to_owned());
    keys[1].hash = foreign("bcrypt", "$2b$2");
    keys[1].lookup = Some("ctza_12345679".to_owned());
    keys[2].hash = hmac("old", digest(3));
    keys[2].lookup = Some("ctza_12345678".to_owned());
    keys[3].lookup = Some(String::new());
    put(&store, keys.clone()).await;
    let [first, second, third, empty] = keys;
    let both = [first, third];
    assert_eq!(
        found(&store, &by_foreign([], ["ctza_12345678"])).await,
        both
    );
    let by = by_foreign([], ["ctza_12345679", "ctza_1234567", "ctza_12345679"]);
    assert_eq!(found(&store, &by).await, [second]);
    for beginning in ["ctza_1234567", "ctza_123456780", "CTZA_12345678", "%"] {
        let by = by_foreign([], [beginning]);
        assert_eq!(found(&store, &by).await, [], "{beginning}");
    }
    assert_eq!(found(&store, &by_foreign([], [""])).await, [empty]);
}

/// Of one beginning sixteen records are found at most, and those are the oldest; those of one instant
/// by rising name. Each of several beginnings has its own sixteen.
pub async fn only_the_oldest_of_one_beginning_are_found(store: impl Records) {
    let key = |n: u64, lookup: &str| -> KeyRecord {
        let mut key = record(n);
        key.hash = foreign("bcrypt", &format!("$2b${n}"));
        key.lookup = Some(lookup.to_owned());
        // Newest first, and two at each instant.
        key.created_at = time((1_000 - n) / 2);
        key
    };
    let mut many: Vec<KeyRecord> = (500..520).map(|n| key(n, "many")).collect();
    let few: Vec<KeyRecord> = (600..603).map(|n| key(n, "few")).collect();
    put(&store, many.iter().chain(&few).cloned()).await;
    let oldest_first = |a: &KeyRecord, b: &KeyRecord| {
        let place = |key: &KeyRecord| (key.created_at, key.id.clone());
        place(a).cmp(&place(b))
    };
    many.sort_by(oldest_first);
    many.truncate(MAX_LOOKUP_CANDIDATES);
    many.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(found(&store, &by_foreign([], ["many"])).await, many);
    assert_eq!(found(&store, &by_foreign([], ["few"])).await, few);
    let mut all = many;
    all.extend(few);
    let by = by_foreign([], ["few", "none", "many"]);
    assert_eq!(found(&store, &by).await, all);
}

/// One question finds what is kept as SHA-256, under a pepper, as a foreign hash, and by a beginning;
/// and each record once, though it is found in two ways.
pub async fn a_credential_is_found_in_every_way_at_once(store: impl Records) {
    let mut keys = [record(1), record(2), record(3), record(4), record(5)];
    keys[1].hash = hmac("old", digest(22));
    keys[2].hash = foreign("sha1", "abc");
    keys[2].lookup = Some("ctza_1".to_owned());
    keys[3].hash = foreign("bcrypt", "$2b$4");
    keys[3].lookup = Some("ctza_1".to_owned());
    put(&store, keys.clone()).await;
    let macs = [("new", digest(1)), ("old", digest(22))];
    let macs = macs.map(|(pepper, mac)| (PepperId::new(pepper), mac));
    let hashes = [
        ForeignHash::new("sha1", "abc"),
        ForeignHash::new("md5", "$2b$4"),
    ];
    let candidates = Candidates::new(digest(1), macs).and_foreign(hashes, ["ctza_1".into()]);
    let by = Selector::Credential(candidates);
    assert_eq!(found(&store, &by).await, keys[..4]);
}

/// A record whose hash or beginning is replaced is found by what it is now, and is told to be.
pub async fn a_key_is_found_by_its_new_beginning<S: Records + KeyStore>(store: S) {
    let mut key = record(1);
    key.hash = foreign("sha1", "abc");
    key.lookup = Some("old".to_owned());
    put(&store, [key.clone()]).await;
    let mut feed = Follower::start(&store).await;
    let edits: [fn(&mut KeyRecord); 3] = [
        |key| key.lookup = Some("new".to_owned()),
        |key| key.hash = foreign("sha1", "def"),
        |key| key.lookup = None,
    ];
    for change in edits {
        let (after, change) = edit(&key, true, change);
        store.commit(&change).await.unwrap();
        let told = feed.poll(&store).await.pop().map(|event| event.subject);
        let moved = matches!(&told, Some(EventSubject::Key { key, refound: true, .. })
            if *key == key_id(1));
        assert!(moved, "{told:?}");
        key = after;
        for lookup in ["old", "new"] {
            let is = key.lookup.as_deref() == Some(lookup);
            let there = found(&store, &by_foreign([], [lookup])).await;
            assert_eq!(there.len(), usize::from(is), "{lookup}");
        }
        for text in ["abc", "def"] {
            let is = key.hash == foreign("sha1", text);
            let there = found(&store, &by_foreign([("sha1", text)], [])).await;
            assert_eq!(there.len(), usize::from(is), "{text}");
        }
    }
}
