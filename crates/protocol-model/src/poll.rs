//! Rule 3: polls.

use crate::action::Action;
use crate::bounds::Kind;
use crate::mutation::Mutation;
use crate::node::{Node, version};
use crate::protocol::{Model, Steps};
use crate::store::Log;
use crate::world::World;

/// The poller, which asks one question at a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Poll {
    stage: Stage,
    /// How many ticks of lease it can give yet: they count from when it was sent.
    pub(crate) until: u8,
    /// Whether the node's registration still is the one that it was sent under.
    pub(crate) chained: bool,
    /// Whether it was sent after the commit that a writer here waits for.
    pub(crate) after_commit: bool,
    /// What it was answered.
    answer: Log,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
enum Stage {
    #[default]
    None,
    Sent,
    Answered,
    /// Of another history, the floor has been raised.
    Floored,
    /// And its name noted.
    Named,
    /// Applied, and the cursor moved.
    Applied,
}

impl Poll {
    pub(crate) fn tick(&mut self) {
        self.until = self.until.saturating_sub(1);
    }

    fn at(mut self, stage: Stage) -> Self {
        self.stage = stage;
        self
    }
}

/// What the poller can do next.
pub(crate) fn steps(steps: &mut Steps<'_>) {
    let poll = steps.from.poll;
    match poll.stage {
        Stage::None if steps.model.bounds.polls => send(steps),
        Stage::None => {}
        Stage::Sent => ask(steps, poll),
        Stage::Answered => apply(steps, poll),
        Stage::Floored => note_history(steps, poll),
        Stage::Named => count_history(steps, poll),
        Stage::Applied => extend_lease(steps, poll),
    }
    if steps.model.lacks(Mutation::LeaseWithoutPoll) {
        let lease = steps.model.bounds.lease;
        steps.push(Action::LeaseGrows, |world| world.node.lease = lease);
    }
}

fn send(steps: &mut Steps<'_>) {
    let sent = Poll {
        stage: Stage::Sent,
        until: steps.model.bounds.lease,
        chained: true,
        after_commit: steps.from.write.waits(),
        ..Poll::default()
    };
    steps.push(Action::PollIsSent, |world| world.poll = sent);
}

fn ask(steps: &mut Steps<'_>, poll: Poll) {
    let answer = |log| Poll {
        answer: log,
        ..poll.at(Stage::Answered)
    };
    let primary = answer(steps.from.primary.log);
    steps.push(Action::PollIsAnswered, |world| world.poll = primary);
    if steps.model.lacks(Mutation::PollsAskReplicas) {
        let replica = answer(steps.from.replica.log);
        steps.push(Action::PollIsAnsweredByReplica, |world| {
            world.poll = replica
        });
    }
    steps.push(Action::PollIsLost, |world| world.poll = Poll::default());
}

fn apply(steps: &mut Steps<'_>, poll: Poll) {
    let (model, node) = (steps.model, steps.from.node);
    if model.lacks(Mutation::CursorBeforeApplying) {
        steps.push(Action::PollIsLost, |world| {
            world.node.cursor = poll.answer.end();
            world.poll = Poll::default();
        });
    }
    if model.lacks(Mutation::ReportedBeforeApplying) && poll.answer.end() != node.cursor {
        steps.push(Action::NodeHasNews, |world| {
            world.registration.has_news(&poll.answer);
        });
    }
    if model.lacks(Mutation::LeaseBeforeApplying) && node.lease < poll.until {
        steps.push(Action::LeaseGrows, |world| world.node.lease = poll.until);
    } else if history_changed(model, &node, &poll.answer) {
        steps.push(Action::FloorIsRaised, |world| {
            let floor = version(node.count + 1, poll.answer.number);
            world.node.raise_floor(floor);
            world.poll = poll.at(Stage::Floored);
            if model.bounds.coarse {
                world.node.history = poll.answer.history;
                world.node.count += 1;
                world.move_cursor(model, poll);
            }
        });
    } else {
        steps.push(Action::ChangesAreApplied, |world| {
            follow(model, &mut world.node, &poll.answer);
            world.move_cursor(model, poll);
        });
    }
}

fn history_changed(model: &Model, node: &Node, log: &Log) -> bool {
    let another = log.history != node.history;
    let lost = !log.holds(node.cursor);
    if model.lacks(Mutation::HistoryByNumbersAlone) {
        node.cursor.number > log.number
    } else if model.lacks(Mutation::HistoryByTokenAlone) {
        lost
    } else if model.lacks(Mutation::HistoryByNameAlone) {
        another
    } else {
        another || lost
    }
}

/// Raises the minimums of what lies behind the cursor, from the newest to the oldest.
fn follow(model: &Model, node: &mut Node, log: &Log) {
    let since = node.cursor.number;
    let forgotten = log.number.saturating_sub(model.bounds.kept);
    if since < forgotten && !model.lacks(Mutation::ForgottenEventsPassedOver) {
        node.raise_floor(version(node.count, log.number));
    }
    for number in (since.max(forgotten) + 1..=log.number).rev() {
        node.apply(model, number, log.change(number));
    }
    // The same, unless a rule is broken.
    node.history = log.history;
}

/// The name before the count: a question takes the count first, and so never has a new count with
/// an old name.
fn note_history(steps: &mut Steps<'_>, poll: Poll) {
    let count_first = steps.model.lacks(Mutation::CountStoredBeforeName);
    steps.push(Action::HistoryIsNamed, |world| {
        match count_first {
            true => world.node.count += 1,
            false => world.node.history = poll.answer.history,
        }
        world.poll = poll.at(Stage::Named);
    });
}

fn count_history(steps: &mut Steps<'_>, poll: Poll) {
    let model = steps.model;
    let count_first = model.lacks(Mutation::CountStoredBeforeName);
    steps.push(Action::HistoryIsCounted, |world| {
        match count_first {
            true => world.node.history = poll.answer.history,
            false => world.node.count += 1,
        }
        world.move_cursor(model, poll);
    });
}

/// The lease, and telling a writer who waits, are one step: the writer could only return later.
fn extend_lease(steps: &mut Steps<'_>, poll: Poll) {
    let model = steps.model;
    let unseen = model.bounds.store == Kind::MaxAge;
    let extends = !unseen || model.lacks(Mutation::LeaseWithUnseenWriters);
    let until = match model.lacks(Mutation::LeaseFromReceipt) {
        true => model.bounds.lease,
        false => poll.until,
    };
    steps.push(Action::LeaseIsExtended, |world| {
        if extends {
            world.extend_lease(model, until, poll.chained);
        }
        world.poll = Poll::default();
        let enough = poll.after_commit || model.lacks(Mutation::WritesTakeAnyPoll);
        if world.write.waits() && enough {
            world.write_returns();
        }
    });
}

impl World {
    fn move_cursor(&mut self, model: &Model, poll: Poll) {
        let end = poll.answer.end();
        if model.bounds.register && end != self.node.cursor {
            self.registration.has_news(&poll.answer);
        }
        self.node.cursor = end;
        self.poll = Poll {
            answer: Log::default(),
            ..poll.at(Stage::Applied)
        };
    }
}
