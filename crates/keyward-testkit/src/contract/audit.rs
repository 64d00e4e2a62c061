//! The audit log.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use keyward_store::{AuditAction, AuditEntry, AuditQuery, AuditRecord, Owner, Records, Subject};

use super::sample::{audit_of, insert, key_id, owner, record, tenant, time};
use super::tools::whole_audit;

/// Every field of a line comes back as it was written, for every action.
pub async fn a_line_comes_back_as_it_was_written(store: impl Records) {
    let subjects = [None, Some(tenant("租户")), Some(owner("user", "1"))];
    let json = r#"{"name" : "日次 '\"\\\u00e9","n":1.0, "none":null}"#;
    let mut lines: Vec<AuditRecord> = Vec::new();
    for (action, subject) in AuditAction::ALL.iter().zip(subjects.into_iter().cycle()) {
        lines.push(AuditRecord::new(time(1), *action));
        let mut line = audit_of(&record(1), *action);
        line.actor = Some("Größe \"\\".to_owned());
        line.owner = Some(Owner::new("service account", "строка:1"));
        line.subject = subject;
        line.before = Some(json.to_owned());
        lines.push(line.clone());
        line.before = None;
        line.after = Some("{}".to_owned());
        line.refusal = Some("too_many_keys".to_owned());
        lines.push(line.clone());
        line.owner = None;
        line.before = Some(String::new());
        line.refusal = Some(String::new());
        lines.push(line);
    }
    let mut change = insert([]);
    change.audit = lines.clone();
    store.commit(&change).await.unwrap();
    let written = whole_audit(&store).await;
    let written: Vec<_> = written.into_iter().map(|entry| entry.record).collect();
    assert_eq!(written, lines);
}

/// Positions rise from line to line, in a change and from one change to the next.
pub async fn positions_rise(store: impl Records) {
    for n in 0..5 {
        let mut change = insert([record(n)]);
        for action in [AuditAction::Issued, AuditAction::Revoked] {
            change.audit.push(audit_of(&record(n), action));
        }
        store.commit(&change).await.unwrap();
    }
    let log = whole_audit(&store).await;
    assert!(log.is_sorted_by(|a, b| a.position < b.position));
    assert!(log[0].position > 0, "nothing could be behind position 0");
    let keys: Vec<_> = log.iter().map(|entry| entry.record.key.clone()).collect();
    let expected: Vec<_> = (0..10).map(|n| Some(record(n / 2).id)).collect();
    assert_eq!(keys, expected);
}

/// The lines of one key, or of one tenant, can be read alone; those about the standing of a tenant
/// are not lines of its keys.
pub async fn lines_can_be_read_by_key_and_tenant(store: impl Records) {
    let mut other = record(2);
    other.tenant = "other".into();
    let mut change = insert([]);
    for record in [&record(1), &other, &record(3), &record(1)] {
        change.audit.push(audit_of(record, AuditAction::Issued));
    }
    let mut standing = AuditRecord::new(time(1), AuditAction::SubjectChanged);
    standing.subject = Some(tenant("acme-inc"));
    change.audit.push(standing);
    store.commit(&change).await.unwrap();

    let mut of_key = AuditQuery::default();
    of_key.key = Some(record(1).id);
    assert_eq!(read(&store, &of_key).await, [(1, None), (1, None)]);
    let mut of_tenant = AuditQuery::default();
    of_tenant.tenant = Some("acme-inc".into());
    let acme = [(1, None), (3, None), (1, None)];
    assert_eq!(read(&store, &of_tenant).await, acme);
    let mut of_both = of_tenant.clone();
    of_both.key = Some(other.id);
    assert_eq!(read(&store, &of_both).await, []);
    let all = read(&store, &AuditQuery::default()).await;
    assert_eq!(all.len(), 5);
    assert_eq!(all[4], (0, Some(tenant("acme-inc"))));
}

/// The lines of one owner can be read alone, also together with a key or a tenant; those about the
/// standing of an owner are not lines of its keys.
pub async fn lines_can_be_read_by_owner(store: impl Records) {
    let owners = [
        None,
        Some(Owner::new("user", "1")),
        Some(Owner::new("team", "1")),
        Some(Owner::new("user", "1")),
        Some(Owner::new("user", "12")),
    ];
    let mut change = insert([]);
    for (n, owner) in (1..).zip(owners) {
        let mut line = audit_of(&record(n), AuditAction::Issued);
        line.owner = owner;
        change.audit.push(line);
    }
    let mut standing = AuditRecord::new(time(1), AuditAction::SubjectChanged);
    standing.subject = Some(owner("user", "1"));
    change.audit.push(standing);
    store.commit(&change).await.unwrap();

    let keys = async |query: &AuditQuery| {
        let lines = store.audit(query).await.unwrap();
        let keys = lines.into_iter().map(|line| line.record.key.unwrap());
        keys.collect::<Vec<_>>()
    };
    let mut query = AuditQuery::default();
    query.owner = Some(Owner::new("user", "1"));
    assert_eq!(keys(&query).await, [key_id(2), key_id(4)]);
    let newest_first = query.clone().newest_first();
    assert_eq!(keys(&newest_first).await, [key_id(4), key_id(2)]);
    query.key = Some(key_id(4));
    assert_eq!(keys(&query).await, [key_id(4)]);
    query.tenant = Some("acme-inc".into());
    assert_eq!(keys(&query).await, [key_id(4)]);
    query.tenant = Some("other".into());
    assert!(keys(&query).await.is_empty());
    query = AuditQuery::default();
    query.owner = Some(Owner::new("user", "nobody"));
    assert!(keys(&query).await.is_empty());
}

