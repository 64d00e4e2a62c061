//! The receipt: how the writer of a change learns that no node anywhere believes otherwise.

use crate::action::Action;
use crate::bounds::{Bounds, Failover};
use crate::mutation::Mutation;
use crate::promise::Owed;
use crate::protocol::{Model, Steps};
use crate::register::Row;
use crate::store::Log;
use crate::world::World;

/// The node elsewhere that makes the change, and watches the register all along.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Observer {
    stage: Stage,
    change: usize,
    /// Where the log ended, in which history, when it polled after its commit.
    history: u8,
    number: u8,
    /// For how many ticks it has to follow a new history yet, before a register of it counts.
    settles_in: u8,
    read: Read,
    pub(crate) watch: Watch,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    None,
    Returned,
    /// Waits for the node.
    Waits,
    /// Has sent to strike the row, if this still is its last beat.
    Strikes(Watch),
}

/// A question for the register.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Read {
    #[default]
    None,
    Sent(Asked),
    /// What it has found is on its way back.
    Answered(Asked, Row, u8),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Asked {
    /// Whether it was sent after the writer's poll.
    counts: bool,
    /// What would be left of the silence if it counted from then.
    quiet_in: u8,
}

/// The beat that it has seen last, and how much longer it must stay the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Watch {
    pub(crate) registration: u8,
    pub(crate) beat: u8,
    history: u8,
    quiet_in: u8,
}

impl Observer {
    pub(crate) fn tick(&mut self) {
        self.settles_in = self.settles_in.saturating_sub(1);
        self.watch.quiet_in = self.watch.quiet_in.saturating_sub(1);
        if let Read::Sent(asked) | Read::Answered(asked, ..) = &mut self.read {
            asked.quiet_in = asked.quiet_in.saturating_sub(1);
        }
    }

    /// It has made a change. Its poll is one step with the commit: a later one could only ask for
    /// more.
    pub(crate) fn changed(&mut self, bounds: &Bounds, log: &Log, change: usize) {
        if bounds.register {
            self.change = change;
            self.stage = Stage::Waits;
            (self.history, self.number) = (log.history, log.number);
        }
    }

    pub(crate) fn forget(&mut self, change: usize) {
        if self.change == change {
            self.stage = Stage::None;
            (self.history, self.number) = (0, 0);
        }
    }

    /// It hears of another history, and polls again. It does so at once: later could only be safer.
    pub(crate) fn history_changed(&mut self, model: &Model, log: &Log) {
        if model.lacks(Mutation::RegisterWithoutHistory) {
            return;
        }
        if model.bounds.failover == Failover::ToReplica
            && !model.lacks(Mutation::NewHistoryNotWaitedFor)
        {
            self.settles_in = model.bounds.lease;
        }
        match self.stage {
            Stage::None | Stage::Returned => {}
            Stage::Waits | Stage::Strikes(..) => {
                (self.history, self.number) = (log.history, log.number);
            }
        }
    }

    /// Whether an answer from the store of that history can end the waiting.
    fn heeds(&self, model: &Model, history: u8) -> bool {
        let here = self.history == history || model.lacks(Mutation::RegisterWithoutHistory);
        self.stage == Stage::Waits && here && self.settles_in == 0
    }

    fn note(&mut self, model: &Model, row: &Row, history: u8, asked: u8) {
        let seen = (self.watch.registration, self.watch.beat, self.watch.history);
        if seen != (row.registration, row.beat, history) {
            self.watch = Watch {
                registration: row.registration,
                beat: row.beat,
                history,
                quiet_in: model.bounds.lease,
            };
            if model.lacks(Mutation::SilenceFromTheAsking) {
                self.watch.quiet_in = asked;
            } else if model.lacks(Mutation::StruckAtOnce) {
                self.watch.quiet_in = 0;
            }
        }
        if row.registration == 0 {
            self.watch = Watch::default();
        }
    }

    fn is_done(&self, model: &Model, row: &Row) -> bool {
        let here = row.history == self.history || model.lacks(Mutation::AppliedByNumberAlone);
        row.registration == 0 || here && row.number >= self.number
    }
}

