use std::collections::HashMap;
use std::time::SystemTime;

use keyward_store::{
    AuditEntry, AuditQuery, AuditRecord, Change, CommitError, Digest, Expectation, KeyCount,
    KeyFilter, KeyHash, KeyId, KeyRecord, KeySnapshot, ListCursor, Owner, PepperId, PublicId,
    Selector, StoreError, Subject, SubjectState, TenantId, Use, Write,
};

use crate::by_age::ByAge;

/// What the store holds, and the ways to it.
#[derive(Default)]
pub(crate) struct Rows {
    // Boxed: a map that grows moves its values, and half of its places are empty.
    records: HashMap<KeyId, Box<KeyRecord>>,
    /// By prefix, then by public id.
    public_ids: HashMap<String, HashMap<PublicId, KeyId>>,
    hashes: HashMap<HashKey, KeyId>,
    all: ByAge<()>,
    tenants: ByAge<TenantId>,
    owners: ByAge<Owner>,
    standings: HashMap<Subject, SubjectState>,
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
                std::iter::once(HashKey::Sha256(*candidates.sha256()))
                    .chain(macs)
                    .filter_map(|hash| self.hashes.get(&hash))
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
    ) -> Vec<KeySnapshot> {
        self.matching(filter, after)
            .take(limit)
            .map(|record| self.snapshot(record))
            .collect()
    }

    pub(crate) fn standing(&self, subject: &Subject) -> SubjectState {
        self.standings.get(subject).cloned().unwrap_or_default()
    }

    pub(crate) fn audit(&self, query: &AuditQuery) -> Vec<AuditEntry> {
        (1..)
            .zip(&self.audit)
            .skip(usize::try_from(query.after).unwrap_or(usize::MAX))
            .filter(|(_, line)| query.key.is_none() || line.key == query.key)
            .filter(|(_, line)| query.tenant.is_none() || line.tenant == query.tenant)
            .take(query.limit)
            .map(|(position, line)| AuditEntry {
                position,
                record: line.clone(),
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
        for (place, expectation) in change.expectations.iter().enumerate() {
            if !self.holds(expectation, change.at)? {
                return Err(CommitError::Expectation(place));
            }
        }
        let mut done = Vec::with_capacity(change.writes.len());
        for write in &change.writes {
            match self.write(write) {
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
                self.counted(of, at).take(bound).count() < bound
            }
            _ => return Err(CommitError::NotCommitted(unknown("expectation"))),
        })
    }

    fn write(&mut self, write: &Write) -> Result<Undo, CommitError> {
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
        self.all.remove((), &record);
        self.tenants.remove(record.tenant.clone(), &record);
        if let Some(owner) = &record.owner {
            self.owners.remove(owner.clone(), &record);
        }
        Some(record)
    }

    fn counted<'a>(
        &'a self,
        count: &'a KeyCount,
        at: SystemTime,
    ) -> impl Iterator<Item = &'a KeyRecord> {
        self.matching(&count.filter, None).filter(move |record| {
            !count.unexpired_only || record.expires_at.is_none_or(|expiry| at < expiry)
        })
    }

    /// The keys that a filter lets through, newest first.
    fn matching<'a>(
        &'a self,
        filter: &'a KeyFilter,
        after: Option<&ListCursor>,
    ) -> impl Iterator<Item = &'a KeyRecord> {
        // An owner has fewer keys than a tenant.
        let ids: Box<dyn Iterator<Item = &KeyId>> = match (&filter.owner, &filter.tenant) {
            (Some(owner), _) => Box::new(self.owners.after(owner, after)),
            (None, Some(tenant)) => Box::new(self.tenants.after(tenant, after)),
            (None, None) => Box::new(self.all.after(&(), after)),
        };
        ids.filter_map(|id| self.records.get(id).map(|record| &**record))
            .filter(|record| filter.tenant.as_ref().is_none_or(|t| *t == record.tenant))
            .filter(|record| filter.revoked || record.revoked_at.is_none())
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
}

/// What a credential leads to its record by.
#[derive(PartialEq, Eq, Hash)]
enum HashKey {
    Sha256(Digest),
    Hmac(PepperId, Digest),
}

impl HashKey {
    fn of(hash: &KeyHash) -> Option<Self> {
        match hash {
            KeyHash::Sha256(digest) => Some(Self::Sha256(*digest)),
            KeyHash::HmacSha256 { pepper, mac } => Some(Self::Hmac(pepper.clone(), *mac)),
            _ => None,
        }
    }
}

fn unknown(what: &str) -> StoreError {
    StoreError::new(format!("the memory store does not know this {what}"))
}