/// Read from its newest line on, the log is the same the other way round, in pages of any size; and a
/// position beyond either end leaves out nothing, or everything.
pub async fn the_log_can_be_read_from_either_end(store: impl Records) {
    for turn in 0..3 {
        let mut change = insert([]);
        for n in 0..4 {
            let line = audit_of(&record((turn + n) % 3), AuditAction::Issued);
            change.audit.push(line);
        }
        store.commit(&change).await.unwrap();
    }
    let whole = whole_audit(&store).await;
    let turned: Vec<_> = whole.iter().rev().cloned().collect();
    let last = turned[0].position;
    let query = AuditQuery::default().newest_first();
    for limit in [1, 3, 4, 11, 12, 100] {
        assert_eq!(follow(&store, query.clone().limit(limit)).await, turned);
        let of_key = AuditQuery::key(&key_id(1)).newest_first().limit(limit);
        let mut of_one = turned.clone();
        of_one.retain(|entry| entry.record.key == of_key.key);
        assert_eq!(follow(&store, of_key).await, of_one);
        let of_tenant = AuditQuery::tenant("acme-inc").newest_first().limit(limit);
        assert_eq!(follow(&store, of_tenant).await, turned);
    }
    for (after, newest, oldest) in [
        (0, &[][..], &whole[..]),
        (whole[0].position, &[][..], &whole[1..]),
        (last, &turned[1..], &[][..]),
        (last + 1, &turned[..], &[][..]),
        (u64::MAX, &turned[..], &[][..]),
    ] {
        let read = store.audit(&query.clone().after(after)).await.unwrap();
        assert_eq!(read, newest, "newest first, after {after}");
        let query = AuditQuery::default().after(after);
        let read = store.audit(&query).await.unwrap();
        assert_eq!(read, oldest, "oldest first, after {after}");
    }
}

/// Whoever goes on behind the last position read reads every line once.
pub async fn reading_goes_on_where_it_stopped(store: impl Records) {
    let mut change = insert([]);
    for n in 0..10 {
        change
            .audit
            .push(audit_of(&record(n % 2), AuditAction::Issued));
    }
    store.commit(&change).await.unwrap();
    let whole = whole_audit(&store).await;
    for limit in 1..=11 {
        let mut query = AuditQuery::default();
        query.limit = limit;
        assert_eq!(follow(&store, query.clone()).await, whole);
        query.key = Some(record(1).id);
        let mut odd = whole.clone();
        odd.retain(|entry| entry.record.key == query.key);
        assert_eq!(follow(&store, query).await, odd);
    }
}

/// No line appears before one that was read already, however many changes are committed at once.
pub async fn no_line_appears_before_one_already_read(store: impl Records) {
    let store = Arc::new(store);
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let (store, done) = (store.clone(), done.clone());
            tokio::spawn(async move {
                for n in 0.. {
                    if n >= 25 && done.load(Ordering::SeqCst) {
                        break;
                    }
                    let record = record(writer * 1_000_000 + n);
                    let line = audit_of(&record, AuditAction::Issued);
                    store.commit(&insert([record]).audit(line)).await.unwrap();
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    let mut read: Vec<AuditEntry> = Vec::new();
    let mut news = async || {
        let mut query = AuditQuery::default();
        query.after = read.last().map(|entry| entry.position);
        let news = store.audit(&query).await.unwrap();
        read.extend_from_slice(&news);
        news.len()
    };
    for _turn in 0..20 {
        while news().await == 0 {
            tokio::task::yield_now().await;
        }
    }
    done.store(true, Ordering::SeqCst);
    for writer in writers {
        writer.await.unwrap();
    }
    while news().await > 0 {}
    assert_eq!(read, whole_audit(&*store).await);
}

/// The number of the key, or 0, and the subject of each line.
async fn read(store: &impl Records, query: &AuditQuery) -> Vec<(u64, Option<Subject>)> {
    let entries = store.audit(query).await.unwrap();
    let lines = entries.into_iter().map(|entry| {
        let keys = 1..=3;
        let number = |key| keys.clone().find(|n| record(*n).id == key);
        let key = entry.record.key.and_then(number);
        (key.unwrap_or(0), entry.record.subject)
    });
    lines.collect()
}

async fn follow(store: &impl Records, mut query: AuditQuery) -> Vec<AuditEntry> {
    let mut read = Vec::new();
    loop {
        let part = store.audit(&query).await.unwrap();
        assert!(part.len() <= query.limit);
        let Some(last) = part.last() else { return read };
        query.after = Some(last.position);
        read.extend(part);
        assert!(read.len() < 1000, "the log does not end");
    }
}