/// What the writer can do next.
pub(crate) fn steps(steps: &mut Steps<'_>) {
    if steps.from.observer.stage == Stage::Returned {
        return;
    }
    read(steps);
    strike(steps);
}

fn read(steps: &mut Steps<'_>) {
    let (model, observer, store) = (steps.model, steps.from.observer, steps.from.primary);
    let asked = Asked {
        counts: observer.stage == Stage::Waits,
        quiet_in: model.bounds.lease,
    };
    let row = Row {
        quiet_in: 0,
        ..store.row
    };
    let history = store.log.history;
    match observer.read {
        Read::None if model.bounds.slow_reads => steps.push(Action::RegisterIsAsked, |world| {
            world.observer.read = Read::Sent(asked);
        }),
        Read::None => steps.push(Action::RegisterAnswers, |world| {
            world.register_answers(model, asked, &row, history);
        }),
        Read::Sent(asked) => steps.push(Action::RegisterIsRead, |world| {
            world.observer.read = Read::Answered(asked, row, history);
        }),
        Read::Answered(asked, row, history) => steps.push(Action::RegisterAnswers, |world| {
            world.observer.read = Read::None;
            world.register_answers(model, asked, &row, history);
        }),
    }
}

/// Silence is known when the deletion succeeds: it compares the beat, in the history that the beat
/// was seen in.
fn strike(steps: &mut Steps<'_>) {
    let (model, observer) = (steps.model, steps.from.observer);
    let watch = observer.watch;
    match observer.stage {
        Stage::Waits if watch.registration != 0 && watch.quiet_in == 0 => {
            steps.push(Action::StrikeIsSent, |world| {
                world.observer.stage = Stage::Strikes(watch);
            });
        }
        Stage::Strikes(seen) => steps.push(Action::RowIsStruck, |world| {
            world.observer.stage = Stage::Waits;
            let (row, history) = (world.primary.row, world.primary.log.history);
            if row.registration != 0 && seen.is_of(model, &row, history) {
                world.primary.row = Row::default();
                if world.observer.heeds(model, history) {
                    world.receipt_returns();
                }
            }
        }),
        _ => {}
    }
}

impl Watch {
    /// Whether this still is the row's last beat.
    fn is_of(&self, model: &Model, row: &Row, history: u8) -> bool {
        let here = self.history == history || model.lacks(Mutation::StruckAcrossHistories);
        let own = self.registration == row.registration || model.lacks(Mutation::StruckByBeatAlone);
        let last = self.beat == row.beat || model.lacks(Mutation::StruckWithoutComparing);
        here && own && last
    }
}

impl World {
    fn register_answers(&mut self, model: &Model, asked: Asked, row: &Row, history: u8) {
        self.observer.note(model, row, history, asked.quiet_in);
        let counts = asked.counts || model.lacks(Mutation::RegisterReadBeforeCommit);
        let heeds = self.observer.heeds(model, history);
        if counts && heeds && self.observer.is_done(model, row) {
            self.receipt_returns();
        }
    }

    /// From now on, nobody anywhere accepts.
    fn receipt_returns(&mut self) {
        self.promises[self.observer.change] = Owed::Now;
    }

    /// There is one receipt: when what it could promise is promised, there is nothing more to watch.
    pub(crate) fn observer_rests(&mut self) {
        if self.observer.stage != Stage::None && self.promises[self.observer.change] == Owed::Now {
            self.observer = Observer {
                stage: Stage::Returned,
                ..Observer::default()
            };
        }
    }
}

impl Observer {
    /// The registrations that it knows, each with a beat.
    pub(crate) fn beats(&mut self) -> [Option<(&mut u8, &mut u8)>; 3] {
        let watched = Some((&mut self.watch.registration, &mut self.watch.beat));
        let read = match &mut self.read {
            Read::Answered(_, row, _) => Some((&mut row.registration, &mut row.beat)),
            Read::None | Read::Sent(_) => None,
        };
        let struck = match &mut self.stage {
            Stage::Strikes(seen) => Some((&mut seen.registration, &mut seen.beat)),
            _ => None,
        };
        [watched, read, struck]
    }
}
