//! Which states have been visited.

/// A set of fingerprints. They are as good as random already: the low bits say where one lies, and
/// looking for it touches memory in one place.
#[derive(Debug)]
pub(crate) struct Seen {
    slots: Vec<u64>,
    taken: usize,
}

impl Seen {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![FREE; 1 << 16],
            taken: 0,
        }
    }

    /// Says whether it is new.
    pub(crate) fn insert(&mut self, fingerprint: u64) -> bool {
        if self.taken * 4 > self.slots.len() * 3 {
            self.grow();
        }
        let slot = self.slot(fingerprint);
        let new = *slot == FREE;
        *slot = fingerprint;
        self.taken += usize::from(new);
        new
    }

    /// Where it lies, or will.
    fn slot(&mut self, fingerprint: u64) -> &mut u64 {
        let mask = self.slots.len() - 1;
        let mut place = fingerprint as usize & mask;
        while self.slots[place] != FREE && self.slots[place] != fingerprint {
            place = (place + 1) & mask;
        }
        &mut self.slots[place]
    }

    fn grow(&mut self) {
        let larger = vec![FREE; self.slots.len() * 2];
        for fingerprint in std::mem::replace(&mut self.slots, larger) {
            if fingerprint != FREE {
                *self.slot(fingerprint) = fingerprint;
            }
        }
    }
}

/// The one fingerprint that no state may have.
const FREE: u64 = 0;
