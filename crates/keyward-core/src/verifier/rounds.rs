//! How those who ask the store again and again are found by those who need an answer soon.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// Which polls, or which beats, were sent and have ended, and whether one is wanted.
#[derive(Debug)]
pub(crate) struct Rounds {
    /// The number of the last that was sent.
    sent: AtomicU64,
    ended: watch::Sender<Ended>,
    wanted: Notify,
}

#[derive(Clone, Copy, Debug, Default)]
struct Ended {
    /// The number of the last that ended, however it did.
    last: u64,
    /// The number of the last that succeeded.
    succeeded: u64,
}

impl Rounds {
    pub(crate) fn new() -> Self {
        Self {
            sent: AtomicU64::new(0),
            ended: watch::Sender::new(Ended::default()),
            wanted: Notify::new(),
        }
    }

    /// Called right before one is sent; it bears the number from then on.
    pub(crate) fn note_sent(&self) -> u64 {
        self.sent.fetch_add(1, Ordering::SeqCst) + 1
    }

    /// The one of that number has ended: what it brought has been applied, or it failed.
    pub(crate) fn note_ended(&self, number: u64, succeeded: bool) {
        self.ended.send_modify(|ended| {
            ended.last = number;
            if succeeded {
                ended.succeeded = number;
            }
        });
    }

    /// Returns when one is wanted sooner than its time.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }

    /// Has one sent soon.
    pub(crate) fn wake(&self) {
        self.wanted.notify_one();
    }

    /// Waits until one that is sent after this call has succeeded, `at_most` so long; says whether
    /// it has.
    pub(crate) async fn one_more(&self, at_most: Duration) -> bool {
        self.wait(at_most, |ended| ended.succeeded).await
    }

    /// Waits until one that is sent after this call has ended, `at_most` so long.
    pub(crate) async fn one_try(&self, at_most: Duration) {
        self.wait(at_most, |ended| ended.last).await;
    }

    async fn wait(&self, at_most: Duration, number: fn(&Ended) -> u64) -> bool {
        let last = self.sent.load(Ordering::SeqCst);
        let mut ended = self.ended.subscribe();
        self.wake();
        let after = ended.wait_for(|ended| number(ended) > last);
        matches!(timeout(at_most, after).await, Ok(Ok(_)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3_600);

    /// Whether a wait is over, after a round that was sent before it and one that was sent after.
    async fn ends(succeeded: bool, wait: impl AsyncFn(&Rounds) -> bool) -> [bool; 2] {
        let rounds = Rounds::new();
        let before = rounds.note_sent();
        let mut waiting = std::pin::pin!(wait(&rounds));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        let mut is_over = || waiting.as_mut().poll(&mut context).is_ready();
        assert!(!is_over());
        rounds.wanted().await;
        rounds.note_ended(before, succeeded);
        let early = is_over();
        let after = rounds.note_sent();
        rounds.note_ended(after, succeeded);
        [early, !early && is_over()]
    }

    #[tokio::test]
    async fn only_a_round_that_is_sent_after_the_call_counts() {
        let one_more = async |rounds: &Rounds| rounds.one_more(LONG).await;
        assert_eq!(ends(true, one_more).await, [false, true]);
        assert_eq!(ends(false, one_more).await, [false, false]);
        let one_try = async |rounds: &Rounds| {
            rounds.one_try(LONG).await;
            true
        };
        assert_eq!(ends(true, one_try).await, [false, true]);
        assert_eq!(ends(false, one_try).await, [false, true]);
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_for_ever_and_is_told_so() {
        let rounds = Rounds::new();
        assert!(!rounds.one_more(LONG).await);
        rounds.one_try(LONG).await;
    }
}
