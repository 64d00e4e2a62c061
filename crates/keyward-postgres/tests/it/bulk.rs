//! Very many keys in one statement.

use std::time::{Duration, SystemTime};

use keyward_store::{
    Change, Cursor, Digest, EventSubject, Feed, KeyHash, KeyId, KeyRecord, KeyStore, Plaintext,
    Records, Write,
};
use sqlx::AssertSqlSafe;
use tokio::time::Instant;

use crate::support::{Answer, FORMATS, Node, REVOKED, Site, format, seldom, within};

#[tokio::test(flavor = "multi_thread")]
async fn twenty_thousand_keys_are_revoked_by_one_statement() {
    let site = Site::fresh().await;
    let store = site.store();
    let keys = insert(&store, KEYS).await;
    let node = Node::start(site.store(), seldom).await;
    let warmed = Instant::now();
    all_get(&node, &keys, Answer::Accepted).await;
    println!("{KEYS} look-ups took {:?}", warmed.elapsed());

    let cursor = store.changes(&Cursor::origin()).await.unwrap().cursor;
    let mut session = site.database.connect().await.unwrap();
    let mut fastest = Duration::MAX;
    // Whatever changes costs the same. The fastest counts, since others use the machine too.
    for set in ["name = 'a'", "name = 'b'", "revoked_at = now()"] {
        let sql = format!("UPDATE keyward.keys SET {set} WHERE tenant = 'acme'");
        let started = Instant::now();
        let changed = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut session);
        assert_eq!(changed.await.unwrap().rows_affected(), KEYS as u64);
        fastest = fastest.min(started.elapsed());
    }
    println!("changing {KEYS} keys took {fastest:?} at the store");
    assert!(fastest < Duration::from_secs(2), "{fastest:?}");

    let committed = Instant::now();
    let key = keys.last().unwrap();
    within(
        Duration::from_secs(2),
        "the node has heard of it",
        async || node.answer(key).await == REVOKED,
    )
    .await;
    println!("a node heard of it after {:?}", committed.elapsed());
    // Whoever comes from now on is refused, whichever key it is.
    all_get(&node, &keys, REVOKED).await;
    println!("all of them were refused after {:?}", committed.elapsed());

    let changes = store.changes(&cursor).await.unwrap();
    assert_eq!(
        changes.cursor.number(),
        cursor.number() + 3,
        "a number for each statement"
    );
    let Feed::Events(events) = changes.feed else {
        panic!("the history changed");
    };
    assert!(matches!(&events[..], [all] if all.subject == EventSubject::All));
}

/// As many events as are still told one by one.
#[tokio::test]
async fn changes_are_told_one_by_one_up_to_a_limit() {
    let site = Site::fresh().await;
    let store = site.store();
    insert(&store, LIMIT).await;
    let cursor = store.changes(&Cursor::origin()).await.unwrap().cursor;
    site.sql("UPDATE keyward.keys SET revision = revision + 1")
        .await;
    let changes = store.changes(&cursor).await.unwrap();
    let Feed::Events(events) = changes.feed else {
        panic!("the history changed");
    };
    assert_eq!(events.len(), LIMIT);
    let single = |subject: &EventSubject| matches!(subject, EventSubject::Key { .. });
    assert!(events.iter().all(|event| single(&event.subject)));
}

const KEYS: usize = 20_000;
const LIMIT: usize = 16_384;

async fn all_get(node: &Node, keys: &[Plaintext], answer: Answer) {
    // So few at once that none has to wait for its turn for too long.
    for some in keys.chunks(200) {
        for given in node.answers(some).await {
            assert_eq!(given, answer);
        }
    }
}

/// So many keys, in changes of some thousands.
async fn insert(store: &impl Records, number: usize) -> Vec<Plaintext> {
    let format = format(FORMATS[0]);
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_763_000_000);
    let mut secrets = Vec::with_capacity(number);
    while secrets.len() < number {
        let mut change = Change::new(now);
        for _ in 0..(number - secrets.len()).min(5_000) {
            let made = format.generate().unwrap();
            let digest = Digest::sha256(made.plaintext.expose().as_bytes());
            let mut record = KeyRecord::new(KeyId::generate(), "acme", KeyHash::Sha256(digest));
            record.name = "one of many".to_owned();
            record.prefix = format.prefix().to_owned();
            record.public_id = made.public_id;
            record.hint = made.hint;
            record.created_at = now;
            change = change.write(Write::Insert(record));
            secrets.push(made.plaintext);
        }
        store.commit(&change).await.unwrap();
    }
    secrets
}
