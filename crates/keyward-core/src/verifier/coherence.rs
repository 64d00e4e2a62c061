//! What this node may believe: the four rules' shared memory.
//!
//! Every answer of the store carries the version it was read at and the moment it was asked for.
//! Nothing is ever removed to invalidate it: a minimum is raised, and whatever was read below it is
//! not believed any more, wherever it lies and whenever it arrives.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use keyward_store::{
    BootTime, Clock, Event, EventSubject, HistoryId, KeyId, Loaded, Origin, Owner, PublicId,
    TenantId, Writers,
};

use super::lease::{Lease, SentBeat};

/// The version of an answer: which history of changes, and how many of them it includes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(u64);

impl Version {
    /// `None` when the number is larger than any store may count to.
    fn new(history: u64, number: u64) -> Option<Self> {
        let fits = number <= Event::MAX_NUMBER && history < 1 << (u64::BITS - NUMBER_BITS);
        fits.then_some(Self(history << NUMBER_BITS | number))
    }

    /// Below every floor that there is once a poll has been applied.
    const NEVER: Self = Self(0);
}

const NUMBER_BITS: u32 = 44;

/// What an answer carries so that it can be believed, or not, at any later time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    version: Version,
    /// Until when its own age vouches for it.
    until: BootTime,
    bound: Bound,
}

impl Stamp {
    /// That of two answers which are only good together. The same minimums bear on both.
    pub(crate) fn weaker(self, other: Self) -> Self {
        Self {
            version: self.version.min(other.version),
            until: self.until.min(other.until),
            bound: self.bound,
        }
    }
}

/// Which minimums bear on an answer.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Bound {
    /// Those of a record, of its owner and of its tenant.
    Record { key: u32, owner: u32, tenant: u32 },
    /// That of a public id which nothing bore.
    PublicId(u32),
    /// That of all credentials which nothing matched.
    Credentials,
}

/// When, in which chain and under which history a question was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) at: BootTime,
    chain: u64,
    history: u64,
    id: HistoryId,
}

#[derive(Debug)]
pub(crate) struct Coherence {
    clock: Clock,
    lease: Lease,
    /// Counts the times that history changed; the poller alone writes it.
    history: AtomicU64,
    /// The store's name for the present history.
    history_id: AtomicU64,
    /// The largest version that any answer stated.
    told: AtomicU64,
    /// The version that the last poll led to.
    heard: AtomicU64,
    /// When history changed last, other than from none.
    replaced: AtomicU64,
    floor: AtomicU64,
    keys: Box<[AtomicU64]>,
    owners: Box<[AtomicU64]>,
    tenants: Box<[AtomicU64]>,
    credentials: AtomicU64,
}

impl Coherence {
    pub(crate) fn new(clock: Clock, lease_length: Duration) -> Self {
        let stripes = |count: u32| (0..count).map(|_| AtomicU64::new(0)).collect();
        Self {
            clock,
            lease: Lease::new(lease_length),
            history: AtomicU64::new(0),
            history_id: AtomicU64::new(0),
            told: AtomicU64::new(0),
            heard: AtomicU64::new(0),
            replaced: AtomicU64::new(0),
            floor: AtomicU64::new(0),
            keys: stripes(KEY_STRIPES),
            owners: stripes(SUBJECT_STRIPES),
            tenants: stripes(SUBJECT_STRIPES),
            credentials: AtomicU64::new(0),
        }
    }

    /// Rule 1. The answer is in hand when this is called, then comes the time, then the version: in
    /// the other order a change could slip in between. Says when, if it is believed.
    #[inline]
    pub(crate) fn believe(&self, stamp: &Stamp) -> Option<BootTime> {
        let now = self.clock.boot();
        if now >= stamp.until && now >= self.lease.until() {
            return None;
        }
        let minimum = self.floor.load(Ordering::SeqCst).max(match stamp.bound {
            Bound::Record { key, owner, tenant } => minimum(&self.keys, key)
                .max(minimum(&self.owners, owner))
                .max(minimum(&self.tenants, tenant)),
            Bound::PublicId(stripe) => minimum(&self.keys, stripe),
            Bound::Credentials => self.credentials.load(Ordering::SeqCst),
        });
        (stamp.version.0 >= minimum).then_some(now)
    }

    /// After this time without news, nothing that is known now is believed any more.
    pub(crate) fn longest_trust(&self) -> Duration {
        self.lease.longest_trust()
    }

    /// Whether there is any use in asking: without contact, no answer is believed.
    pub(crate) fn is_in_contact(&self) -> bool {
        self.lease.is_in_contact(self.clock.boot())
    }

