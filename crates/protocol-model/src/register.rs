//! The register of nodes, as the node that is in it sees it: beats, contact, and leaving.

use crate::action::Action;
use crate::bounds::{Bounds, Failover};
use crate::mutation::Mutation;
use crate::node::NOTHING;
use crate::protocol::{Model, Steps};
use crate::store::Log;
use crate::world::World;

/// The node's row in the store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Row {
    /// Which registration it is, different for each that was ever made; zero is no row.
    pub(crate) registration: u8,
    pub(crate) beat: u8,
    /// What the node has told that it has applied.
    pub(crate) history: u8,
    pub(crate) number: u8,
    /// After how many ticks others may strike it: they have seen the last beat when it was made, or
    /// later.
    pub(crate) quiet_in: u8,
}

/// What the node knows of its row.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Registration {
    /// Which registration its chain of beats belongs to.
    pub(crate) name: u8,
    /// And to which history: what another server has lost of the register does not matter then.
    history: u8,
    /// How many ticks the last answered beat vouches for it yet.
    contact: u8,
    /// How many ticks the last applied poll would give yet, whatever the contact.
    last_poll: u8,
    pub(crate) beat: Beat,
    /// What it is about to tell that it has applied.
    report: Option<(u8, u8)>,
    leaving: Leaving,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) enum Beat {
    #[default]
    None,
    /// With how many ticks of contact it can give yet: they count from when it was sent.
    Sent(u8),
    Answered {
        left: u8,
        registration: u8,
        history: u8,
        /// Whether this beat has made the row.
        made: bool,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Leaving {
    #[default]
    Stays,
    /// It believes nothing any more.
    Stopped,
    /// Only with a broken rule: the row is gone, and it still believes.
    Deleted,
    Gone,
}

impl Row {
    /// Others go by what they see in the present history.
    pub(crate) fn seen_anew(mut self, bounds: &Bounds) -> Self {
        if bounds.others_strike && self.registration != 0 {
            self.quiet_in = bounds.lease;
        }
        self
    }

    pub(crate) fn tick(&mut self) {
        self.quiet_in = self.quiet_in.saturating_sub(1);
    }
}

impl Registration {
    pub(crate) fn tick(&mut self) {
        self.contact = self.contact.saturating_sub(1);
        self.last_poll = self.last_poll.saturating_sub(1);
        if let Beat::Sent(left) | Beat::Answered { left, .. } = &mut self.beat {
            *left = left.saturating_sub(1);
        }
    }

    /// How long an answer may be believed by its age, of the time that it is young enough.
    pub(crate) fn cap_age(&self, model: &Model, until: u8, chained: bool) -> u8 {
        if !model.bounds.register {
            until
        } else if !chained {
            0
        } else if model.lacks(Mutation::ContactNotAskedOfLoads) {
            until
        } else {
            until.min(self.contact)
        }
    }

    pub(crate) fn has_news(&mut self, log: &Log) {
        self.report = Some((log.history, log.number));
    }

    fn stays(&self) -> bool {
        self.leaving == Leaving::Stays
    }
}

impl World {
    /// The lease that a poll gives. It, contact and chain change under one lock.
    pub(crate) fn extend_lease(&mut self, model: &Model, until: u8, chained: bool) {
        let registration = &mut self.registration;
        let mut until = until;
        if model.bounds.register {
            if !chained {
                return;
            }
            if model.lacks(Mutation::PollsAreContact) {
                registration.contact = registration.contact.max(until);
            }
            registration.last_poll = registration.last_poll.max(until);
            if !model.lacks(Mutation::ContactNotAskedOfLeases) {
                until = until.min(registration.contact);
            }
        }
        self.node.lease = self.node.lease.max(until);
    }

    /// A beat was answered.
    fn renew_contact(&mut self, model: &Model, left: u8, name: u8, history: u8, made: bool) {
        let lacks = |mutation| model.lacks(mutation);
        let left = if lacks(Mutation::ContactFromReceipt) {
            model.bounds.lease
        } else {
            left
        };
        let loses = model.bounds.failover == Failover::ToReplica;
        let moved = loses && history != self.registration.history;
        let moved = moved && !lacks(Mutation::ChainAcrossHistories);
        let another = name != self.registration.name || moved;
        let broken = if lacks(Mutation::RegistrationNotNamed) {
            made
        } else {
            another && !lacks(Mutation::ChainGoesOn)
        };
        if broken || self.registration.name == 0 {
            self.start_chain(model, left);
        }
        let registration = &mut self.registration;
        registration.name = name;
        if loses {
            registration.history = history;
        }
        registration.contact = registration.contact.max(left);
        let lease = registration.last_poll.min(registration.contact);
        self.node.lease = self.node.lease.max(lease);
    }

    /// The node was taken for dead: nothing that it asked before vouches for anything.
    fn start_chain(&mut self, model: &Model, beat: u8) {
        let lacks = |mutation| model.lacks(mutation);
        let since_sending = lacks(Mutation::ChainFromTheBeatsSending);
        let counts = |until: u8| since_sending && until >= beat && until > 0;
        self.poll.chained &= lacks(Mutation::EarlierPollsCount) || counts(self.poll.until);
        for flight in &mut self.flights {
            let until = flight.until;
            flight.chained &= lacks(Mutation::EarlierLoadsCount) || counts(until);
        }
        if !lacks(Mutation::LeaseNotCut) {
            self.node.lease = 0;
        }
        if !lacks(Mutation::LastPollKept) {
            self.registration.last_poll = 0;
        }
        self.registration.contact = 0;
    }
}

/// What the node can do about its row next, and what befalls the row.
pub(crate) fn steps(steps: &mut Steps<'_>) {
    beat(steps);
    report(steps);
    leave(steps);
    let row = steps.from.primary.row;
    if steps.model.bounds.others_strike && row.registration != 0 && row.quiet_in == 0 {
        steps.push(Action::StruckByAnother, |world| {
            world.primary.row = Row::default();
        });
    }
}

fn beat(steps: &mut Steps<'_>) {
    let (model, registration) = (steps.model, steps.from.registration);
    let can_be_written = steps.from.can_beat();
    if can_be_written && model.bounds.unheard_beats {
        // One that the node has given up, or whose answer it will not get.
        steps.push(Action::BeatIsMadeUnheard, |world| {
            world.write_beat(model);
        });
    }
    match registration.beat {
        Beat::None if !registration.stays() => {}
        Beat::None if model.bounds.slow_beats => {
            let sent = Beat::Sent(model.bounds.lease);
            steps.push(Action::BeatIsSent, |world| world.registration.beat = sent);
        }
        Beat::None if can_be_written => steps.push(Action::BeatIsAnswered, |world| {
            let made = world.write_beat(model);
            let (row, log) = (world.primary.row, world.primary.log);
            let left = model.bounds.lease;
            world.renew_contact(model, left, row.registration, log.history, made);
        }),
        Beat::Sent(left) if can_be_written => steps.push(Action::BeatIsMade, |world| {
            let made = world.write_beat(model) && model.lacks(Mutation::RegistrationNotNamed);
            world.registration.beat = Beat::Answered {
                left,
                registration: world.primary.row.registration,
                history: world.primary.log.history,
                made,
            };
        }),
        Beat::None | Beat::Sent(_) => {}
        Beat::Answered {
            left,
            registration,
            history,
            made,
        } => {
            steps.push(Action::BeatIsAnswered, |world| {
                world.registration.beat = Beat::None;
                world.renew_contact(model, left, registration, history, made);
            });
        }
    }
    if registration.beat != Beat::None {
        steps.push(Action::BeatIsGivenUp, |world| {
            world.registration.beat = Beat::None
        });
    }
}

/// An update of the row, if there is one. It prolongs nothing.
fn report(steps: &mut Steps<'_>) {
    let model = steps.model;
    if let Some((history, number)) = steps.from.registration.report {
        steps.push(Action::NodeReports, |world| {
            world.registration.report = None;
            let row = &mut world.primary.row;
            if row.registration != 0 {
                (row.history, row.number) = (history, number);
            }
            if model.lacks(Mutation::ReportsAreContact) {
                let registration = &mut world.registration;
                registration.contact = model.bounds.lease;
                world.node.lease = world.node.lease.max(registration.last_poll);
            }
        });
    }
}

fn leave(steps: &mut Steps<'_>) {
    if !steps.model.bounds.leaves {
        return;
    }
    let row_first = steps.model.lacks(Mutation::LeavesBeforeStopping);
    let (stops, deletes, next) = match (steps.from.registration.leaving, row_first) {
        (Leaving::Stays, false) => (true, false, Leaving::Stopped),
        (Leaving::Stopped, _) => (false, true, Leaving::Gone),
        (Leaving::Stays, true) => (false, true, Leaving::Deleted),
        (Leaving::Deleted, _) => (true, false, Leaving::Gone),
        (Leaving::Gone, _) => return,
    };
    let action = if stops {
        Action::NodeStopsBelieving
    } else {
        Action::NodeDeletesItsRow
    };
    steps.push(action, |world| {
        world.registration.leaving = next;
        if stops {
            world.node.raise_floor(NOTHING);
        }
        if deletes {
            world.primary.row = Row::default();
        }
    });
}

impl World {
    /// Whether the store may be a beat further: where a row may be lost, its copy must not fall
    /// behind without end.
    fn can_beat(&self) -> bool {
        let (row, copy) = (self.primary.row, self.replica.row);
        row.registration == 0 || row.registration != copy.registration || row.beat <= copy.beat + 1
    }

    /// Says whether the row was made.
    fn write_beat(&mut self, model: &Model) -> bool {
        let unused = self.unused_registration();
        let row = &mut self.primary.row;
        let made = row.registration == 0;
        if made {
            *row = Row {
                registration: unused,
                ..Row::default()
            };
        }
        row.beat += 1;
        if model.bounds.others_strike {
            row.quiet_in = model.bounds.lease;
        }
        made
    }
}
