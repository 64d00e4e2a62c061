//! Rule 4: changes, here and elsewhere; and what befalls the store.

use crate::action::Action;
use crate::bounds::{Bounds, Failover, Kind};
use crate::mutation::Mutation;
use crate::promise::Owed;
use crate::protocol::Steps;
use crate::store::{Change, Store};
use crate::world::World;

/// A write of this node's.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Write {
    stage: Stage,
    /// Which promised change it makes.
    change: usize,
    /// After how many ticks it waits no more.
    left: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    None,
    /// On its way to the store.
    Called,
    /// The rows have changed; a log in this process has not heard of it.
    Unlogged,
    /// Waits for a poll that is sent from now on to be applied.
    Waits,
}

impl Write {
    pub(crate) fn tick(&mut self) {
        self.left = self.left.saturating_sub(1);
    }

    pub(crate) fn waits(&self) -> bool {
        self.stage == Stage::Waits
    }

    pub(crate) fn forget(&mut self, change: usize) {
        if self.stage != Stage::None && self.change == change {
            *self = Self::default();
        }
    }
}

/// What writers can do next, here and elsewhere.
pub(crate) fn steps(steps: &mut Steps<'_>) {
    elsewhere(steps);
    if steps.model.bounds.writes_here() {
        here(steps);
    }
    befall(steps);
}

fn elsewhere(steps: &mut Steps<'_>) {
    let (model, world) = (steps.model, steps.from);
    if !world.primary.log.has_room() {
        return fill(steps);
    }
    if world.others > 0 {
        steps.push(Action::OtherKeyIsChanged, |world| {
            world.others -= 1;
            world.primary.commit(Change::Other);
        });
    }
    fill(steps);
    if !model.bounds.writes_elsewhere() {
        return;
    }
    for (index, change) in possible(steps) {
        if model.lacks(Mutation::NumbersNotInCommitOrder) {
            if !world.primary.log.awaits() {
                steps.push(Action::NumberIsTaken, |world| {
                    world.primary.commit(Change::Uncommitted);
                });
            }
            continue;
        }
        steps.push(Action::ChangedElsewhere(change), |world| {
            match model.bounds.store {
                Kind::Database => world.primary.commit(change),
                Kind::SoleWriter | Kind::MaxAge => world.primary.rows.apply(change),
            }
            world.promise(&model.bounds, index);
            world
                .observer
                .changed(&model.bounds, &world.primary.log, index);
        });
    }
}

/// A number that was taken before its commit is committed.
fn fill(steps: &mut Steps<'_>) {
    if !steps.from.primary.log.awaits() {
        return;
    }
    let bounds = steps.model.bounds;
    for (index, change) in possible(steps) {
        steps.push(Action::ChangedElsewhere(change), |world| {
            world.primary.rows.apply(change);
            world.primary.log.fill(change);
            world.promise(&bounds, index);
        });
    }
}

fn possible(steps: &Steps<'_>) -> Vec<(usize, Change)> {
    let rows = steps.from.primary.rows;
    let changes = steps.model.bounds.promised.into_iter().enumerate();
    changes.filter(|(_, change)| rows.admit(*change)).collect()
}

fn here(steps: &mut Steps<'_>) {
    let (model, write) = (steps.model, steps.from.write);
    let trust = longest_trust(steps);
    let change = model.bounds.promised[write.change];
    match write.stage {
        Stage::None => {
            for (index, change) in possible(steps) {
                if model.bounds.slow_commits {
                    let called = Write {
                        stage: Stage::Called,
                        change: index,
                        left: model.bounds.lease,
                    };
                    steps.push(Action::WriteIsCalled, |world| world.write = called);
                } else {
                    commit(steps, index, change, trust);
                }
            }
        }
        Stage::Called => {
            let from_the_call = model.lacks(Mutation::WritesCountFromTheCall);
            let left = if from_the_call { write.left } else { trust };
            if steps.from.primary.rows.admit(change) {
                commit(steps, write.change, change, left);
            } else {
                // Somebody else was first.
                steps.push(Action::WriteIsRefused, |world| {
                    world.write = Write::default()
                });
            }
        }
        Stage::Unlogged => steps.push(Action::ChangeIsLogged, |world| {
            world.primary.log.append(change);
            if !model.lacks(Mutation::PromisedFromTheRows) && model.bounds.store == Kind::SoleWriter
            {
                world.promise(&model.bounds, write.change);
            }
            world.wait(write.change, trust);
            if model.lacks(Mutation::WritesDoNotWait) {
                world.write_returns();
            }
        }),
        Stage::Waits if write.left == 0 => {
            steps.push(Action::WriteHasWaited, World::write_returns);
        }
        Stage::Waits => {}
    }
}

