//! The decision by itself: what is left when HTTP is taken away.

use std::hint::black_box;

use keyward::{Verification, Verifier};

use crate::harness::Contender;

pub(super) struct Check {
    verifier: Verifier,
    credential: String,
}

impl Check {
    pub(super) fn new(verifier: Verifier, credential: &str) -> Self {
        Self {
            verifier,
            credential: credential.to_owned(),
        }
    }
}

impl Contender for Check {
    fn prepare(&mut self, _: usize) {}

    fn answer(&mut self, n: usize) -> usize {
        let mut wrong = 0;
        for _ in 0..n {
            let decision = self.verifier.check(black_box(self.credential.as_bytes()));
            if !matches!(black_box(decision), Verification::Decided(Ok(_))) {
                wrong += 1;
            }
        }
        wrong
    }
}
