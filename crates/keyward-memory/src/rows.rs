use std::collections::{BTreeSet, HashMap};
use std::time::SystemTime;

use keyward_store::{
    AuditEntry, AuditOrder, AuditQuery, AuditRecord, Change, CommitError, Digest, Expectation,
    ForeignHash, KeyFilter, KeyHash, KeyId, KeyRecord, KeySnapshot, ListCursor,
    MAX_LOOKUP_CANDIDATES, Owner, PepperId, PublicId, Selector, StoreError, Subject, SubjectState,
    TenantId, Token, Use, Write,
};

use crate::by_age::ByAge;
use crate::tokens::Tokens;

/// What the store holds, and the ways to it.
#[derive(Default)]
pub(crate) struct Rows {
    // Boxed: a map that grows moves its values, and half of its places are empty.
    records: HashMap<KeyId, Box<KeyRecord>>,
    /// By prefix, then by public id.
    public_ids: HashMap<String, HashMap<PublicId, KeyId>>,
    hashes: HashMap<HashKey, KeyId>,
    /// By the beginning of the key, oldest first.
    lookups: HashMap<String, BTreeSet<(SystemTime, KeyId)>>,
    all: ByAge<()>,
    tenants: ByAge<TenantId>,
    owners: ByAge<Owner>,
    standings: HashMap<Subject, SubjectState>,
    tokens: Tokens,
    /// Apart from the records, which a use must not change.
    last_used: HashMap<KeyId, SystemTime>,
    /// The line at index `n` has position `n + 1`.
    audit: Vec<AuditRecord>,
}

impl Rows {
    pub(crate) fn keys(&self) -> usize {
        self.records.len()
    }

    pub(crate) fn standings(&self) -> usize {
        self.standings.len()
    }

    pub(crate) fn audit_lines(&self) -> usize {
        self.audit.len()
    }

