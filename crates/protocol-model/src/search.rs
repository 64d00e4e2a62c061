//! The search: breadth first, so that the first violation has the shortest trace.

use std::hash::{Hash, Hasher};

use crate::fingerprint::Fingerprint;
use crate::protocol::{Model, Step, Steps};
use crate::report::{Report, Violation};
use crate::seen::Seen;
use crate::world::World;

impl Model {
    /// Visits every state that can be reached, or stops at the first broken promise.
    #[must_use]
    pub fn explore(&self) -> Report {
        Search::new(self).run()
    }
}

#[derive(Debug)]
struct Search<'a> {
    model: &'a Model,
    start: World,
    /// The states seen, by their fingerprints: two of ten million meet once in 300,000 searches.
    seen: Seen,
    /// How each state was reached: from which, and by which of its steps.
    ways: Vec<(u32, u8)>,
    report: Report,
}

impl<'a> Search<'a> {
    fn new(model: &'a Model) -> Self {
        Self {
            model,
            start: World::new(&model.bounds),
            seen: Seen::new(),
            ways: Vec::new(),
            report: Report::default(),
        }
    }

    fn run(mut self) -> Report {
        let mut steps = Vec::new();
        let mut layer = vec![(
            self.start,
            self.reach(&self.start.clone(), 0, 0).unwrap_or(0),
        )];
        while !layer.is_empty() {
            let mut next = Vec::new();
            for (world, id) in layer {
                Steps::collect(self.model, &world, &mut steps);
                for (index, step) in (0_u8..).zip(&steps) {
                    if self.count(step) {
                        self.report.violation = Some(self.trace(id, index));
                        return self.report;
                    }
                    if let Some(id) = self.reach(&step.world, id, index) {
                        next.push((step.world, id));
                    }
                }
            }
            layer = next;
        }
        self.report
    }

    /// Says whether a promise is broken.
    fn count(&mut self, step: &Step) -> bool {
        self.report.count(&self.model.bounds, step)
    }

    /// The number of a state that is new.
    fn reach(&mut self, world: &World, from: u32, by: u8) -> Option<u32> {
        let mut hasher = Fingerprint::default();
        world.hash(&mut hasher);
        if !self.seen.insert(hasher.finish().max(1)) {
            return None;
        }
        self.ways.push((from, by));
        self.report.states += 1;
        u32::try_from(self.ways.len() - 1).ok()
    }

    fn trace(&self, last: u32, by: u8) -> Violation {
        let mut way = vec![by];
        let mut id = last;
        while id != 0 {
            let (from, by) = self.ways[id as usize];
            way.push(by);
            id = from;
        }
        let mut world = self.start;
        let mut steps = Vec::new();
        let mut actions = Vec::new();
        for by in way.into_iter().rev() {
            Steps::collect(self.model, &world, &mut steps);
            let step = steps[usize::from(by)];
            actions.push(step.action);
            world = step.world;
        }
        Violation { actions }
    }
}
