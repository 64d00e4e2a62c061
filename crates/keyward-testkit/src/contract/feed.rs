//! The feed of changes.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_store::{
    AuditAction, Cursor, EventSubject, Feed, KeyStore, Owner, Records, Subject, Write, Writers,
};
use tokio::time::{sleep, timeout};

use super::sample::{
    audit_of, edit, full_record, insert, is_still, owner, public_id, record, set, suspended, tenant,
};
use super::tools::{Follower, names_key, names_subject, put};
use super::{sample, tools};

/// Whoever asks from the origin is told that history changed, and can follow from there: whose
/// changes the feed tells, it says, and while nothing happens nothing is told.
pub async fn a_follower_starts_at_the_origin<S: Records + KeyStore>(store: S) {
    put(&store, [record(1)]).await;
    let first = store.changes(&Cursor::origin()).await.unwrap();
    assert_eq!(first.feed, Feed::HistoryChanged);
    let next = store.changes(&first.cursor).await.unwrap();
    assert_eq!(next.feed, Feed::Events(vec![]));
    assert_eq!(next.cursor.number(), first.cursor.number());
    // The store under test is written by nobody else.
    assert_eq!(first.writers, Writers::All);
}

/// A cursor of another history, or from a future that this one does not have, is told that history
/// changed.
pub async fn a_cursor_of_another_history_is_told_so<S: Records + KeyStore>(store: S) {
    put(&store, [record(1), record(2)]).await;
    let here = Follower::start(&store).await.cursor;
    let mut token = here.token().to_vec();
    for byte in &mut token {
        *byte = !*byte;
    }
    for cursor in [
        Cursor::new(here.number(), token),
        Cursor::new(here.number(), []),
        Cursor::new(here.number() + 1, here.token()),
        Cursor::new(u64::MAX, here.token()),
    ] {
        let changes = store.changes(&cursor).await.unwrap();
        assert_eq!(changes.feed, Feed::HistoryChanged, "{cursor:?}");
        assert_eq!(changes.cursor.number(), here.number());
    }
}

/// The event of a new key names it and its public id, and says that it can now be found.
pub async fn a_new_key_is_told<S: Records + KeyStore>(store: S) {
    let mut feed = Follower::start(&store).await;
    let mut opaque = record(2);
    opaque.public_id = None;
    for (record, ids) in [(record(1), vec![public_id(1)]), (opaque, vec![])] {
        put(&store, [record.clone()]).await;
        let events = feed.poll(&store).await;
        assert_eq!(events.len(), 1, "{events:?}");
        let told = EventSubject::Key {
            key: record.id,
            public_ids: ids,
            refound: true,
        };
        assert_eq!(events[0].subject, told);
        assert_eq!(feed.poll(&store).await, []);
    }
}

/// The event of a changed key names it, and its public id; it says whether the key is found by
/// something else now.
pub async fn a_changed_key_is_told<S: Records + KeyStore>(store: S) {
    put(&store, [record(1)]).await;
    let mut feed = Follower::start(&store).await;
    let (revoked, change) = edit(&record(1), false, |record| {
        record.revoked_at = Some(sample::time(5));
    });
    store.commit(&change).await.unwrap();
    let events = feed.poll(&store).await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert!(names_key(&events[0], &revoked.id), "{events:?}");

    let (_, change) = edit(&revoked, true, |record| {
        record.public_id = Some(public_id(9))
    });
    store.commit(&change).await.unwrap();
    let events = feed.poll(&store).await;
    let EventSubject::Key {
        key,
        public_ids,
        refound,
    } = &events[0].subject
    else {
        panic!("a changed key is told as {events:?}");
    };
    assert_eq!((key, *refound), (&revoked.id, true));
    assert!(public_ids.contains(&public_id(9)), "{events:?}");
}

/// The event of a changed standing names the owner or the tenant.
pub async fn a_changed_standing_is_told<S: Records + KeyStore>(store: S) {
    let mut feed = Follower::start(&store).await;
    for subject in [tenant("租户"), owner("user", "1")] {
        store.commit(&set(&subject, &suspended(1))).await.unwrap();
        let events = feed.poll(&store).await;
        assert_eq!(events.len(), 1, "{events:?}");
        assert!(names_subject(&events[0], &subject), "{events:?}");
    }
}

/// Every row of a change is told, under one number.
pub async fn every_row_of_a_change_is_told<S: Records + KeyStore>(store: S) {
    put(&store, [record(1)]).await;
    let mut feed = Follower::start(&store).await;
    let (_, mut change) = edit(&record(1), false, |record| record.name = "new".into());
    change.writes.push(Write::Insert(full_record()));
    let subjects: [Subject; 2] = [tenant("acme-inc"), owner("user", "1")];
    for subject in &subjects {
        change.writes.extend(set(subject, &suspended(1)).writes);
    }
    let Write::Insert(new) = &change.writes[1] else {
        unreachable!("it was pushed there");
    };
    let new = new.id.clone();
    store.commit(&change).await.unwrap();
    let events = feed.poll(&store).await;
    assert_eq!(events.len(), 4, "{events:?}");
    for id in [record(1).id, new] {
        assert!(
            events.iter().any(|event| names_key(event, &id)),
            "{events:?}"
        );
    }
    for subject in &subjects {
        let told = events.iter().any(|event| names_subject(event, subject));
        assert!(told, "{events:?}");
    }
    assert!(events.iter().all(|event| event.number == events[0].number));
}

