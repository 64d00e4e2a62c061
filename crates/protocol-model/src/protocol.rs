//! The protocol as a whole: every step that anybody can take.

use crate::action::Action;
use crate::bounds::{Bounds, Failover};
use crate::mutation::Mutation;
use crate::promise::Decision;
use crate::world::World;
use crate::{flight, poll, receipt, register, verification, write};

/// What is searched: the protocol, in a configuration, whole or with one rule broken.
#[derive(Clone, Copy, Debug)]
pub struct Model {
    pub(crate) bounds: Bounds,
    broken: Option<Mutation>,
}

impl Model {
    /// The protocol as it is.
    #[must_use]
    pub const fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            broken: None,
        }
    }

    /// The protocol with one rule broken.
    #[must_use]
    pub const fn broken(bounds: Bounds, mutation: Mutation) -> Self {
        Self {
            bounds,
            broken: Some(mutation),
        }
    }

    /// Whether this rule is broken.
    pub(crate) fn lacks(&self, mutation: Mutation) -> bool {
        self.broken == Some(mutation)
    }

    /// Whether noting under which history a load is sent takes two steps.
    pub(crate) fn sends_in_steps(&self) -> bool {
        self.bounds.failover != Failover::Never && !self.bounds.coarse
    }
}

/// One step, and where it leads.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) world: World,
    pub(crate) decision: Option<Decision>,
}

/// The steps that can be taken from one state.
#[derive(Debug)]
pub(crate) struct Steps<'a> {
    pub(crate) model: &'a Model,
    pub(crate) from: &'a World,
    steps: &'a mut Vec<Step>,
}

impl<'a> Steps<'a> {
    /// Collects them all. Each is one atomic action of one process.
    pub(crate) fn collect(model: &'a Model, from: &'a World, steps: &'a mut Vec<Step>) {
        steps.clear();
        if from.is_over(&model.bounds) {
            return;
        }
        let mut steps = Self { model, from, steps };
        steps.tick();
        verification::steps(&mut steps);
        flight::steps(&mut steps);
        poll::steps(&mut steps);
        write::steps(&mut steps);
        if model.bounds.register {
            register::steps(&mut steps);
            receipt::steps(&mut steps);
        }
    }

    fn tick(&mut self) {
        let mut later = *self.from;
        later.tick();
        if later != *self.from {
            self.push(Action::Tick, |world| *world = later);
        }
    }

    pub(crate) fn push(&mut self, action: Action, change: impl FnOnce(&mut World)) {
        let mut world = *self.from;
        change(&mut world);
        world.settle(self.model);
        self.steps.push(Step {
            action,
            world,
            decision: None,
        });
    }

    pub(crate) fn decide(&mut self, decision: Decision, change: impl FnOnce(&mut World)) {
        self.push(Action::Decision(decision.verdict), change);
        if let Some(step) = self.steps.last_mut() {
            step.decision = Some(decision);
        }
    }
}