/// The commit and its return are one step: a later return could only wait for more.
fn commit(steps: &mut Steps<'_>, index: usize, change: Change, left: u8) {
    let model = steps.model;
    let log = steps.from.primary.log;
    if !log.has_room() {
        return;
    }
    steps.push(Action::ChangedHere(change), |world| {
        if model.bounds.store == Kind::Database {
            world.primary.commit(change);
            world.promise(&model.bounds, index);
            world.wait(index, left);
            if model.lacks(Mutation::WritesDoNotWait) {
                world.write_returns();
            }
            return;
        }
        world.primary.rows.apply(change);
        let from_rows =
            model.bounds.store == Kind::MaxAge || model.lacks(Mutation::PromisedFromTheRows);
        if from_rows {
            world.promise(&model.bounds, index);
        }
        world.write = Write {
            stage: Stage::Unlogged,
            change: index,
            left: 0,
        };
    });
}

fn longest_trust(steps: &Steps<'_>) -> u8 {
    if steps.model.lacks(Mutation::WritesWaitALease) {
        steps.model.bounds.lease
    } else if steps.model.lacks(Mutation::TrustLearntFromAnswers) {
        steps.from.node.longest_trust
    } else {
        steps.model.bounds.age()
    }
}

fn befall(steps: &mut Steps<'_>) {
    let (model, bounds, world) = (steps.model, steps.model.bounds, steps.from);
    let copied = copy(&world.primary, &bounds);
    if bounds.has_replica() && world.replica != copied && world.catch_ups > 0 {
        steps.push(Action::ReplicaCatchesUp, |world| {
            world.replica = copied;
            if world.catch_ups != u8::MAX {
                world.catch_ups -= 1;
            }
        });
    }
    if bounds.failover == Failover::Never || world.failed_over {
        return;
    }
    let exists = bounds.exists_from_the_start();
    let numbers = match bounds.failover {
        Failover::Lossy => 0..=world.primary.log.number,
        Failover::ToReplica => world.replica.log.number..=world.replica.log.number,
        _ => world.primary.log.number..=world.primary.log.number,
    };
    for number in numbers {
        steps.push(Action::Failover(number), |world| {
            world.failed_over = true;
            world.primary.promote(number, exists);
            if bounds.failover == Failover::ToReplica {
                world.primary.row = world.replica.row.seen_anew(&bounds);
                world.replica = copy(&world.primary, &bounds);
            }
            world.forgive_lost_changes(&bounds);
            if bounds.register {
                let log = world.primary.log;
                world.observer.history_changed(model, &log);
            }
        });
    }
}

/// What a replica holds; the register only where it may be promoted.
fn copy(primary: &Store, bounds: &Bounds) -> Store {
    let mut copy = *primary;
    if bounds.failover != Failover::ToReplica {
        copy.row = Default::default();
    }
    copy
}

impl World {
    fn wait(&mut self, change: usize, left: u8) {
        self.write = Write {
            stage: Stage::Waits,
            change,
            left,
        };
        // Whatever is on its way was sent before.
        self.poll.after_commit = false;
    }

    pub(crate) fn write_returns(&mut self) {
        self.promises[self.write.change] = Owed::Now;
        self.write = Write::default();
    }
}
