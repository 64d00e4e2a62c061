use std::collections::VecDeque;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::watch;
use uuid::Uuid;

use crate::{
    AuditEntry, AuditQuery, Change, Changes, Clock, CommitError, Cursor, Event, EventSubject, Feed,
    HistoryId, KeySnapshot, KeyStore, ListQuery, Loaded, LocalRegister, Lookup, Origin, Page,
    ReadFrom, Records, Register, Selector, StoreError, Subject, SubjectState, Use, Write, Writers,
};

/// Makes any [`Lookup`] a [`KeyStore`], with a log of changes kept in this process.
///
/// What passes through [`Records::commit`] here, or is told by [`changed`](LocalLog::changed), is
/// seen at once by every verifier over this value. Writes that take another way are not; that is
/// the difference between [`sole_writer`](LocalLog::sole_writer) and
/// [`max_age`](LocalLog::max_age).
#[derive(Debug)]
pub struct LocalLog<S> {
    store: S,
    clock: Clock,
    max_age: Option<Duration>,
    log: Log,
    register: LocalRegister,
}

impl<S> LocalLog<S> {
    /// Over a store that nobody writes but this process, and only through this value.
    ///
    /// The full promise holds: once a revocation has returned, no verification accepts the key.
    #[must_use]
    pub fn sole_writer(store: S) -> Self {
        Self::build(store, None)
    }

    /// Over a store that others write without notice: what was read is believed for at most
    /// `max_age` from when it was asked for, and a key revoked elsewhere lives on for no longer.
    ///
    /// It must be longer than a look-up takes, or no answer is ever young enough. With none at all,
    /// a service does not start. Processes that verify keys of the same table are to have the same:
    /// they are not on the register here, and a change is known to be heeded by all of them once that
    /// time has passed.
    #[must_use]
    pub fn max_age(store: S, max_age: Duration) -> Self {
        Self::build(store, Some(max_age))
    }

    fn build(store: S, max_age: Option<Duration>) -> Self {
        Self {
            store,
            clock: Clock::system(),
            max_age,
            log: Log::new(),
            register: LocalRegister::default(),
        }
    }

    /// Takes this clock for the store's own.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Tells of a change that was made behind this value's back. Call it after the change is
    /// visible to readers.
    pub fn changed(&self, subject: EventSubject) {
        self.log.append([subject]);
    }

    /// The store within.
    #[must_use]
    pub fn get_ref(&self) -> &S {
        &self.store
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Lookup> Lookup for LocalLog<S> {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        self.store.find(by).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Records> Records for LocalLog<S> {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        let mut events = PendingEvents {
            log: &self.log,
            events: change.writes.iter().filter_map(event_of).collect(),
        };
        let outcome = self.store.commit(change).await;
        if outcome.as_ref().is_err_and(CommitError::is_certain) {
            events.events.clear();
        }
        outcome
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.store.list(query).await
    }

    async fn standing(&self, subject: &Subject) -> Result<SubjectState, StoreError> {
        self.store.standing(subject).await
    }

    async fn audit(&self, query: &AuditQuery) -> Result<Vec<AuditEntry>, StoreError> {
        self.store.audit(query).await
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        self.store.touch(uses).await
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl<S: Lookup> KeyStore for LocalLog<S> {
    async fn ready(&self) -> Result<(), StoreError> {
        if self.max_age == Some(Duration::ZERO) {
            return Err(StoreError::new(
                "facts of no age at all can never be believed",
            ));
        }
        Ok(())
    }

    async fn load(&self, by: &Selector, _from: ReadFrom) -> Result<Loaded, StoreError> {
        // The number before the rows: too small is safe, too large is not.
        let number = self.log.lock().number;
        let found = self.store.find(by).await?;
        let loaded = Loaded::new(found, self.log.history(), number, self.clock.wall());
        Ok(match self.max_age {
            None => loaded,
            Some(age) => loaded.from_origin(Origin::Unwatched(age)),
        })
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        let changes = self.log.since(since).with_hints();
        Ok(match self.max_age {
            None => changes,
            Some(max_age) => changes.of(Writers::ThisProcess { max_age }),
        })
    }

    async fn hint(&self, since: &Cursor) {
        let mut head = self.log.head.subscribe();
        // The sender lives as long as `self`, so this fails never.
        let _closed = head.wait_for(|number| *number > since.number()).await;
    }

    fn register(&self) -> &dyn Register {
        &self.register
    }
}

/// Events that are published when this is dropped: also when a commit is cancelled or panics, for
/// then it may have been made.
struct PendingEvents<'a> {
    log: &'a Log,
    events: Vec<EventSubject>,
}

impl Drop for PendingEvents<'_> {
    fn drop(&mut self) {
        self.log.append(self.events.drain(..));
    }
}

fn event_of(write: &Write) -> Option<EventSubject> {
    let (record, refound) = match write {
        Write::Insert(record) => (record, true),
        Write::Replace { record, refound } => (record, *refound),
        Write::Standing { subject, .. } => {
            return Some(match subject {
                Subject::Owner(owner) => EventSubject::Owner(owner.clone()),
                Subject::Tenant(tenant) => EventSubject::Tenant(tenant.clone()),
            });
        }
        Write::Delete { key, public_id } => {
            return Some(EventSubject::Key {
                key: key.clone(),
                public_ids: public_id.iter().copied().collect(),
                refound: true,
            });
        }
        // It bears on nothing that is verified.
        Write::Token(_) => return None,
    };
    Some(EventSubject::Key {
        key: record.id.clone(),
        public_ids: record.public_id.into_iter().collect(),
        refound,
    })
}

#[derive(Debug)]
struct Log {
    /// Tells this history from every other.
    token: [u8; 16],
    events: Mutex<Events>,
    head: watch::Sender<u64>,
}

struct Events {
    number: u64,
    kept: VecDeque<Event>,
    /// The number of the last event that is not kept any more.
    forgotten: u64,
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events")
            .field("number", &self.number)
            .field("kept", &self.kept.len())
            .finish_non_exhaustive()
    }
}

impl Log {
    fn new() -> Self {
        Self {
            token: Uuid::now_v7().into_bytes(),
            events: Mutex::new(Events {
                number: 0,
                kept: VecDeque::new(),
                forgotten: 0,
            }),
            head: watch::Sender::new(0),
        }
    }

