//! Loads on their way: one for each question, whoever asks it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use keyward_store::ReadFrom;
use tokio::sync::{Semaphore, watch};

use super::cache::CacheKey;
use super::coherence::Stamp;
use super::entry::Entry;
use crate::Reason;

/// What a load found.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    Found(Arc<Entry>),
    Absent(Stamp),
}

/// What a load ends in: an answer, or why there is none.
pub(crate) type Landing = Result<Answer, Reason>;

#[derive(Debug)]
pub(crate) struct Flights {
    flying: Mutex<HashMap<CacheKey, Flight>>,
    /// Held while a load is at the store.
    pub(crate) permits: Semaphore,
    tickets: AtomicU64,
    waiting: AtomicUsize,
}

#[derive(Debug, Clone)]
struct Flight {
    ticket: u64,
    from: ReadFrom,
    landed: watch::Receiver<Option<Landing>>,
}

/// One who waits for a load; dropping it harms nobody else.
#[derive(Debug)]
pub(crate) struct Passenger {
    landed: watch::Receiver<Option<Landing>>,
    flights: Arc<Flights>,
}

/// Whoever holds this lands the flight, or tells by dropping it that it crashed.
#[derive(Debug)]
pub(crate) struct Pilot {
    key: CacheKey,
    ticket: u64,
    landing: watch::Sender<Option<Landing>>,
    flights: Arc<Flights>,
}

impl Flights {
    pub(crate) fn new(loads_at_once: usize) -> Self {
        Self {
            flying: Mutex::default(),
            permits: Semaphore::new(loads_at_once),
            tickets: AtomicU64::new(0),
            waiting: AtomicUsize::new(0),
        }
    }

    /// From here on, flights that start bear this ticket or a later one.
    pub(crate) fn next_ticket(&self) -> u64 {
        self.tickets.load(Ordering::SeqCst)
    }

    /// Boards the flight for `key` that bears `not_before` or a later ticket and asks where it must;
    /// starts one when there is none, and then the second value flies it.
    pub(crate) fn board(
        self: &Arc<Self>,
        key: CacheKey,
        not_before: u64,
        from: ReadFrom,
    ) -> Result<(Passenger, Option<Pilot>), Reason> {
        // Whoever needs the primary does not join one who asks a replica.
        let serves = |flight: &&Flight| {
            flight.ticket >= not_before && (from == ReadFrom::Any || flight.from == from)
        };
        let mut flying = self.lock();
        let known = flying.get(&key).filter(serves);
        if let Some(flight) = known {
            let landed = flight.landed.clone();
            return Ok((self.passenger(landed)?, None));
        }
        if flying.len() >= MAX_FLYING {
            return Err(Reason::Overloaded);
        }
        let ticket = self.tickets.fetch_add(1, Ordering::SeqCst);
        let (landing, landed) = watch::channel(None);
        let passenger = self.passenger(landed.clone())?;
        let flight = Flight {
            ticket,
            from,
            landed,
        };
        flying.insert(key, flight);
        let pilot = Pilot {
            key,
            ticket,
            landing,
            flights: self.clone(),
        };
        Ok((passenger, Some(pilot)))
    }