/// A change that is refused is not told, nor one that writes no row.
pub async fn what_did_not_happen_is_not_told<S: Records + KeyStore>(store: S) {
    put(&store, [record(1)]).await;
    let mut feed = Follower::start(&store).await;
    let (ahead, _) = edit(&record(1), false, |_| {});
    let stale = insert([record(2)]).expect(is_still(&ahead));
    assert!(store.commit(&stale).await.is_err());
    assert!(store.commit(&insert([record(2), record(1)])).await.is_err());
    let line = audit_of(&record(1), AuditAction::Revoked);
    store.commit(&insert([]).audit(line)).await.unwrap();
    assert_eq!(feed.poll(&store).await, []);
}

/// Every change is told exactly once behind the cursor, and numbers rise from change to change.
pub async fn every_change_is_told_once<S: Records + KeyStore>(store: S) {
    let mut feed = Follower::start(&store).await;
    let start = feed.cursor.clone();
    let mut told = Vec::new();
    for n in 0..30 {
        put(&store, [record(n)]).await;
        if n % 3 == 0 {
            let last = feed.cursor.number();
            told.extend(feed.poll(&store).await);
            assert!(feed.cursor.number() > last);
        }
    }
    told.extend(feed.poll(&store).await);
    let number = |n| {
        let id = record(n).id;
        let mut events = told.iter().filter(|event| names_key(event, &id));
        let number = events.next().map(|event| event.number);
        assert!(number.is_some() && events.next().is_none(), "{told:?}");
        number
    };
    let numbers: Vec<_> = (0..30).map(number).collect();
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");

    // Another follower that slept all the time is told the same.
    let mut slow = Follower { cursor: start };
    let mut all = slow.poll(&store).await;
    for events in [&mut all, &mut told] {
        events.sort_by_key(|event| event.number);
    }
    assert_eq!(all, told);
}

/// No change is missed by someone who follows while many are committed at once, and none is told
/// twice.
pub async fn no_change_is_missed_among_many<S: Records + KeyStore>(store: S) {
    let store = Arc::new(store);
    let mut feed = Follower::start(&store).await;
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move {
                let mut written = Vec::new();
                while written.len() < 25 || !done.load(Ordering::SeqCst) {
                    let next = record(writer * 1_000_000 + written.len() as u64);
                    written.push(next.id.clone());
                    put(&store, [next]).await;
                    tokio::task::yield_now().await;
                }
                written
            })
        })
        .collect();
    let mut told = Vec::new();
    for _turn in 0..20 {
        let before = told.len();
        while told.len() == before {
            told.extend(feed.poll(&store).await);
            tokio::task::yield_now().await;
        }
    }
    done.store(true, Ordering::SeqCst);
    let mut written = Vec::new();
    for writer in writers {
        written.extend(writer.await.unwrap());
    }
    told.extend(feed.poll(&store).await);

    let mut keys: Vec<_> = told
        .into_iter()
        .filter_map(|event| match event.subject {
            EventSubject::Key { key, .. } => Some(key),
            _ => None,
        })
        .collect();
    keys.sort();
    written.sort();
    assert_eq!(keys, written);
}

/// A change whose caller has gone is made whole or not at all, and is told if it was made.
pub async fn a_change_whose_caller_has_gone_is_whole<S: Records + KeyStore>(store: S) {
    let store = Arc::new(store);
    let mut feed = Follower::start(&store).await;
    for n in 0..60 {
        let store = store.clone();
        let line = audit_of(&record(n), AuditAction::Issued);
        let change = insert([record(n)]).audit(line);
        let call = tokio::spawn(async move { store.commit(&change).await });
        sleep(Duration::from_micros(50 * n)).await;
        call.abort();
        drop(call.await);
    }
    // In this order: a change that is being made while we look is seen in the later ones only.
    let mut query = keyward_store::ListQuery::all();
    query.limit = 100;
    let made = store.list(&query).await.unwrap().keys;
    let audit = tools::whole_audit(&store).await;
    let told = feed.poll(&store).await;
    for key in made {
        let id = key.record.id;
        assert!(told.iter().any(|event| names_key(event, &id)), "{id}");
        assert!(
            audit
                .iter()
                .any(|line| line.record.key.as_ref() == Some(&id)),
            "{id}"
        );
    }
}

/// A hint wakes whoever waits when a change is committed.
///
/// Not for every store: a hint may never resolve. This is a law for those that give hints.
pub async fn a_hint_wakes_after_a_commit<S: Records + KeyStore>(store: S) {
    let store = Arc::new(store);
    for n in 0..10 {
        let cursor = Follower::start(&store).await.cursor;
        let waiting = tokio::spawn({
            let store = store.clone();
            async move { store.hint(&cursor).await }
        });
        // A store may need a moment to listen.
        sleep(Duration::from_millis(50)).await;
        let mut user = record(n);
        user.owner = Some(Owner::new("user", "1"));
        put(&store, [user]).await;
        let woken = timeout(Duration::from_secs(10), waiting).await;
        woken
            .expect("no hint came within ten seconds of a commit")
            .unwrap();
    }
}