    /// Called right before a question leaves.
    pub(crate) fn send(&self) -> Sent {
        Sent {
            at: self.clock.boot(),
            chain: self.lease.chain(),
            // The count before the name: it is the last to change, so that a new one is never
            // taken with an old name.
            history: self.history.load(Ordering::SeqCst),
            id: HistoryId::new(self.history_id.load(Ordering::SeqCst)),
        }
    }

    /// The stamp of an answer to a question; `None` when its number makes no sense.
    pub(crate) fn stamp(&self, sent: Sent, loaded: &Loaded, bound: Bound) -> Option<Stamp> {
        // Age counts from when the question was sent: the answer may have been on its way for long.
        let until = match loaded.origin {
            Origin::Primary => self.lease.vouch(sent.at, sent.chain, self.lease.length()),
            Origin::Unwatched(age) => {
                self.lease.note_age(age);
                self.lease.vouch(sent.at, sent.chain, age)
            }
            // A replica may lag by any time.
            _ => BootTime::ZERO,
        };
        // Of another history than the last poll told of, its number means nothing: it comes from a
        // server that was promoted, or from one that was left behind.
        let version = Version::new(sent.history, loaded.number)?;
        let known = loaded.history == sent.id;
        if known {
            raise(&self.told, version.0);
        }
        Some(Stamp {
            version: if known { version } else { Version::NEVER },
            until,
            bound,
        })
    }

    /// Rule 3, where history goes on: raises the minimum of everything that an event names.
    pub(crate) fn apply(&self, event: &Event) {
        let history = self.history.load(Ordering::SeqCst);
        let Some(Version(version)) = Version::new(history, event.number) else {
            // A number beyond all counting: nothing read so far may be believed.
            raise(&self.floor, u64::MAX);
            return;
        };
        match &event.subject {
            EventSubject::Key {
                key,
                public_ids,
                refound,
            } => {
                raise_stripe(&self.keys, key_stripe(key), version);
                for id in public_ids {
                    raise_stripe(&self.keys, public_id_stripe(id), version);
                }
                if *refound {
                    raise(&self.credentials, version);
                }
            }
            EventSubject::Owner(owner) => {
                raise_stripe(&self.owners, owner_stripe(Some(owner)), version);
            }
            EventSubject::Tenant(tenant) => {
                raise_stripe(&self.tenants, tenant_stripe(tenant), version);
            }
            // `All`, and whatever this version does not know.
            _ => raise(&self.floor, version),
        }
    }

    /// Rule 3, where history changed: drops everything, and every answer that is still on its way.
    pub(crate) fn history_changed(&self, id: HistoryId, number: u64) {
        let history = self.history.load(Ordering::SeqCst).saturating_add(1);
        let floor = Version::new(history, number).map_or(u64::MAX, |version| version.0);
        // The floor first: what is asked in between bears the old count and is not believed.
        raise(&self.floor, floor);
        if history > 1 {
            let now = self.clock.boot().as_nanos();
            self.replaced.store(now, Ordering::SeqCst);
        }
        self.history_id.store(id.as_u64(), Ordering::SeqCst);
        self.history.store(history, Ordering::SeqCst);
    }

    /// Whether the present history has been there for as long as anything is believed. Before, the
    /// register may lack nodes: a server that took over may not have had their last beats.
    pub(crate) fn is_settled(&self) -> bool {
        let replaced = BootTime::from_nanos(self.replaced.load(Ordering::SeqCst));
        replaced == BootTime::ZERO || self.clock.boot() >= replaced.after(self.longest_trust())
    }

    /// Whether a poll tells of another history than the one before.
    pub(crate) fn is_other_history(&self, id: HistoryId) -> bool {
        self.history_id.load(Ordering::SeqCst) != id.as_u64()
    }

    /// Rule 3, last of all: a poll that was sent then has been applied up to that change, and extends
    /// the lease if the history holds everyone's changes.
    pub(crate) fn polled(&self, sent: Sent, number: u64, writers: Writers) {
        let history = self.history.load(Ordering::SeqCst);
        if let Some(Version(heard)) = Version::new(history, number) {
            self.heard.store(heard, Ordering::SeqCst);
        }
        match writers {
            Writers::All => self.lease.polled(sent.at, sent.chain),
            Writers::ThisProcess { max_age } => self.lease.note_age(max_age),
            // What this version does not know vouches for nothing.
            _ => {}
        }
    }

    /// When what is cached is not believed any more, unless there is news.
    pub(crate) fn lease_end(&self) -> BootTime {
        self.lease.until()
    }

