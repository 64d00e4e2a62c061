//! How long this node may believe what it knows: its contact with the register, and its lease.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use keyward_store::BootTime;

/// Whoever has seen this node's beat unchanged for long enough may strike its row out and call
/// everything that it knew over. So it believes nothing beyond its contact, which each answered beat
/// extends; and a new row begins a new chain, in which what was asked for before vouches for nothing.
#[derive(Debug)]
pub(crate) struct Lease {
    length: Duration,
    /// The longest time that any answer is believed for by its age, in nanoseconds.
    longest_age: AtomicU64,
    /// Every answer at or above the minimums is believed up to this moment; never beyond contact.
    until: AtomicU64,
    contact: AtomicU64,
    /// Counts the rows that this node has had in the register.
    chain: AtomicU64,
    stopped: AtomicBool,
    held: Mutex<Held>,
}

/// What only beats and polls look at.
#[derive(Debug)]
struct Held {
    /// The beat by which the present row was made.
    row: Option<u64>,
    /// Up to when the polls of this chain vouch for everything.
    polled_until: BootTime,
}

/// When a beat was sent, and how long it says that this node believes what it knows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SentBeat {
    pub(crate) at: BootTime,
    pub(crate) trust: Duration,
}

impl Lease {
    pub(crate) fn new(length: Duration) -> Self {
        Self {
            length,
            longest_age: AtomicU64::new(0),
            until: AtomicU64::new(0),
            contact: AtomicU64::new(0),
            chain: AtomicU64::new(0),
            stopped: AtomicBool::new(false),
            held: Mutex::new(Held {
                row: None,
                polled_until: BootTime::ZERO,
            }),
        }
    }

    #[inline]
    pub(crate) fn until(&self) -> BootTime {
        load(&self.until)
    }

    pub(crate) fn length(&self) -> Duration {
        self.length
    }

    /// After this time without news, nothing that is known now is believed any more.
    pub(crate) fn longest_trust(&self) -> Duration {
        load(&self.longest_age)
            .since(BootTime::ZERO)
            .max(self.length)
    }

    /// Answers may be believed for so long by their age alone, once a beat has told so.
    pub(crate) fn note_age(&self, age: Duration) {
        let nanos = BootTime::ZERO.after(age).as_nanos();
        self.longest_age.fetch_max(nanos, Ordering::SeqCst);
    }

    /// The chain in which a question is about to be sent.
    pub(crate) fn chain(&self) -> u64 {
        self.chain.load(Ordering::SeqCst)
    }

    pub(crate) fn is_in_contact(&self, now: BootTime) -> bool {
        now < load(&self.contact)
    }

    /// Until when an answer that was asked for then, in that chain, is believed by its age.
    pub(crate) fn vouch(&self, sent: BootTime, chain: u64, age: Duration) -> BootTime {
        // The contact first: when it is that of a later chain, the chain is seen to be another.
        let contact = load(&self.contact);
        if self.chain() != chain {
            return BootTime::ZERO;
        }
        sent.after(age).min(contact)
    }

    /// A poll that was sent then, in that chain, has been applied.
    pub(crate) fn polled(&self, sent: BootTime, chain: u64) {
        let mut held = self.lock();
        if self.chain() == chain {
            held.polled_until = held.polled_until.max(sent.after(self.length));
            self.publish(&held);
        }
    }

    /// A beat was answered; the row was made by that one. Says whether this began a new chain.
    pub(crate) fn beaten(&self, sent: SentBeat, row: u64) -> bool {
        let mut held = self.lock();
        if self.is_stopped() {
            return false;
        }
        let began = held.row != Some(row);
        if began {
            held.row = Some(row);
            held.polled_until = BootTime::ZERO;
            // Before the contact: whoever sees the new one sees that the chain is another.
            self.chain.fetch_add(1, Ordering::SeqCst);
            self.until.store(0, Ordering::SeqCst);
        }
        let contact = sent.at.after(sent.trust);
        self.contact.fetch_max(contact.as_nanos(), Ordering::SeqCst);
        self.publish(&held);
        began
    }

