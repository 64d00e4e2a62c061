use std::time::Duration;

/// What the network does to connections. Each connection has the epoch in which it was accepted.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    pub(super) epoch: u64,
    pub(super) delay: Duration,
    frozen: bool,
    blackholed: bool,
    /// Connections of earlier epochs carry nothing any more.
    alive_from: u64,
    /// Connections of earlier epochs are closed.
    open_from: u64,
}

impl Faults {
    /// Whether bytes of a connection may pass now.
    pub(super) fn passes(&self, epoch: u64) -> bool {
        !self.frozen && !self.blackholed && epoch >= self.alive_from && !self.closes(epoch)
    }

    /// Whether a connection is to be closed.
    pub(super) fn closes(&self, epoch: u64) -> bool {
        epoch < self.open_from
    }

    pub(super) fn freeze(&mut self) {
        self.frozen = true;
    }

    pub(super) fn thaw(&mut self) {
        self.frozen = false;
    }

    pub(super) fn cut(&mut self) {
        self.epoch += 1;
        self.open_from = self.epoch;
    }

    pub(super) fn blackhole(&mut self) {
        self.blackholed = true;
    }

    pub(super) fn restore(&mut self) {
        if self.blackholed {
            self.blackholed = false;
            self.epoch += 1;
            self.alive_from = self.epoch;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blackhole_is_for_ever_for_the_connections_that_it_met() {
        let mut faults = Faults::default();
        faults.blackhole();
        let during = faults.epoch;
        assert!(!faults.passes(0));
        faults.restore();
        assert!(!faults.passes(during) && !faults.closes(during));
        assert!(faults.passes(faults.epoch));
    }

    #[test]
    fn a_cut_closes_what_is_frozen_or_blackholed_too() {
        let mut faults = Faults::default();
        faults.freeze();
        faults.blackhole();
        faults.cut();
        assert!(faults.closes(0));
        assert!(!faults.closes(faults.epoch));
    }
}
