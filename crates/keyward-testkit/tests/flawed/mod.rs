//! A store with a flaw.
#![expect(clippy::unwrap_used, reason = "that is how a test fails")]

use std::collections::HashMap;
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use keyward_memory::MemoryStore;
use keyward_store::{
    Applied, AuditEntry, AuditOrder, AuditQuery, Beat, Change, Changes, CommitError, Cursor,
    EventSubject, Feed, KeyFilter, KeyId, KeyRecord, KeySnapshot, KeyStore, ListQuery, Loaded,
    Lookup, Node, NodeId, Page, ReadFrom, Records, Register, RegisteredNode, Selector, StoreError,
    Subject, SubjectState, Use, Write,
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
    /// Writes down no tags.
    ForgetsTags,
    /// Answers by the present, whatever time is asked for.
    KnowsOnlyThePresent,
    /// Takes what is at a bound for what is before it.
    TakesInTheBound,
    /// Counts keys whose overlap has not ended, though there was none.
    WaitsForTheEndOfNoOverlap,
    /// Keeps tokens after their time.
    TokensForEver,
    /// Knows one scope of tokens.
    OneScope,
    /// Looks for tokens first, and keeps them a moment later.
    LooksForTokensFirst,
    /// Keeps the token of a change that it refuses.
    KeepsTokensOfRefusals,
    /// Revokes what is deleted.
    RevokesTheDeleted,
    /// Leaves the last use of what is deleted.
    LeavesLastUses,
    /// Does not tell of deletions.
    ForgetsDeletions,
    /// Finds as many of one beginning as there are, the newest too.
    FindsTheNewest,
    /// Takes a beginning for a prefix.
    TakesAnyPrefix,
    /// Reads the audit log in one order.
    OldestFirst,
    /// Writes down no owner in the audit log.
    AuditsNoOwner,
}

#[derive(Debug)]
pub(crate) struct Flawed {
    store: MemoryStore,
    flaw: Flaw,
    /// What a store with such a flaw keeps beside the records.
    tokens: Mutex<HashMap<String, KeyId>>,
    uses: Mutex<HashMap<KeyId, SystemTime>>,
}

impl Flawed {
    pub(crate) fn new(flaw: Flaw) -> Self {
        Self {
            store: MemoryStore::default(),
            flaw,
            tokens: Mutex::default(),
            uses: Mutex::default(),
        }
    }

    /// Whatever has a beginning that fits one of those which are asked for.
    async fn beginnings(
        &self,
        by: &Selector,
        fits: fn(&str, &str) -> bool,
    ) -> Result<Vec<KeySnapshot>, StoreError> {
        let Selector::Credential(candidates) = by else {
            return Ok(Vec::new());
        };
        let all = self.list(&ListQuery::new(KeyFilter::all())).await?.keys;
        let asked_for = |key: &KeySnapshot| {
            let lookup = key.record.lookup.as_deref().unwrap_or_default();
            candidates.lookups().iter().any(|ours| fits(ours, lookup))
        };
        Ok(all.into_iter().filter(asked_for).collect())
    }

    /// Refuses the tokens that are known, takes the others out of the change, and gives them.
    fn look_for_tokens(&self, change: &mut Change) -> Result<Vec<(String, KeyId)>, CommitError> {
        let known = self.tokens.lock().unwrap();
        let mut new = Vec::new();
        for write in std::mem::take(&mut change.writes) {
            if let Write::Token(token) = write {
                if let Some(key) = known.get(&token.text) {
                    return Err(CommitError::TokenUsed(key.clone()));
                }
                new.push((token.text, token.key));
            } else {
                change.writes.push(write);
            }
        }
        Ok(new)
    }

    /// Revocations in the place of deletions.
    async fn revoke_the_deleted(&self, change: &mut Change) -> Result<(), CommitError> {
        for write in &mut change.writes {
            if let Write::Delete { key, .. } = write {
                let found = self.store.find(&Selector::Key(key.clone())).await;
                if let Some(mut found) = found.map_err(CommitError::NotCommitted)?.pop() {
                    found.record.revoked_at = Some(change.at);
                    *write = Write::Replace {
                        record: found.record,
                        refound: true,
                    };
                }
            }
        }
        Ok(())
    }
}

