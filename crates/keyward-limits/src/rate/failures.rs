use std::sync::Arc;
use std::time::Duration;

use http::request::Parts;
use keyward::{Clock, Denied, Limit, Reason};

use super::buckets::{Buckets, Counted, take};
use super::gcra::Rate;
use super::subject::{Subject, Who};
use crate::address::AddressOf;

/// What has failed, by address. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Failures {
    limit: Limit,
    address: AddressOf,
    clock: Clock,
    buckets: Arc<Buckets>,
}

impl Failures {
    pub(crate) fn new(limit: Limit, address: AddressOf) -> Self {
        Self {
            limit,
            address,
            clock: Clock::system(),
            buckets: Arc::new(Buckets::new(ROOM)),
        }
    }

    pub(crate) fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// From whom a request comes.
    pub(crate) fn who(&self, parts: &Parts) -> Who {
        let address = self.address.of(parts);
        address.map_or_else(|| Who::Named("unknown".into()), Who::address)
    }

    /// Counts a failure; an error when it is one too many.
    pub(crate) fn count(&self, who: &Who) -> Result<(), Denied> {
        let now = self.clock.boot().as_nanos();
        let subject = Subject {
            rule: "failures".into(),
            who: who.clone(),
        };
        let counted = Counted {
            bucket: self.buckets.bucket(&subject, now),
            subject,
            limits: [(self.limit, Rate::of(&self.limit))].into(),
        };
        match take(&[counted], now, None) {
            None => Ok(()),
            Some(wait) => Err(Denied::too_many_requests(
                Reason::TooManyFailures,
                Duration::from_nanos(wait),
            )),
        }
    }
}

const ROOM: usize = 100_000;