    pub(crate) fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        let ids: Vec<&KeyId> = match by {
            Selector::Key(id) => vec![id],
            Selector::PublicId { prefix, id } => {
                let ids = self.public_ids.get(&**prefix);
                ids.and_then(|ids| ids.get(id)).into_iter().collect()
            }
            Selector::Credential(candidates) => {
                let macs = candidates.macs().iter();
                let macs = macs.map(|(pepper, mac)| HashKey::Hmac(pepper.clone(), *mac));
                let foreign = candidates.foreign().iter().cloned();
                let begins = candidates.lookups().iter();
                let begins = begins.filter_map(|lookup| self.lookups.get(&**lookup));
                let begins = begins.flat_map(|keys| keys.iter().take(MAX_LOOKUP_CANDIDATES));
                std::iter::once(HashKey::Sha256(*candidates.sha256()))
                    .chain(macs)
                    .chain(foreign.map(HashKey::Foreign))
                    .filter_map(|hash| self.hashes.get(&hash))
                    .chain(begins.map(|(_, id)| id))
                    .collect::<BTreeSet<_>>()
                    .into_iter()
                    .collect()
            }
            _ => return Err(unknown("selector")),
        };
        let records = ids.into_iter().filter_map(|id| self.records.get(id));
        Ok(records.map(|record| self.snapshot(record)).collect())
    }

    pub(crate) fn list(
        &self,
        filter: &KeyFilter,
        after: Option<&ListCursor>,
        limit: usize,
        now: SystemTime,
    ) -> Vec<KeySnapshot> {
        self.matching(filter, after, now)
            .take(limit)
            .map(|record| self.snapshot(record))
            .collect()
    }

    pub(crate) fn standing(&self, subject: &Subject) -> SubjectState {
        self.standings.get(subject).cloned().unwrap_or_default()
    }

    pub(crate) fn audit(&self, query: &AuditQuery) -> Vec<AuditEntry> {
        let is_meant = |line: &AuditRecord| {
            (query.key.is_none() || line.key == query.key)
                && (query.tenant.is_none() || line.tenant == query.tenant)
                && (query.owner.is_none() || line.owner == query.owner)
        };
        let place = |position| usize::try_from(position).unwrap_or(usize::MAX);
        let all = self.audit.len();
        let places: Box<dyn Iterator<Item = usize>> = match (query.order, query.after) {
            (AuditOrder::OldestFirst, after) => Box::new(after.map_or(0, place)..all),
            // Position `n` has place `n - 1`.
            (_, after) => {
                let end = after.map_or(all, |position| place(position).saturating_sub(1));
                Box::new((0..end.min(all)).rev())
            }
        };
        let lines = places.filter_map(|place| Some((place, self.audit.get(place)?)));
        let meant = lines.filter(|(_, line)| is_meant(line)).take(query.limit);
        meant
            .filter_map(|(place, line)| {
                Some(AuditEntry {
                    position: u64::try_from(place).ok()? + 1,
                    record: line.clone(),
                })
            })
            .collect()
    }

    pub(crate) fn touch(&mut self, uses: &[Use]) {
        for Use { key, at } in uses {
            if self.records.contains_key(key) {
                let last = self.last_used.entry(key.clone()).or_insert(*at);
                *last = (*last).max(*at);
            }
        }
    }

    /// Makes the change, or leaves everything as it was.
    pub(crate) fn commit(&mut self, change: &Change) -> Result<(), CommitError> {
        for write in &change.writes {
            if let Write::Token(token) = write
                && let Some(key) = self.tokens.used(token, change.at)
            {
                return Err(CommitError::TokenUsed(key.clone()));
            }
        }
        for (place, expectation) in change.expectations.iter().enumerate() {
            if !self.holds(expectation, change.at)? {
                return Err(CommitError::Expectation(place));
            }
        }
        let mut done = Vec::with_capacity(change.writes.len());
        for write in &change.writes {
            match self.write(write, change.at) {
                Ok(undo) => done.push(undo),
                Err(error) => {
                    for undo in done.into_iter().rev() {
                        self.undo(undo);
                    }
                    return Err(error);
                }
            }
        }
        self.audit.extend(change.audit.iter().cloned());
        self.tokens.sweep(change.at);
        Ok(())
    }

    fn holds(&self, expectation: &Expectation, at: SystemTime) -> Result<bool, CommitError> {
        Ok(match expectation {
            Expectation::Revision { key, is } => {
                let record = self.records.get(key);
                record.is_some_and(|record| record.revision == *is)
            }
            Expectation::SubjectRevision { subject, is } => self.standing(subject).revision == *is,
            Expectation::Fewer { than, of } => {
                let bound = usize::try_from(*than).unwrap_or(usize::MAX);
                self.matching(of, None, at).take(bound).count() < bound
            }
            _ => return Err(CommitError::NotCommitted(unknown("expectation"))),
        })
    }

    fn write(&mut self, write: &Write, at: SystemTime) -> Result<Undo, CommitError> {
        match write {
            Write::Insert(record) => {
                self.check_free(record)?;
                self.put(Box::new(record.clone()));
                Ok(Undo::Insert(record.id.clone()))
            }
            Write::Replace { record, .. } => {
                let Some(before) = self.take(&record.id) else {
                    return Err(CommitError::NotCommitted(StoreError::new(
                        "the record to replace does not exist",
                    )));
                };
                if let Err(error) = self.check_free(record) {
                    self.put(before);
                    return Err(error);
                }
                self.put(Box::new(record.clone()));
                Ok(Undo::Replace(before))
            }
            Write::Standing { subject, state } => {
                let before = self.standings.insert(subject.clone(), state.clone());
                Ok(Undo::Standing(subject.clone(), before))
            }
            Write::Token(token) => {
                if let Some(key) = self.tokens.used(token, at) {
                    return Err(CommitError::TokenUsed(key.clone()));
                }
                Ok(Undo::Token(token.clone(), self.tokens.put(token)))
            }
            Write::Delete { key, .. } => {
                let Some(before) = self.take(key) else {
                    return Err(CommitError::NotCommitted(StoreError::new(
                        "the record to delete does not exist",
                    )));
                };
                Ok(Undo::Delete(before, self.last_used.remove(key)))
            }
            _ => Err(CommitError::NotCommitted(unknown("write"))),
        }
    }

    fn undo(&mut self, undo: Undo) {
        match undo {
            Undo::Insert(id) => {
                self.take(&id);
            }
            Undo::Replace(before) => {
                self.take(&before.id);
                self.put(before);
            }
            Undo::Standing(subject, Some(before)) => {
                self.standings.insert(subject, before);
            }
            Undo::Standing(subject, None) => {
                self.standings.remove(&subject);
            }
            Undo::Token(token, before) => {
                self.tokens.take(&token);
                if let Some(before) = before {
                    self.tokens.put(&before);
                }
            }
            Undo::Delete(before, used) => {
                if let Some(used) = used {
                    self.last_used.insert(before.id.clone(), used);
                }
                self.put(before);
            }
        }
    }

    /// Whether a record can be put: nothing of it may be found already.
    fn check_free(&self, record: &KeyRecord) -> Result<(), CommitError> {
        let hash =
            HashKey::of(&record.hash).ok_or_else(|| CommitError::NotCommitted(unknown("hash")))?;
        let ids = self.public_ids.get(&record.prefix);
        let same_id = |id| ids.is_some_and(|ids| ids.contains_key(&id));
        if self.records.contains_key(&record.id)
            || self.hashes.contains_key(&hash)
            || record.public_id.is_some_and(same_id)
        {
            return Err(CommitError::Duplicate);
        }
        Ok(())
    }

    fn put(&mut self, record: Box<KeyRecord>) {
        if let Some(public_id) = record.public_id {
            let ids = self.public_ids.entry(record.prefix.clone()).or_default();
            ids.insert(public_id, record.id.clone());
        }
        if let Some(hash) = HashKey::of(&record.hash) {
            self.hashes.insert(hash, record.id.clone());
        }
        if let Some(lookup) = &record.lookup {
            let keys = self.lookups.entry(lookup.clone()).or_default();
            keys.insert((record.created_at, record.id.clone()));
        }
        self.all.insert((), &record);
        self.tenants.insert(record.tenant.clone(), &record);
        if let Some(owner) = &record.owner {
            self.owners.insert(owner.clone(), &record);
        }
        self.records.insert(record.id.clone(), record);
    }

    fn take(&mut self, id: &KeyId) -> Option<Box<KeyRecord>> {
        let record = self.records.remove(id)?;
        if let Some(public_id) = record.public_id
            && let Some(ids) = self.public_ids.get_mut(&record.prefix)
        {
            ids.remove(&public_id);
        }
        if let Some(hash) = HashKey::of(&record.hash) {
            self.hashes.remove(&hash);
        }
        if let Some(lookup) = &record.lookup
            && let Some(keys) = self.lookups.get_mut(lookup)
        {
            keys.remove(&(record.created_at, record.id.clone()));
            if keys.is_empty() {
                self.lookups.remove(lookup);
            }
        }
        self.all.remove((), &record);
        self.tenants.remove(record.tenant.clone(), &record);
        if let Some(owner) = &record.owner {
            self.owners.remove(owner.clone(), &record);
        }
        Some(record)
    }

    /// The keys that a filter lets through, newest first.
    fn matching<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&ListCursor>,
        now: SystemTime,
    ) -> impl Iterator<Item = &'a KeyRecord> {
        // An owner has fewer keys than a tenant, and a beginning has very few.
        let ids: Box<dyn Iterator<Item = &KeyId>> =
            match (&filter.lookup, &filter.owner, &filter.tenant) {
                (Some(lookup), ..) => Box::new(self.begun_by(lookup, after.cloned())),
                (None, Some(owner), _) => Box::new(self.owners.after(owner, after)),
                (None, None, Some(tenant)) => Box::new(self.tenants.after(tenant, after)),
                (None, None, None) => Box::new(self.all.after(&(), after)),
            };
        ids.filter_map(|id| self.records.get(id).map(|record| &**record))
            .filter(move |record| {
                let used = self.last_used.get(&record.id).copied();
                filter.admits(record, used, now)
            })
    }

    /// The keys of a beginning, newest first.
    fn begun_by(&self, lookup: &str, after: Option<ListCursor>) -> impl Iterator<Item = &KeyId> {
        let keys = self.lookups.get(lookup).into_iter();
        let newest_first = keys.flat_map(|keys| keys.iter().rev());
        newest_first.filter_map(move |(created_at, key)| {
            let behind = after
                .as_ref()
                .is_none_or(|after| (*created_at, key) < (after.created_at, &after.key));
            behind.then_some(key)
        })
    }

    fn snapshot(&self, record: &KeyRecord) -> KeySnapshot {
        let mut snapshot = KeySnapshot::from(record.clone());
        snapshot.tenant = self.standing(&Subject::Tenant(record.tenant.clone()));
        if let Some(owner) = &record.owner {
            snapshot.owner = self.standing(&Subject::Owner(owner.clone()));
        }
        snapshot.last_used_at = self.last_used.get(&record.id).copied();
        snapshot
    }
}

/// How to take back a write.
enum Undo {
    Insert(KeyId),
    Replace(Box<KeyRecord>),
    Standing(Subject, Option<SubjectState>),
    Token(Token, Option<Token>),
    Delete(Box<KeyRecord>, Option<SystemTime>),
}

/// What a credential leads to its record by.
#[derive(PartialEq, Eq, Hash)]
enum HashKey {
    Sha256(Digest),
    Hmac(PepperId, Digest),
    Foreign(ForeignHash),
}

impl HashKey {
    fn of(hash: &KeyHash) -> Option<Self> {
        match hash {
            KeyHash::Sha256(digest) => Some(Self::Sha256(*digest)),
            KeyHash::HmacSha256 { pepper, mac } => Some(Self::Hmac(pepper.clone(), *mac)),
            KeyHash::Foreign(hash) => Some(Self::Foreign(hash.clone())),
            _ => None,
        }
    }
}

fn unknown(what: &str) -> StoreError {
    StoreError::new(format!("the memory store does not know this {what}"))
}