    /// How many changes of the present history an answer has told of, and no poll yet.
    pub(crate) fn behind(&self) -> u64 {
        let heard = self.heard.load(Ordering::SeqCst);
        let told = self.told.load(Ordering::SeqCst);
        if told >> NUMBER_BITS == heard >> NUMBER_BITS {
            told.saturating_sub(heard)
        } else {
            0
        }
    }

    /// Called right before a beat leaves.
    pub(crate) fn send_beat(&self) -> SentBeat {
        SentBeat {
            at: self.clock.boot(),
            trust: self.lease.longest_trust(),
        }
    }

    /// A beat was answered; the row was made by that one. Says whether this began a new chain.
    pub(crate) fn beaten(&self, sent: SentBeat, row: u64) -> bool {
        self.lease.beaten(sent, row)
    }

    /// Believes nothing any more: nothing cached, nothing on its way, nothing that is still to come.
    pub(crate) fn stop(&self) {
        raise(&self.floor, u64::MAX);
        self.lease.stop();
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.lease.is_stopped()
    }
}

impl Bound {
    pub(crate) fn record(key: &KeyId, owner: Option<&Owner>, tenant: &TenantId) -> Self {
        Self::Record {
            key: key_stripe(key),
            owner: owner_stripe(owner),
            tenant: tenant_stripe(tenant),
        }
    }

    pub(crate) fn public_id(id: &PublicId) -> Self {
        Self::PublicId(public_id_stripe(id))
    }
}

fn key_stripe(key: &KeyId) -> u32 {
    stripe(key.as_str(), KEY_STRIPES)
}

fn public_id_stripe(id: &PublicId) -> u32 {
    stripe(id.as_str(), KEY_STRIPES)
}

fn owner_stripe(owner: Option<&Owner>) -> u32 {
    stripe(owner, SUBJECT_STRIPES)
}

fn tenant_stripe(tenant: &TenantId) -> u32 {
    stripe(tenant, SUBJECT_STRIPES)
}

/// Names that share a stripe are only reloaded more often than need be.
fn stripe(name: impl Hash, stripes: u32) -> u32 {
    let mut hasher = DefaultHasher::new();
    name.hash(&mut hasher);
    let folded = hasher.finish() % u64::from(stripes);
    u32::try_from(folded).unwrap_or_default()
}

#[inline]
fn minimum(stripes: &[AtomicU64], stripe: u32) -> u64 {
    // A stripe beyond the end does not occur; if it did, nothing would be believed.
    stripes
        .get(stripe as usize)
        .map_or(u64::MAX, |stripe| stripe.load(Ordering::SeqCst))
}

fn raise(minimum: &AtomicU64, to: u64) {
    minimum.fetch_max(to, Ordering::SeqCst);
}

fn raise_stripe(stripes: &[AtomicU64], stripe: u32, to: u64) {
    if let Some(minimum) = stripes.get(stripe as usize) {
        raise(minimum, to);
    }
}

