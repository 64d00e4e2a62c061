//! What laws are written with.

use std::sync::Arc;

use keyward_store::{
    AuditEntry, AuditQuery, CommitError, Cursor, Event, EventSubject, Feed, KeyId, KeyRecord,
    KeyStore, Lookup, Records, Selector, Subject,
};
use tokio::sync::Barrier;

use super::sample;

/// Inserts records that are sure to fit.
pub(super) async fn put(store: &impl Records, records: impl IntoIterator<Item = KeyRecord>) {
    store.commit(&sample::insert(records)).await.unwrap();
}

/// The records that a selector finds, by rising id.
pub(super) async fn found(store: &impl Lookup, by: &Selector) -> Vec<KeyRecord> {
    let snapshots = store.find(by).await.unwrap();
    let mut records: Vec<_> = snapshots.into_iter().map(|found| found.record).collect();
    records.sort_by(|a, b| a.id.cmp(&b.id));
    records
}

/// The record of that name.
pub(super) async fn get(store: &impl Lookup, id: &KeyId) -> Option<KeyRecord> {
    found(store, &Selector::Key(id.clone())).await.pop()
}

/// The whole audit log.
pub(super) async fn whole_audit(store: &impl Records) -> Vec<AuditEntry> {
    let mut query = AuditQuery::default();
    query.limit = 100_000;
    store.audit(&query).await.unwrap()
}

pub(super) fn is_expectation(outcome: &Result<(), CommitError>, place: usize) -> bool {
    matches!(outcome, Err(CommitError::Expectation(at)) if *at == place)
}

pub(super) fn is_duplicate(outcome: &Result<(), CommitError>) -> bool {
    matches!(outcome, Err(CommitError::Duplicate))
}

/// Whether the change was refused for a token that was used for the `n`th key.
pub(super) fn is_used_for(outcome: &Result<(), CommitError>, n: u64) -> bool {
    matches!(outcome, Err(CommitError::TokenUsed(key)) if *key == sample::key_id(n))
}

/// Runs tasks on several threads, all of which start at one moment, and gives their outcomes.
pub(super) async fn at_once<T, F>(tasks: impl IntoIterator<Item = F>) -> Vec<T>
where
    F: Future<Output = T> + Send + 'static,
    T: Send + 'static,
{
    let tasks: Vec<F> = tasks.into_iter().collect();
    let start = Arc::new(Barrier::new(tasks.len()));
    let running: Vec<_> = tasks
        .into_iter()
        .map(|task| {
            let start = start.clone();
            tokio::spawn(async move {
                start.wait().await;
                task.await
            })
        })
        .collect();
    let mut outcomes = Vec::with_capacity(running.len());
    for task in running {
        outcomes.push(task.await.unwrap());
    }
    outcomes
}

/// Reads the feed from a place on.
pub(super) struct Follower {
    pub(super) cursor: Cursor,
}

impl Follower {
    /// From the present end of the history on.
    pub(super) async fn start(store: &impl KeyStore) -> Self {
        let cursor = store.changes(&Cursor::origin()).await.unwrap().cursor;
        Self { cursor }
    }

    /// What has changed since the last look. Each event must lie between the two cursors.
    pub(super) async fn poll(&mut self, store: &impl KeyStore) -> Vec<Event> {
        let changes = store.changes(&self.cursor).await.unwrap();
        let Feed::Events(events) = changes.feed else {
            panic!("the history changed, though the store has been running all the time");
        };
        let range = self.cursor.number() + 1..=changes.cursor.number();
        for event in &events {
            let number = event.number;
            assert!(range.contains(&number), "{number} is not in {range:?}");
        }
        self.cursor = changes.cursor;
        events
    }
}

/// Whether the event is about that key.
pub(super) fn names_key(event: &Event, id: &KeyId) -> bool {
    matches!(&event.subject, EventSubject::Key { key, .. } if key == id)
}

/// Whether the event is about that owner or tenant.
pub(super) fn names_subject(event: &Event, whose: &Subject) -> bool {
    match (&event.subject, whose) {
        (EventSubject::Tenant(changed), Subject::Tenant(tenant)) => changed == tenant,
        (EventSubject::Owner(changed), Subject::Owner(owner)) => changed == owner,
        _ => false,
    }
}
