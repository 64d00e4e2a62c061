//! A verification, from its first look into the cache to its decision.

use crate::action::Action;
use crate::flight::{Flight, Stage};
use crate::mutation::Mutation;
use crate::node::Answer;
use crate::promise::{Decision, Verdict};
use crate::protocol::Steps;
use crate::world::World;

/// One that is under way, or none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Verification {
    pub(crate) at: At,
    pub(crate) key: u8,
    /// The changes that it must know, a bit each: those that were owed when it started.
    pub(crate) due: u8,
    pub(crate) source: Source,
    /// The flights that are too early for its second attempt, a bit each.
    pub(crate) early: u8,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum At {
    #[default]
    None,
    /// About to look whether the key is known to be absent.
    LooksForAbsence,
    /// With an answer in hand, about to check the time.
    Judges(Answer),
    /// About to compare the version.
    Compares(Answer),
    /// Needs nothing more.
    Convinced(Answer),
    /// About to join a load or to start one.
    Boards,
    Aboard {
        flight: u8,
        joined: bool,
    },
}

/// Where the answer in hand comes from, or will.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    #[default]
    Entry,
    Absence,
    FirstLoad,
    SecondLoad,
}

impl Verification {
    pub(crate) fn tick(&mut self) {
        if let At::Judges(answer) | At::Compares(answer) | At::Convinced(answer) = &mut self.at {
            answer.tick();
        }
    }

    fn at(mut self, at: At) -> Self {
        self.at = at;
        self
    }

    fn from(mut self, source: Source) -> Self {
        self.source = source;
        self
    }

    fn boards(self, source: Source) -> Self {
        self.at(At::Boards).from(source)
    }
}

/// What verifications can do next.
pub(crate) fn steps(steps: &mut Steps<'_>) {
    start(steps);
    for (place, verification) in steps.from.verifications.into_iter().enumerate() {
        match verification.at {
            At::None => {}
            At::LooksForAbsence => look_for_absence(steps, place),
            At::Judges(answer) => judge(steps, place, answer),
            At::Compares(answer) => compare(steps, place, answer),
            At::Convinced(answer) => decide(steps, place, answer.facts.into()),
            At::Boards => board(steps, place),
            At::Aboard { .. } if steps.model.bounds.abandons => {
                let gone = Verification::default();
                steps.push(Action::CallerGoesAway, |world| {
                    world.verifications[place] = gone;
                });
            }
            At::Aboard { .. } => {}
        }
    }
}

/// Starting and the first look are one step: one that starts earlier is owed no more, and so cannot
/// break a promise where this one does not.
fn start(steps: &mut Steps<'_>) {
    let world = steps.from;
    // Sorted: the first is the one that is not under way.
    let [first, second] = world.verifications;
    let alone = second.at == At::None || steps.model.bounds.verifications > 1;
    if first.at != At::None || !alone {
        return;
    }
    for key in 0..steps.model.bounds.keys {
        let started = Verification {
            key,
            due: world.due(&steps.model.bounds, key),
            ..Verification::default()
        };
        let entry = world.node.entries[usize::from(key)];
        let (action, next) = match entry {
            Some(entry) => (
                Action::VerificationFindsEntry(entry, started.due),
                started.at(At::Judges(entry)),
            ),
            None => (
                Action::VerificationFindsNothing(started.due),
                next_source(steps, started),
            ),
        };
        steps.push(action, |world| world.verifications[0] = next);
    }
}

/// After an entry that was not there, or is not believed.
fn next_source(steps: &Steps<'_>, verification: Verification) -> Verification {
    match steps.model.bounds.has_absences() {
        true => verification.at(At::LooksForAbsence).from(Source::Absence),
        false => verification.boards(Source::FirstLoad),
    }
}

fn look_for_absence(steps: &mut Steps<'_>, place: usize) {
    let verification = steps.from.verifications[place];
    let next = match steps.from.node.absences[usize::from(verification.key)] {
        Some(absence) => verification.at(At::Judges(absence)),
        None => verification.boards(Source::FirstLoad),
    };
    steps.push(Action::VerificationLooksForAbsence, |world| {
        world.verifications[place] = next;
    });
}