/// Whatever records a change writes.
fn records(change: &mut Change) -> impl Iterator<Item = &mut KeyRecord> {
    change.writes.iter_mut().filter_map(|write| match write {
        Write::Insert(record) | Write::Replace { record, .. } => Some(record),
        _ => None,
    })
}

#[async_trait]
impl Lookup for Flawed {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        let mut found = self.store.find(by).await?;
        if self.flaw == Flaw::HidesRevoked {
            found.retain(|key| key.record.revoked_at.is_none());
        }
        match self.flaw {
            Flaw::FindsTheNewest => found = self.beginnings(by, |ours, its| ours == its).await?,
            Flaw::TakesAnyPrefix => {
                found = self
                    .beginnings(by, |ours, its| ours.starts_with(its))
                    .await?;
            }
            Flaw::LeavesLastUses => {
                for key in &mut found {
                    let uses = self.uses.lock().unwrap();
                    key.last_used_at = uses.get(&key.record.id).copied();
                }
            }
            _ => {}
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
            Flaw::ForgetsTags => records(&mut change).for_each(|record| record.tags.clear()),
            Flaw::WaitsForTheEndOfNoOverlap => {
                for record in records(&mut change) {
                    if let Some(successor) = &mut record.successor {
                        let before = successor.until - Duration::from_micros(1);
                        successor.since = successor.since.min(before);
                    }
                }
            }
            Flaw::TokensForEver | Flaw::OneScope => {
                for write in &mut change.writes {
                    let Write::Token(token) = write else { continue };
                    if self.flaw == Flaw::OneScope {
                        token.scope.clear();
                    } else {
                        token.until += Duration::from_secs(1_000_000_000);
                    }
                }
            }
            Flaw::LooksForTokensFirst => {
                let tokens = self.look_for_tokens(&mut change)?;
                tokio::time::sleep(Duration::from_millis(20)).await;
                self.store.commit(&change).await?;
                self.tokens.lock().unwrap().extend(tokens);
                return Ok(());
            }
            Flaw::KeepsTokensOfRefusals => {
                let is_token = |write: &Write| matches!(write, Write::Token(_));
                let (tokens, rows) = change.writes.into_iter().partition(is_token);
                let mut first = Change::new(change.at);
                first.writes = tokens;
                self.store.commit(&first).await?;
                change.writes = rows;
            }
            Flaw::RevokesTheDeleted => self.revoke_the_deleted(&mut change).await?,
            Flaw::AuditsNoOwner => change.audit.iter_mut().for_each(|line| line.owner = None),
            _ => {}
        }
        self.store.commit(&change).await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        let mut query = query.clone();
        let filter = &mut query.filter;
        match self.flaw {
            Flaw::KnowsOnlyThePresent => filter.at = None,
            Flaw::TakesInTheBound => {
                for bound in [
                    &mut filter.created_before,
                    &mut filter.ends_before,
                    &mut filter.over_before,
                ] {
                    *bound = bound.map(|bound| bound + Duration::from_micros(1));
                }
            }
            _ => {}
        }
        let mut page = self.store.list(&query).await?;
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
        let mut query = query.clone();
        if self.flaw == Flaw::OldestFirst {
            query.order = AuditOrder::OldestFirst;
        }
        self.store.audit(&query).await
    }

    async fn touch(&self, uses: &[Use]) -> Result<(), StoreError> {
        let kept = uses.iter().map(|one| (one.key.clone(), one.at));
        self.uses.lock().unwrap().extend(kept);
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
            (Feed::Events(events), Flaw::ForgetsDeletions) => {
                let all = self.list(&ListQuery::new(KeyFilter::all())).await?.keys;
                events.retain(|event| match &event.subject {
                    EventSubject::Key { key, .. } => all.iter().any(|one| one.record.id == *key),
                    _ => true,
                });
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
