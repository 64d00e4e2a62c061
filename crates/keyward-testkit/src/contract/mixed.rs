//! Changes of all sorts, one after the other.

use std::collections::{BTreeMap, HashMap};
use std::time::SystemTime;

use keyward_store::{
    AuditAction, Change, CommitError, Expectation, KeyFilter, KeyId, KeyRecord, ListQuery, Records,
    Subject, SubjectState, Token, Write,
};

use super::population::Dice;
use super::sample::{
    audit_of, digest, foreign, hmac, key_id, owner, public_id, record, suspended, tenant, time,
    token,
};
use super::tools::whole_audit;

/// Whatever a change consists of, it is made or refused as a simple account of it says, for the reason
/// that it says; and the store holds what the account holds.
pub async fn changes_of_all_sorts_do_what_they_say(store: impl Records) {
    let mut dice = Dice::new(3);
    let mut account = Account::default();
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for turn in 0..400 {
        let change = account.change(&mut dice, time(turn));
        let (next, expected) = account.commit(&change);
        let outcome = outcome(store.commit(&change).await);
        assert_eq!(outcome, expected, "in turn {turn}: {change:?}");
        *seen.entry(expected.0).or_default() += 1;
        account = next;
        if turn % 4 == 0 || turn > 390 {
            account.is_what(&store).await;
        }
    }
    for sort in ["made", "expectation", "duplicate", "used", "missing"] {
        let times = seen.get(sort).copied().unwrap_or_default();
        assert!(times >= 10, "{seen:?}");
    }
}

