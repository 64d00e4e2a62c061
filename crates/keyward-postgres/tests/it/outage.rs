//! What every node owes while the database cannot be reached, and afterwards.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::Issued;
use keyward_store::Plaintext;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, sleep_until};

use crate::support::{
    Answer, HEALED, INTERVAL, LEASE, LOAD_LIMIT, Node, REVOKED, Site, new_key, within,
};

/// A node, three keys, and a client that asks about one of them all the time.
pub(crate) struct Outage {
    node: Node,
    known: Arc<Issued>,
    doomed: Issued,
    /// The node hears of it for the first time during the outage.
    cold: Issued,
    client: Client,
    failed: Instant,
}

impl Outage {
    /// Warms the node up, issuing keys through it.
    pub(crate) async fn prepare(node: Node, watch: impl Fn(&Issued)) -> Self {
        let issue = async || {
            let issued = node.keys.issue(new_key()).await.unwrap();
            watch(&issued);
            issued
        };
        let (known, doomed, cold) = (issue().await, issue().await, issue().await);
        for key in [&known, &doomed] {
            assert!(node.accepts(&key.secret).await);
        }
        let known = Arc::new(known);
        let client = Client::start(node.clone(), known.clone());
        let failed = Instant::now();
        Self {
            node,
            known,
            doomed,
            cold,
            client,
            failed,
        }
    }

    /// The same on a database that others share.
    pub(crate) async fn on(site: &Site, node: Node) -> Self {
        Self::prepare(node, |issued| site.watch(issued)).await
    }

    /// To be called right after the fault.
    pub(crate) fn begins(&mut self) {
        self.failed = Instant::now();
    }

    /// Somebody who still reaches the database revokes a key: the node accepts it for a lease at most.
    pub(crate) async fn meanwhile_elsewhere(&self, elsewhere: &Node) {
        elsewhere.keys.revoke(&self.doomed.key.id).await.unwrap();
        sleep(LEASE).await;
        assert_ne!(
            self.node.answer(&self.doomed.secret).await,
            Answer::Accepted
        );
    }

    /// The lease has run out: 503 for every key, and no request hangs.
    pub(crate) async fn goes_dark(&self) {
        sleep_until(self.failed + LEASE + INTERVAL).await;
        for key in [&self.known.secret, &self.doomed.secret, &self.cold.secret] {
            let asked = Instant::now();
            assert_eq!(self.node.answer(key).await, Answer::Unavailable);
            let took = asked.elapsed();
            assert!(took < 2 * LOAD_LIMIT, "{took:?}");
        }
    }

    /// The fault is over: good keys are accepted again, without anybody's help.
    pub(crate) async fn heals(&self) {
        for key in [&self.known.secret, &self.cold.secret] {
            self.node.comes_to(key, Answer::Accepted, HEALED).await;
        }
        // Look-ups alone would do for that. A change returns before a lease is over only if polls
        // are answered again.
        within(HEALED, "the node hears of changes", async || {
            let asked = Instant::now();
            self.node.keys.issue(new_key()).await.unwrap();
            asked.elapsed() < LEASE / 2
        })
        .await;
    }

    /// As [`heals`](Self::heals), and the key that was revoked meanwhile is refused.
    pub(crate) async fn heals_and_knows(&self) {
        self.heals().await;
        self.node
            .comes_to(&self.doomed.secret, REVOKED, HEALED)
            .await;
    }

    /// What the client saw: cached keys were accepted for most of a lease, and a good key was never
    /// called bad.
    pub(crate) async fn ends(self) {
        let seen = self.client.stop().await;
        let early = self.failed + LEASE - Duration::from_millis(1_500);
        for (asked, answer) in &seen {
            let after = asked.saturating_duration_since(self.failed);
            assert!(
                !matches!(answer, Answer::Refused(_)),
                "{answer:?} after {after:?}"
            );
            let cached = *asked > early || *answer == Answer::Accepted;
            assert!(
                cached,
                "{answer:?} after {after:?}, when the lease was not over"
            );
        }
        let (_, last) = seen.last().unwrap();
        assert_eq!(*last, Answer::Accepted);
    }
}

/// Asks about one key again and again, and notes what it was told.
struct Client {
    stopping: Arc<AtomicBool>,
    task: JoinHandle<Vec<(Instant, Answer)>>,
}

impl Client {
    fn start(node: Node, key: Arc<Issued>) -> Self {
        let stopping = Arc::new(AtomicBool::new(false));
        let stop = stopping.clone();
        let task = tokio::spawn(async move {
            let key: &Plaintext = &key.secret;
            let mut seen = Vec::new();
            loop {
                let last = stop.load(Ordering::SeqCst);
                seen.push((Instant::now(), node.answer(key).await));
                if last {
                    return seen;
                }
                sleep(Duration::from_millis(5)).await;
            }
        });
        Self { stopping, task }
    }

    async fn stop(self) -> Vec<(Instant, Answer)> {
        self.stopping.store(true, Ordering::SeqCst);
        self.task.await.unwrap()
    }
}