    fn history(&self) -> HistoryId {
        // The low half of the token is random.
        let token = u128::from_be_bytes(self.token);
        HistoryId::new((token & u128::from(u64::MAX)) as u64)
    }

    fn lock(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All subjects of one change get one number.
    fn append(&self, subjects: impl IntoIterator<Item = EventSubject>) {
        let mut subjects = subjects.into_iter().peekable();
        if subjects.peek().is_none() {
            return;
        }
        let number = {
            let mut events = self.lock();
            events.number += 1;
            let number = events.number;
            events
                .kept
                .extend(subjects.map(|subject| Event::new(number, subject)));
            let surplus = events.kept.len().saturating_sub(KEPT_EVENTS);
            let last = events.kept.drain(..surplus).next_back();
            events.forgotten = last.map_or(events.forgotten, |event| event.number);
            number
        };
        self.head.send_modify(|head| *head = number.max(*head));
    }

    fn since(&self, since: &Cursor) -> Changes {
        let events = self.lock();
        let cursor = Cursor::new(events.number, self.token);
        let feed = if since.token() != self.token || since.number() > events.number {
            Feed::HistoryChanged
        } else if since.number() >= events.forgotten {
            let behind = events.kept.iter().rev();
            let behind = behind.take_while(|event| event.number > since.number());
            Feed::Events(behind.cloned().collect())
        } else {
            Feed::Events(vec![Event::new(events.number, EventSubject::All)])
        };
        Changes::new(self.history(), cursor, feed)
    }
}

/// Enough for the changes of many poll intervals; whoever is further behind forgets everything.
const KEPT_EVENTS: usize = 16_384;

#[cfg(test)]
mod tests {
    use super::*;

    fn tenants(range: std::ops::Range<usize>) -> Vec<EventSubject> {
        range
            .map(|n| EventSubject::Tenant(n.to_string().into()))
            .collect()
    }

    fn events(log: &Log, since: &Cursor) -> Vec<Event> {
        match log.since(since).feed {
            Feed::Events(events) => events,
            Feed::HistoryChanged => panic!("history changed"),
        }
    }

    #[test]
    fn another_history_is_told_apart() {
        let (log, other) = (Log::new(), Log::new());
        let cursor = log.since(&Cursor::origin());
        assert_eq!(cursor.feed, Feed::HistoryChanged);
        assert_eq!(other.since(&cursor.cursor).feed, Feed::HistoryChanged);
        assert_eq!(events(&log, &cursor.cursor), []);
    }

    #[test]
    fn every_event_behind_the_cursor_is_told_once() {
        let log = Log::new();
        let start = log.since(&Cursor::origin()).cursor;
        log.append(tenants(0..3));
        log.append(tenants(3..4));
        assert_eq!(events(&log, &start).len(), 4);
        let end = log.since(&start).cursor;
        assert_eq!(end.number(), 2);
        assert_eq!(events(&log, &end), []);
    }

    #[test]
    fn a_cursor_whose_events_are_forgotten_gets_everything_dropped() {
        let log = Log::new();
        let start = log.since(&Cursor::origin()).cursor;
        log.append(tenants(0..10));
        let ten = log.since(&start).cursor;
        // One event of the second change is forgotten, so a cursor before that change is lost.
        log.append(tenants(0..KEPT_EVENTS + 1));
        let third = log.since(&ten).cursor;
        assert_eq!(events(&log, &ten), [Event::new(2, EventSubject::All)]);
        log.append(tenants(0..1));
        assert_eq!(events(&log, &third).len(), 1);
    }
}