    /// From now on no question vouches for anything, and no beat is heeded any more.
    pub(crate) fn stop(&self) {
        let mut held = self.lock();
        self.stopped.store(true, Ordering::SeqCst);
        held.polled_until = BootTime::ZERO;
        self.chain.fetch_add(1, Ordering::SeqCst);
        self.contact.store(0, Ordering::SeqCst);
        self.publish(&held);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::SeqCst)
    }

    fn publish(&self, held: &Held) {
        let until = held.polled_until.min(load(&self.contact));
        self.until.store(until.as_nanos(), Ordering::SeqCst);
    }

    fn lock(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[inline]
fn load(time: &AtomicU64) -> BootTime {
    BootTime::from_nanos(time.load(Ordering::SeqCst))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(5);

    fn at(seconds: u64) -> BootTime {
        BootTime::from_nanos(seconds * 1_000_000_000)
    }

    fn beat(lease: &Lease, seconds: u64, row: u64) -> bool {
        let sent = SentBeat {
            at: at(seconds),
            trust: lease.longest_trust(),
        };
        lease.beaten(sent, row)
    }

    #[test]
    fn without_a_beat_nothing_vouches_for_anything() {
        let lease = Lease::new(LEASE);
        lease.polled(at(10), lease.chain());
        assert_eq!(lease.until(), BootTime::ZERO);
        assert_eq!(lease.vouch(at(10), lease.chain(), LEASE), BootTime::ZERO);
    }

    #[test]
    fn nothing_is_believed_beyond_contact() {
        let lease = Lease::new(LEASE);
        assert!(beat(&lease, 10, 1));
        lease.polled(at(13), lease.chain());
        assert_eq!(lease.until(), at(15));
        assert_eq!(lease.vouch(at(14), lease.chain(), LEASE), at(15));
        assert!(lease.is_in_contact(at(14)) && !lease.is_in_contact(at(15)));
        assert!(!beat(&lease, 12, 1));
        assert_eq!(lease.until(), at(17), "what was polled before holds again");
        assert!(!beat(&lease, 20, 1));
        assert_eq!(lease.until(), at(18), "the poll was sent at 13");
    }

    #[test]
    fn contact_does_not_shrink() {
        let lease = Lease::new(LEASE);
        beat(&lease, 10, 1);
        beat(&lease, 8, 1);
        assert!(lease.is_in_contact(at(14)));
    }

    #[test]
    fn in_a_new_row_nothing_vouches_that_was_asked_for_before() {
        let lease = Lease::new(LEASE);
        beat(&lease, 10, 1);
        let before = lease.chain();
        lease.polled(at(12), before);
        assert!(beat(&lease, 12, 7), "another row");
        assert_eq!(lease.until(), BootTime::ZERO);
        lease.polled(at(12), before);
        assert_eq!(lease.until(), BootTime::ZERO, "a poll of the old chain");
        assert_eq!(lease.vouch(at(12), before, LEASE), BootTime::ZERO);
        assert_eq!(lease.vouch(at(12), lease.chain(), LEASE), at(17));
        lease.polled(at(13), lease.chain());
        assert_eq!(lease.until(), at(17));
    }

    /// The beat that made the row was answered to nobody; the next goes on in that row.
    #[test]
    fn a_row_that_was_made_by_a_lost_beat_is_another() {
        let lease = Lease::new(LEASE);
        assert!(beat(&lease, 10, 1));
        assert!(!beat(&lease, 11, 1));
        assert!(beat(&lease, 12, 3));
    }

    #[test]
    fn longer_ages_count_once_a_beat_has_told_of_them() {
        let lease = Lease::new(LEASE);
        let age = Duration::from_secs(60);
        let early = SentBeat {
            at: at(10),
            trust: lease.longest_trust(),
        };
        lease.note_age(age);
        assert_eq!(lease.longest_trust(), age);
        lease.beaten(early, 1);
        assert_eq!(lease.vouch(at(10), lease.chain(), age), at(15));
        beat(&lease, 11, 1);
        assert_eq!(lease.vouch(at(10), lease.chain(), age), at(70));
        assert_eq!(lease.vouch(at(12), lease.chain(), age), at(71));
    }

    #[test]
    fn who_has_stopped_starts_no_more() {
        let lease = Lease::new(LEASE);
        beat(&lease, 10, 1);
        lease.polled(at(10), lease.chain());
        let before = lease.chain();
        lease.stop();
        beat(&lease, 11, 1);
        lease.polled(at(11), before);
        lease.polled(at(11), lease.chain());
        assert_eq!(lease.until(), BootTime::ZERO);
        for chain in [before, lease.chain()] {
            assert_eq!(lease.vouch(at(11), chain, LEASE), BootTime::ZERO);
        }
    }
}