/// Rule 1 has two steps, in this order: the time, then the version.
fn judge(steps: &mut Steps<'_>, place: usize, answer: Answer) {
    let verification = steps.from.verifications[place];
    let node = &steps.from.node;
    let (holds, action) = if steps.model.lacks(Mutation::VersionBeforeTime) {
        let fresh = node.is_fresh(steps.model, verification.key, &answer);
        (fresh, Action::VersionIsCompared(fresh))
    } else {
        let timely = node.is_timely(steps.model, &answer);
        (timely, Action::TimeIsChecked(timely))
    };
    if holds && steps.model.bounds.coarse {
        compare(steps, place, answer);
    } else if holds {
        let mut rest = answer;
        if !steps.model.lacks(Mutation::VersionBeforeTime) {
            rest.until = 0;
        }
        let next = verification.at(At::Compares(rest));
        steps.push(action, |world| world.verifications[place] = next);
    } else {
        disbelieve(steps, place, action);
    }
}

fn compare(steps: &mut Steps<'_>, place: usize, answer: Answer) {
    let verification = steps.from.verifications[place];
    let node = &steps.from.node;
    let (holds, action) = if steps.model.lacks(Mutation::VersionBeforeTime) {
        let timely = node.is_timely(steps.model, &answer);
        (timely, Action::TimeIsChecked(timely))
    } else {
        let fresh = node.is_fresh(steps.model, verification.key, &answer);
        (fresh, Action::VersionIsCompared(fresh))
    };
    if holds {
        decide(steps, place, answer.facts.into());
    } else {
        disbelieve(steps, place, action);
    }
}

fn disbelieve(steps: &mut Steps<'_>, place: usize, action: Action) {
    let mut next = steps.from.verifications[place];
    next = match next.source {
        Source::Entry => next_source(steps, next),
        Source::Absence => next.boards(Source::FirstLoad),
        Source::FirstLoad => {
            next.early = in_the_air(steps.from);
            next.boards(Source::SecondLoad)
        }
        Source::SecondLoad => return decide(steps, place, Verdict::Unavailable),
    };
    steps.push(action, |world| world.verifications[place] = next);
}

fn in_the_air(world: &World) -> u8 {
    let flying = world.flights.map(|flight| flight.stage != Stage::None);
    u8::from(flying[0]) | u8::from(flying[1]) << 1
}

fn board(steps: &mut Steps<'_>, place: usize) {
    let verification = steps.from.verifications[place];
    let second = verification.source == Source::SecondLoad;
    let anything = steps.model.lacks(Mutation::SecondAttemptJoinsAnything);
    let flights = steps.from.flights;
    let joins = (0..2_u8).find(|place| {
        let flight = &flights[usize::from(*place)];
        let early = verification.early & 1 << place != 0;
        let suits = anything || !early && (!second || flight.primary);
        flight.on_board && flight.key == verification.key && suits
    });
    if let Some(flight) = joins {
        let joined = true;
        let next = verification.at(At::Aboard { flight, joined });
        steps.push(Action::VerificationJoins, |world| {
            world.verifications[place] = Verification { early: 0, ..next };
        });
        return;
    }
    // Those who wait never need more than two at once; one that nobody waits for must land first.
    let free = (0..2_u8).find(|place| flights[usize::from(*place)].stage == Stage::None);
    if let Some(flight) = free {
        let new = Flight::board(verification.key, second, steps);
        let joined = false;
        let next = verification.at(At::Aboard { flight, joined });
        steps.push(Action::VerificationStartsLoad, |world| {
            for other in &mut world.flights {
                other.on_board &= other.key != new.key;
            }
            world.flights[usize::from(flight)] = new;
            world.verifications[place] = Verification { early: 0, ..next };
        });
    }
}

fn decide(steps: &mut Steps<'_>, place: usize, verdict: Verdict) {
    let verification = steps.from.verifications[place];
    let decision = Decision {
        verdict,
        due: verification.due,
        from_cache: matches!(verification.source, Source::Entry | Source::Absence),
    };
    steps.decide(decision, |world| {
        world.verifications[place] = Verification::default();
    });
}
