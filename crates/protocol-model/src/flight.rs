//! Rule 2: loads on their way.

use crate::action::Action;
use crate::bounds::Kind;
use crate::mutation::Mutation;
use crate::node::{Answer, NEVER, version};
use crate::protocol::Steps;
use crate::store::{Facts, Store};
use crate::verification::At;
use crate::world::World;

/// A load; all fields that its stage has no use for are zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Flight {
    pub(crate) stage: Stage,
    pub(crate) key: u8,
    /// Whether it asks the primary alone.
    pub(crate) primary: bool,
    /// Whether it can be joined: a later one takes its place on the board.
    pub(crate) on_board: bool,
    /// How many ticks its age will vouch for the answer.
    pub(crate) until: u8,
    /// The count and the name of the history that it was sent under.
    count: u8,
    history: u8,
    /// Whether the node's registration still is the one that it was sent under.
    pub(crate) chained: bool,
    number: u8,
    facts: Facts,
    from_replica: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Stage {
    #[default]
    None,
    /// Of what it is sent under, one half has been noted.
    Leaving,
    Sent,
    /// The store has read one half.
    Halfway,
    /// The answer is on its way back.
    Answered,
}

impl Flight {
    pub(crate) fn tick(&mut self) {
        self.until = self.until.saturating_sub(1);
    }

    /// What it has read.
    pub(crate) fn facts(&self) -> Option<(u8, Facts)> {
        let read = matches!(self.stage, Stage::Halfway | Stage::Answered);
        read.then_some((self.key, self.facts))
    }

    /// Starts; where history can change, in two steps.
    pub(crate) fn board(key: u8, primary: bool, steps: &Steps<'_>) -> Self {
        let node = &steps.from.node;
        let mut flight = Self {
            stage: Stage::Sent,
            key,
            primary,
            on_board: true,
            until: steps.model.bounds.age(),
            count: node.count,
            history: node.history,
            chained: true,
            ..Self::default()
        };
        if steps.model.sends_in_steps() {
            flight.stage = Stage::Leaving;
            match steps.model.lacks(Mutation::NameBeforeCount) {
                false => flight.history = 0,
                true => flight.count = 0,
            }
        }
        flight
    }

    fn answer(mut self, store: &Store, steps: &Steps<'_>, from_replica: bool) -> Self {
        self.number = store.log.number;
        self.facts = store.rows.facts(self.key);
        self.arrive(store, steps, from_replica)
    }

    fn arrive(mut self, store: &Store, steps: &Steps<'_>, from_replica: bool) -> Self {
        let known = store.log.history == self.history;
        if !known && !steps.model.lacks(Mutation::LoadsWithoutHistory) {
            // Its version will be below every floor.
            self.count = 0;
            self.number = 0;
        }
        self.history = 0;
        self.stage = Stage::Answered;
        self.from_replica = from_replica;
        if from_replica && !steps.model.lacks(Mutation::ReplicaTrustedByAge) {
            self.until = 0;
        }
        self
    }

    fn stamped(&self, steps: &Steps<'_>) -> Answer {
        let model = steps.model;
        let until = match model.lacks(Mutation::AgeFromReceipt) && !self.from_replica {
            true => model.bounds.age(),
            false => self.until,
        };
        let version = match self.count {
            0 => NEVER,
            count => version(count, self.number),
        };
        let registration = &steps.from.registration;
        Answer {
            version,
            until: registration.cap_age(model, until, self.chained),
            facts: self.facts,
        }
    }
}

/// What a flight can do next.
pub(crate) fn steps(steps: &mut Steps<'_>) {
    for (place, flight) in steps.from.flights.into_iter().enumerate() {
        match flight.stage {
            Stage::None => {}
            Stage::Leaving => leave(steps, place, flight),
            Stage::Sent => ask(steps, place, flight),
            Stage::Halfway => read_the_rest(steps, place, flight),
            Stage::Answered => land(steps, place, flight),
        }
    }
}

fn leave(steps: &mut Steps<'_>, place: usize, mut flight: Flight) {
    let node = &steps.from.node;
    if flight.count == 0 {
        flight.count = node.count;
    } else {
        flight.history = node.history;
    }
    flight.stage = Stage::Sent;
    steps.push(Action::LoadLeaves, |world| world.flights[place] = flight);
}

fn ask(steps: &mut Steps<'_>, place: usize, flight: Flight) {
    let (bounds, primary) = (steps.model.bounds, steps.from.primary);
    let mut half = flight;
    half.stage = Stage::Halfway;
    if steps.model.lacks(Mutation::RowsBeforeNumber) {
        half.facts = primary.rows.facts(flight.key);
        steps.push(Action::LoadReadsRows, |world| world.flights[place] = half);
    } else if bounds.store != Kind::Database {
        half.number = primary.log.number;
        steps.push(Action::LoadReadsNumber, |world| world.flights[place] = half);
    } else {
        let answered = flight.answer(&primary, steps, false);
        steps.push(Action::LoadIsRead, |world| world.flights[place] = answered);
        if bounds.replica && !flight.primary {
            let answered = flight.answer(&steps.from.replica, steps, true);
            steps.push(Action::LoadIsReadFromReplica, |world| {
                world.flights[place] = answered;
            });
        }
    }
}

fn read_the_rest(steps: &mut Steps<'_>, place: usize, mut flight: Flight) {
    let primary = steps.from.primary;
    if steps.model.lacks(Mutation::RowsBeforeNumber) {
        flight.number = primary.log.number;
    } else {
        flight.facts = primary.rows.facts(flight.key);
    }
    let answered = flight.arrive(&primary, steps, false);
    steps.push(Action::LoadReadsTheRest, |world| {
        world.flights[place] = answered;
    });
}

/// The answer is left in the cache, and whoever waits for it has it in hand. Nothing has been judged
/// yet.
fn land(steps: &mut Steps<'_>, place: usize, flight: Flight) {
    let answer = flight.stamped(steps);
    let model = steps.model;
    steps.push(Action::LoadLands(answer), |world| {
        world.node.keep(flight.key, answer);
        world.node.longest_trust = world.node.longest_trust.max(model.bounds.age());
        world.flights[place] = Flight::default();
        world.hand_out(place, answer, model.lacks(Mutation::JoinersNotChecked));
    });
}

impl World {
    fn hand_out(&mut self, place: usize, answer: Answer, joiners_take_it: bool) {
        for verification in &mut self.verifications {
            verification.early &= !(1 << place);
            if let At::Aboard { flight, joined } = verification.at
                && usize::from(flight) == place
            {
                verification.at = match joined && joiners_take_it {
                    true => At::Convinced(answer),
                    false => At::Judges(answer),
                };
            }
        }
    }

    /// Two flights that differ by their places alone are one state.
    pub(crate) fn sort_flights(&mut self) {
        if self.flights[0] <= self.flights[1] {
            return;
        }
        self.flights.swap(0, 1);
        for verification in &mut self.verifications {
            verification.early = (verification.early & 1) << 1 | verification.early >> 1;
            if let At::Aboard { flight, .. } = &mut verification.at {
                *flight = 1 - *flight;
            }
        }
    }
}