/// What became of a change, and the place or the key that it was refused for.
type Outcome = (&'static str, String);

fn outcome(outcome: Result<(), CommitError>) -> Outcome {
    match outcome {
        Ok(()) => ("made", String::new()),
        Err(CommitError::Expectation(place)) => ("expectation", place.to_string()),
        Err(CommitError::Duplicate) => ("duplicate", String::new()),
        Err(CommitError::TokenUsed(key)) => ("used", key.to_string()),
        Err(CommitError::NotCommitted(_)) => ("missing", String::new()),
        Err(error) => panic!("{error:?}"),
    }
}

/// What a store should hold.
#[derive(Clone, Default)]
struct Account {
    keys: BTreeMap<KeyId, KeyRecord>,
    standings: HashMap<Subject, SubjectState>,
    tokens: HashMap<String, Token>,
    lines: usize,
}

const NAMES: u64 = 8;
const TOKENS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

impl Account {
    fn change(&self, dice: &mut Dice, at: SystemTime) -> Change {
        let mut change = Change::new(at);
        for _expectation in 0..dice.roll(3) {
            change.expectations.push(self.expectation(dice));
        }
        for _write in 0..=dice.roll(3) {
            change.writes.push(self.write(dice, at));
        }
        if dice.roll(2) == 0 {
            change
                .audit
                .push(audit_of(&record(1), AuditAction::Updated));
        }
        change
    }

    /// One that holds, mostly.
    fn expectation(&self, dice: &mut Dice) -> Expectation {
        let off = u64::from(dice.roll(6) == 0);
        match dice.roll(3) {
            0 => {
                let subject = subject(dice);
                let is = self.standing(&subject).revision + off;
                Expectation::SubjectRevision { subject, is }
            }
            1 => {
                let of = KeyFilter::all().tenant(dice.pick(&["t1", "t2"]));
                let than = u64::try_from(self.count(&of)).unwrap() + 1 - off;
                Expectation::Fewer { than, of }
            }
            _ => {
                let there = self
                    .keys
                    .values()
                    .nth(usize::try_from(dice.roll(NAMES)).unwrap());
                let key = there.map_or_else(|| key_id(99), |record| record.id.clone());
                let is = there.map_or(1, |record| record.revision) + off;
                Expectation::Revision { key, is }
            }
        }
    }

    fn write(&self, dice: &mut Dice, at: SystemTime) -> Write {
        match dice.roll(10) {
            0..3 => Write::Insert(any_record(dice)),
            3..6 => {
                let mut record = any_record(dice);
                let before = self.keys.get(&record.id);
                record.revision = before.map_or(1, |before| before.revision) + 1;
                let refound = true;
                Write::Replace { record, refound }
            }
            6 => {
                let subject = subject(dice);
                let mut state = suspended(self.standing(&subject).revision + 1);
                state.role = Some(dice.roll(9).to_string());
                Write::Standing { subject, state }
            }
            7 => {
                let until = at + std::time::Duration::from_micros(dice.roll(40));
                Write::Token(token(dice.pick(&TOKENS), dice.roll(NAMES), until))
            }
            _ => {
                let key = key_id(dice.roll(NAMES));
                let public_id = self.keys.get(&key).and_then(|record| record.public_id);
                Write::Delete { key, public_id }
            }
        }
    }

    /// What there is afterwards, and what becomes of the change.
    fn commit(&self, change: &Change) -> (Self, Outcome) {
        let mut next = self.clone();
        match next.make(change) {
            Ok(()) => (next, ("made", String::new())),
            Err(refused) => (self.clone(), refused),
        }
    }

    fn make(&mut self, change: &Change) -> Result<(), Outcome> {
        for write in &change.writes {
            if let Write::Token(token) = write {
                self.is_unused(token, change.at)?;
            }
        }
        for (place, expectation) in change.expectations.iter().enumerate() {
            let holds = match expectation {
                Expectation::Revision { key, is } => self
                    .keys
                    .get(key)
                    .is_some_and(|record| record.revision == *is),
                Expectation::SubjectRevision { subject, is } => {
                    self.standing(subject).revision == *is
                }
                Expectation::Fewer { than, of } => u64::try_from(self.count(of)).unwrap() < *than,
                other => panic!("{other:?}"),
            };
            if !holds {
                return Err(("expectation", place.to_string()));
            }
        }
        for write in &change.writes {
            self.write_down(write, change.at)?;
        }
        self.lines += change.audit.len();
        Ok(())
    }

    fn write_down(&mut self, write: &Write, at: SystemTime) -> Result<(), Outcome> {
        let missing = || ("missing", String::new());
        match write {
            Write::Insert(record) => {
                let taken = self.keys.contains_key(&record.id);
                if taken || self.clashes(record) {
                    return Err(("duplicate", String::new()));
                }
                self.keys.insert(record.id.clone(), record.clone());
            }
            Write::Replace { record, .. } => {
                self.keys.remove(&record.id).ok_or_else(missing)?;
                if self.clashes(record) {
                    return Err(("duplicate", String::new()));
                }
                self.keys.insert(record.id.clone(), record.clone());
            }
            Write::Standing { subject, state } => {
                self.standings.insert(subject.clone(), state.clone());
            }
            Write::Token(token) => {
                self.is_unused(token, at)?;
                self.tokens.insert(token.text.clone(), token.clone());
            }
            Write::Delete { key, .. } => {
                self.keys.remove(key).ok_or_else(missing)?;
            }
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    fn is_unused(&self, token: &Token, at: SystemTime) -> Result<(), Outcome> {
        match self.tokens.get(&token.text) {
            Some(used) if used.until > at => Err(("used", used.key.to_string())),
            _ => Ok(()),
        }
    }

    fn clashes(&self, record: &KeyRecord) -> bool {
        let same_id =
            |other: &KeyRecord| other.public_id.is_some() && other.public_id == record.public_id;
        let mut others = self.keys.values();
        others.any(|other| other.hash == record.hash || same_id(other))
    }

    fn count(&self, of: &KeyFilter) -> usize {
        let keys = self.keys.values();
        keys.filter(|key| of.admits(key, None, time(0))).count()
    }

    fn standing(&self, subject: &Subject) -> SubjectState {
        self.standings.get(subject).cloned().unwrap_or_default()
    }

    async fn is_what(&self, store: &impl Records) {
        let listed = store.list(&ListQuery::new(KeyFilter::all())).await.unwrap();
        let mut keys = BTreeMap::new();
        for key in listed.keys {
            let standing = self.standing(&Subject::Tenant(key.record.tenant.clone()));
            assert_eq!(key.tenant, standing);
            keys.insert(key.record.id.clone(), key.record);
        }
        assert_eq!(keys, self.keys);
        for subject in subjects() {
            let standing = store.standing(&subject).await.unwrap();
            assert_eq!(standing, self.standing(&subject));
        }
        assert_eq!(whole_audit(store).await.len(), self.lines);
    }
}

/// One of few of everything, so that many clash.
fn any_record(dice: &mut Dice) -> KeyRecord {
    let mut record = record(dice.roll(20));
    record.id = key_id(dice.roll(NAMES));
    record.tenant = dice.pick(&["t1", "t2", "t3"]).into();
    record.public_id = (dice.roll(3) > 0).then(|| public_id(dice.roll(30)));
    let hash = dice.roll(30);
    record.hash = match dice.roll(3) {
        0 => hmac("old", digest(hash)),
        1 => foreign("sha1", &hash.to_string()),
        _ => record.hash,
    };
    record
}

fn subjects() -> [Subject; 3] {
    [tenant("t1"), tenant("t2"), owner("user", "1")]
}

fn subject(dice: &mut Dice) -> Subject {
    let place = usize::try_from(dice.roll(3)).unwrap();
    subjects()[place].clone()
}