const KEY_STRIPES: u32 = 65_536;
const SUBJECT_STRIPES: u32 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);

    fn node() -> (Coherence, keyward_store::ManualClock) {
        let (clock, hand) = Clock::manual();
        let node = Coherence::new(clock, LEASE);
        // In contact all the time, at first.
        let mut beat = node.send_beat();
        beat.trust = Duration::from_secs(3_600);
        node.beaten(beat, 1);
        node.history_changed(HISTORY, 0);
        (node, hand)
    }

    /// What a store of history 7 answers.
    fn answer(number: u64, origin: Origin) -> Loaded {
        let now = std::time::SystemTime::UNIX_EPOCH;
        Loaded::new(Vec::new(), HISTORY, number, now).from_origin(origin)
    }

    const HISTORY: HistoryId = HistoryId::new(7);

    fn key_event(number: u64, key: &KeyId, refound: bool) -> Event {
        let subject = EventSubject::Key {
            key: key.clone(),
            public_ids: vec![PublicId::new("abc").unwrap()],
            refound,
        };
        Event::new(number, subject)
    }

    #[test]
    fn an_answer_lives_by_its_age_or_by_the_lease() {
        let (node, hand) = node();
        let bound = Bound::record(&KeyId::from(1), None, &"t".into());
        let stamp = |origin| node.stamp(node.send(), &answer(0, origin), bound).unwrap();
        let (primary, replica) = (stamp(Origin::Primary), stamp(Origin::Replica));
        let unwatched = stamp(Origin::Unwatched(Duration::from_secs(60)));
        assert!(node.believe(&primary).is_some());
        assert!(node.believe(&replica).is_none());
        hand.advance(LEASE - Duration::from_nanos(1));
        assert!(node.believe(&primary).is_some());
        let poll = node.send();
        hand.advance(Duration::from_nanos(1));
        assert!(node.believe(&primary).is_none());
        assert!(node.believe(&unwatched).is_some());
        node.polled(poll, 0, Writers::All);
        assert!(node.believe(&primary).is_some());
        assert!(node.believe(&replica).is_some());
        hand.advance(LEASE - Duration::from_nanos(1));
        assert!(
            node.believe(&primary).is_none(),
            "the lease counts from when the poll was sent"
        );
    }

    #[test]
    fn an_event_reaches_what_it_names_and_no_more() {
        let (node, _hand) = node();
        let (one, two) = (KeyId::from(1), KeyId::from(2));
        let owner = Owner::new("user", "7");
        let stamp = |number, bound| {
            node.stamp(node.send(), &answer(number, Origin::Primary), bound)
                .unwrap()
        };
        let of_one = stamp(3, Bound::record(&one, Some(&owner), &"t".into()));
        let of_two = stamp(3, Bound::record(&two, None, &"u".into()));
        let absent_id = stamp(3, Bound::public_id(&PublicId::new("abc").unwrap()));
        let absent = stamp(3, Bound::Credentials);
        let believed =
            || [&of_one, &of_two, &absent_id, &absent].map(|stamp| node.believe(stamp).is_some());
        node.apply(&key_event(3, &one, true));
        assert_eq!(believed(), [true; 4], "they include change 3");
        node.apply(&key_event(4, &one, false));
        assert_eq!(believed(), [false, true, false, true]);
        node.apply(&key_event(5, &KeyId::from(9), true));
        assert_eq!(believed(), [false, true, false, false]);
        node.apply(&Event::new(6, EventSubject::Tenant("u".into())));
        assert_eq!(believed(), [false; 4]);
        let again = stamp(6, Bound::record(&one, Some(&owner), &"t".into()));
        assert!(node.believe(&again).is_some());
        node.apply(&Event::new(7, EventSubject::Owner(owner.clone())));
        assert!(node.believe(&again).is_none());
    }

    #[test]
    fn a_changed_history_drops_answers_that_are_still_on_their_way() {
        let (node, _hand) = node();
        let bound = Bound::record(&KeyId::from(1), None, &"t".into());
        let sent = node.send();
        node.history_changed(HISTORY, 2);
        // The number is larger, but it counts in the history that is gone.
        let late = node
            .stamp(sent, &answer(900, Origin::Primary), bound)
            .unwrap();
        assert!(node.believe(&late).is_none());
        let fresh = node
            .stamp(node.send(), &answer(2, Origin::Primary), bound)
            .unwrap();
        assert!(node.believe(&fresh).is_some());
    }

    #[test]
    fn numbers_beyond_counting_are_not_believed() {
        let (node, _hand) = node();
        let bound = Bound::Credentials;
        assert!(
            node.stamp(
                node.send(),
                &answer(1 << NUMBER_BITS, Origin::Primary),
                bound
            )
            .is_none()
        );
        let good = node
            .stamp(node.send(), &answer(1, Origin::Primary), bound)
            .unwrap();
        node.apply(&Event::new(u64::MAX, EventSubject::All));
        assert!(node.believe(&good).is_none());
    }

    /// A standby was promoted, and another that was left behind still answers, with larger numbers.
    #[test]
    fn an_answer_from_another_history_is_not_believed() {
        let (node, _hand) = node();
        let bound = Bound::record(&KeyId::from(1), None, &"t".into());
        let promoted = HistoryId::new(8);
        assert!(node.is_other_history(promoted));
        node.history_changed(promoted, 990);
        let left_behind = node
            .stamp(node.send(), &answer(1000, Origin::Replica), bound)
            .unwrap();
        node.polled(node.send(), 990, Writers::All);
        assert!(node.believe(&left_behind).is_none());
        let mut here = answer(990, Origin::Replica);
        here.history = promoted;
        let here = node.stamp(node.send(), &here, bound).unwrap();
        assert!(node.believe(&here).is_some());
    }

    #[test]
    fn behind_is_what_look_ups_have_told_of_and_polls_have_not() {
        let (node, _hand) = node();
        let look_up = |number| {
            let answer = answer(number, Origin::Replica);
            node.stamp(node.send(), &answer, Bound::Credentials);
        };
        node.polled(node.send(), 10, Writers::All);
        look_up(4);
        assert_eq!(node.behind(), 0);
        look_up(13);
        look_up(12);
        assert_eq!(node.behind(), 3);
        node.polled(node.send(), 12, Writers::All);
        assert_eq!(node.behind(), 1);
        node.history_changed(HistoryId::new(8), 2);
        node.polled(node.send(), 2, Writers::All);
        look_up(20);
        assert_eq!(node.behind(), 0, "numbers of another history say nothing");
    }
}