    fn passenger(
        self: &Arc<Self>,
        landed: watch::Receiver<Option<Landing>>,
    ) -> Result<Passenger, Reason> {
        // Counted up first: this one is dropped again, and counted down, when there are too many.
        let before = self.waiting.fetch_add(1, Ordering::SeqCst);
        let passenger = Passenger {
            landed,
            flights: self.clone(),
        };
        if before < MAX_WAITING {
            Ok(passenger)
        } else {
            Err(Reason::Overloaded)
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CacheKey, Flight>> {
        self.flying.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passenger {
    pub(crate) async fn landing(mut self) -> Landing {
        match self.landed.wait_for(Option::is_some).await {
            Ok(landing) => landing.clone().unwrap_or(Err(Reason::LoadPanicked)),
            Err(_) => Err(Reason::LoadPanicked),
        }
    }
}

impl Drop for Passenger {
    fn drop(&mut self) {
        self.flights.waiting.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Pilot {
    pub(crate) fn land(self, landing: Landing) {
        // Off the board first: whoever looks from now on starts a flight of its own.
        self.leave_board();
        self.landing.send_replace(Some(landing));
    }

    fn leave_board(&self) {
        let mut flying = self.flights.lock();
        if flying
            .get(&self.key)
            .is_some_and(|flight| flight.ticket == self.ticket)
        {
            flying.remove(&self.key);
        }
    }
}

impl Drop for Pilot {
    fn drop(&mut self) {
        self.leave_board();
    }
}

/// Loads that fly or wait to fly; beyond it, new questions are refused at once.
const MAX_FLYING: usize = 4_096;
/// Requests that wait for loads; each holds its request in memory.
const MAX_WAITING: usize = 65_536;

#[cfg(test)]
mod tests {
    use keyward_store::Digest;

    use super::*;

    fn key(n: u8) -> CacheKey {
        CacheKey::Digest(Digest::sha256(&[n]))
    }

    #[tokio::test]
    async fn who_comes_while_it_flies_shares_the_landing() {
        let flights = Arc::new(Flights::new(1));
        let (first, pilot) = flights.board(key(1), 0, ReadFrom::Any).unwrap();
        let (second, none) = flights.board(key(1), 0, ReadFrom::Any).unwrap();
        assert!(none.is_none());
        drop(first);
        pilot.unwrap().land(Err(Reason::LoadTimedOut));
        assert!(matches!(second.landing().await, Err(Reason::LoadTimedOut)));
        assert!(
            flights.board(key(1), 0, ReadFrom::Any).unwrap().1.is_some(),
            "it has left the board"
        );
    }

    #[tokio::test]
    async fn a_later_flight_takes_the_place_of_one_that_started_too_early() {
        let flights = Arc::new(Flights::new(1));
        let (_early, early_pilot) = flights.board(key(1), 0, ReadFrom::Any).unwrap();
        let not_before = flights.next_ticket();
        let (late, late_pilot) = flights.board(key(1), not_before, ReadFrom::Any).unwrap();
        assert!(late_pilot.is_some());
        drop(early_pilot);
        let (joined, none) = flights.board(key(1), not_before, ReadFrom::Any).unwrap();
        assert!(
            none.is_none(),
            "the early one's end does not take the late one off the board"
        );
        late_pilot.unwrap().land(Err(Reason::Stale));
        assert!(matches!(late.landing().await, Err(Reason::Stale)));
        assert!(matches!(joined.landing().await, Err(Reason::Stale)));
    }

    #[tokio::test]
    async fn a_crash_is_told_and_numbers_are_bounded() {
        let flights = Arc::new(Flights::new(1));
        let (passenger, pilot) = flights.board(key(1), 0, ReadFrom::Any).unwrap();
        drop(pilot);
        assert!(matches!(
            passenger.landing().await,
            Err(Reason::LoadPanicked)
        ));
        let many = |n: usize| CacheKey::Digest(Digest::sha256(&n.to_le_bytes()));
        let pilots: Vec<_> = (0..MAX_FLYING)
            .map(|n| flights.board(many(n), 0, ReadFrom::Any).unwrap())
            .collect();
        assert!(matches!(
            flights.board(many(MAX_FLYING), 0, ReadFrom::Any),
            Err(Reason::Overloaded)
        ));
        drop(pilots);
        assert!(flights.board(many(MAX_FLYING), 0, ReadFrom::Any).is_ok());
        assert_eq!(flights.waiting.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn who_needs_the_primary_does_not_join_who_asks_a_replica() {
        let flights = Arc::new(Flights::new(1));
        let _any = flights.board(key(1), 0, ReadFrom::Any).unwrap();
        let (_passenger, pilot) = flights.board(key(1), 0, ReadFrom::Primary).unwrap();
        assert!(pilot.is_some());
        assert!(flights.board(key(1), 0, ReadFrom::Any).unwrap().1.is_none());
    }
}
