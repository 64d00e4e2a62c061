//! A store with a flaw.

use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use keyward_memory::MemoryStore;
use keyward_store::{
    Applied, AuditEntry, AuditQuery, Beat, Change, Changes, CommitError, Cursor, EventSubject,
    Feed, KeySnapshot, KeyStore, ListQuery, Loaded, Lookup, Node, NodeId, Page, ReadFrom, Records,
    Register, RegisteredNode, Selector, StoreError, Subject, SubjectState, Use, Write,
};

#[derive(Debug, PartialEq)]
pub(crate) enum Flaw {
    /// Checks what is expected, and writes a moment later.
    ChecksFirst,
    /// Commits each row on its own.
    RowByRow,
    /// Keeps times to the millisecond.
    Milliseconds,
    /// Finds no revoked keys.
    HidesRevoked,
    /// Sorts ids without regard to case.
    SortsAsPeopleDo,
    /// Reads the number of a load after its rows.
    NumberLast,
    /// Takes a cursor of another history for its own.
    AnyCursor,
    /// Tells the last change again.
    TellsTwice,
    /// Does not tell of standings.
    ForgetsStandings,
    /// Tells of nothing.
    ForgetsEverything,
    /// Strikes nodes out whatever their beat.
    StrikesBlindly,
    /// Says only that a node has a row, and not which.
    OneRowForEver,
    /// Counts what nodes tell between beats for a beat.
    CountsAnyWord,
}

#[derive(Debug)]
pub(crate) struct Flawed {
    store: MemoryStore,
    flaw: Flaw,
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw) -> Self {
        let store = MemoryStore::default();
        Self { store, flaw }
    }
}

#[async_trait]
impl Lookup for Flawed {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        let mut found = self.store.find(by).await?;
        if self.flaw == Flaw::HidesRevoked {
            found.retain(|key| key.record.revoked_at.is_none());
        }
        Ok(found)
    }
}

#[async_trait]
impl Records for Flawed {
    async fn commit(&self, change: &Change) -> Result<(), CommitError> {
        let mut change = change.clone();
        match self.flaw {
            Flaw::ChecksFirst => {
                let mut check = change.clone();
                (check.writes, check.audit) = (Vec::new(), Vec::new());
                self.store.commit(&check).await?;
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                change.expectations.clear();
            }
            Flaw::RowByRow => {
                for write in std::mem::take(&mut change.writes) {
                    let row = Change::new(change.at).write(write);
                    self.store.commit(&row).await?;
                }
            }
            Flaw::Milliseconds => {
                for write in &mut change.writes {
                    if let Write::Insert(record) = write {
                        record.created_at = to_millis(record.created_at);
                    }
                }
            }
            _ => {}
        }
        self.store.commit(&change).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let mut page = self.store.list(query).await?;
        if self.flaw == Flaw::SortsAsPeopleDo {
            page.keys.sort_by_key(|key| {
                let id = key.record.id.as_str().to_lowercase();
                std::cmp::Reverse((key.record.created_at, id))
            });
        }
        Ok(page)
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
impl KeyStore for Flawed {
    async fn ready(&self) -> Result<(), StoreError> {
        self.store.ready().await
    }

    async fn load(&self, by: &Selector, from: ReadFrom) -> Result<Loaded, StoreError> {
        let mut loaded = self.store.load(by, from).await?;
        if self.flaw == Flaw::NumberLast {
            tokio::task::yield_now().await;
            let end = self.store.changes(&Cursor::origin()).await?.cursor;
            loaded.number = end.number();
        }
        Ok(loaded)
    }

    async fn changes(&self, since: &Cursor) -> Result<Changes, StoreError> {
        let since = match self.flaw {
            Flaw::TellsTwice => Cursor::new(since.number().saturating_sub(1), since.token()),
            _ => since.clone(),
        };
        let mut changes = self.store.changes(&since).await?;
        match (&mut changes.feed, &self.flaw) {
            (feed @ Feed::HistoryChanged, Flaw::AnyCursor) => *feed = Feed::Events(Vec::new()),
            (Feed::Events(events), Flaw::ForgetsEverything) => events.clear(),
            (Feed::Events(events), Flaw::ForgetsStandings) => {
                events.retain(|event| matches!(event.subject, EventSubject::Key { .. }));
            }
            (Feed::Events(events), Flaw::TellsTwice) => {
                // Under the new number, as a log does that writes its lines anew.
                for event in events {
                    event.number = changes.cursor.number();
                }
            }
            _ => {}
        }
        Ok(changes)
    }

    async fn hint(&self, since: &Cursor) {
        self.store.hint(since).await;
    }

    fn register(&self) -> &dyn Register {
        self
    }
}

#[async_trait]
impl Register for Flawed {
    async fn beat(&self, node: &Node) -> Result<Beat, StoreError> {
        let mut beat = self.store.register().beat(node).await?;
        if self.flaw == Flaw::OneRowForEver {
            beat.first_beat = 1;
        }
        Ok(beat)
    }

    async fn applied(&self, node: &NodeId, applied: Applied) -> Result<(), StoreError> {
        let register = self.store.register();
        if self.flaw == Flaw::CountsAnyWord {
            for row in register.nodes().await? {
                if row.node.id == *node {
                    register.beat(&row.node).await?;
                }
            }
        }
        register.applied(node, applied).await
    }

    async fn nodes(&self) -> Result<Vec<RegisteredNode>, StoreError> {
        self.store.register().nodes().await
    }

    async fn strike(&self, node: &NodeId, beat: u64) -> Result<bool, StoreError> {
        let register = self.store.register();
        let rows = register.nodes().await?;
        let row = rows.iter().find(|row| row.node.id == *node);
        let beat = match (&self.flaw, row) {
            (Flaw::StrikesBlindly, Some(row)) => row.beat,
            _ => beat,
        };
        register.strike(node, beat).await
    }
}

fn to_millis(time: SystemTime) -> SystemTime {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    let below = since.map_or(0, |since| since.subsec_nanos() % 1_000_000);
    time - Duration::from_nanos(below.into())
}
