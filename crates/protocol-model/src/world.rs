//! One state of everything.

use crate::bounds::{Bounds, Failover};
use crate::flight::Flight;
use crate::mutation::Mutation;
use crate::node::Node;
use crate::poll::Poll;
use crate::promise::Owed;
use crate::protocol::Model;
use crate::receipt::Observer;
use crate::register::{Beat, Registration};
use crate::store::Store;
use crate::verification::Verification;
use crate::write::Write;

/// There is no clock in it: of each deadline it holds how many ticks are left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct World {
    pub(crate) primary: Store,
    pub(crate) replica: Store,
    pub(crate) node: Node,
    pub(crate) verifications: [Verification; 2],
    pub(crate) flights: [Flight; 2],
    pub(crate) poll: Poll,
    pub(crate) write: Write,
    pub(crate) registration: Registration,
    pub(crate) observer: Observer,
    pub(crate) promises: [Owed; 2],
    /// How many changes of other keys there may be yet.
    pub(crate) others: u8,
    /// How often the replica may catch up yet.
    pub(crate) catch_ups: u8,
    pub(crate) failed_over: bool,
}

impl World {
    pub(crate) fn new(bounds: &Bounds) -> Self {
        let store = Store::new(bounds.exists_from_the_start());
        Self {
            primary: store,
            replica: store,
            node: Node::new(&store.log, bounds.lease),
            verifications: Default::default(),
            flights: Default::default(),
            poll: Poll::default(),
            write: Write::default(),
            registration: Registration::default(),
            observer: Observer::default(),
            promises: Default::default(),
            others: bounds.others,
            catch_ups: bounds.catch_ups,
            failed_over: false,
        }
    }

    /// Whether no promise can be broken any more: all changes have been made for good, no
    /// verification is under way, and what is cached or can be read are the last facts.
    pub(crate) fn is_over(&self, bounds: &Bounds) -> bool {
        let rows = self.primary.rows;
        let losing = matches!(bounds.failover, Failover::Lossy | Failover::ToReplica);
        let pending = bounds.promised.into_iter().any(|change| rows.admit(change));
        if pending || losing && !self.failed_over {
            return false;
        }
        let idle = self.verifications == [Verification::default(); 2];
        let replica = !bounds.replica || self.replica.rows == rows;
        let flying = self.flights.iter().filter_map(Flight::facts);
        let cached = (0..bounds.keys).flat_map(|key| self.node.facts(key));
        idle && replica
            && flying
                .chain(cached)
                .all(|(key, facts)| facts == rows.facts(key))
    }

    /// The boot clocks of all nodes go on.
    pub(crate) fn tick(&mut self) {
        self.primary.row.tick();
        self.replica.row.tick();
        self.node.tick();
        self.verifications.iter_mut().for_each(Verification::tick);
        self.flights.iter_mut().for_each(Flight::tick);
        self.poll.tick();
        self.write.tick();
        self.registration.tick();
        self.observer.tick();
        self.promises.iter_mut().for_each(Owed::tick);
    }

    /// Makes equal what differs by names alone.
    pub(crate) fn settle(&mut self, model: &Model) {
        self.verifications.sort_unstable();
        self.sort_flights();
        if model.bounds.register {
            self.observer_rests();
            if !model.lacks(Mutation::StruckByBeatAlone) {
                self.rename_registrations();
            }
        }
    }

    /// Registrations are compared for equality alone, beats with those of the same one.
    fn rename_registrations(&mut self) {
        let (row, copy) = (self.primary.row, self.replica.row);
        for (registration, beat) in self.beats().into_iter().flatten() {
            let rows = [row, copy].into_iter();
            let rows = rows.filter(|row| row.registration == *registration);
            // Whatever is older than both has passed for good.
            *beat = match rows.map(|row| row.beat).min() {
                Some(oldest) if *registration != 0 => (*beat + 1).saturating_sub(oldest),
                _ => 0,
            };
        }
        let mut seen = Vec::new();
        for name in self.registrations().into_iter().flatten() {
            if *name != 0 {
                let place = seen.iter().position(|other| other == name);
                let place = place.unwrap_or(seen.len());
                if place == seen.len() {
                    seen.push(*name);
                }
                *name = u8::try_from(place + 1).unwrap_or(u8::MAX);
            }
        }
    }

    pub(crate) fn unused_registration(&self) -> u8 {
        let mut copy = *self;
        let names = copy.registrations().into_iter().flatten();
        names.map(|name| *name).max().unwrap_or_default() + 1
    }

    fn beats(&mut self) -> [Option<(&mut u8, &mut u8)>; 5] {
        let [watched, read, struck] = self.observer.beats();
        let (row, copy) = (&mut self.primary.row, &mut self.replica.row);
        let row = Some((&mut row.registration, &mut row.beat));
        let copy = Some((&mut copy.registration, &mut copy.beat));
        [row, copy, watched, read, struck]
    }

    fn registrations(&mut self) -> [Option<&mut u8>; 7] {
        let [watched, read, struck] = self.observer.beats();
        let [watched, read, struck] = [watched, read, struck].map(|pair| pair.map(|pair| pair.0));
        let answered = match &mut self.registration.beat {
            Beat::Answered { registration, .. } => Some(registration),
            Beat::None | Beat::Sent(_) => None,
        };
        let row = Some(&mut self.primary.row.registration);
        let copy = Some(&mut self.replica.row.registration);
        let own = Some(&mut self.registration.name);
        [row, copy, own, answered, watched, read, struck]
    }
}
