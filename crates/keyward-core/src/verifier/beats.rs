//! Beats: telling the register again and again that this node is there, and how far it is.

use std::time::Duration;

use keyward_store::{Applied, RegisteredNode, StoreError};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

use super::caught::caught;
use super::node::Node;
use super::pace::{Trouble, jitter, retry};

/// The beater's own state: nobody else beats for this node.
#[derive(Debug)]
pub(crate) struct Beater {
    trouble: Trouble,
    /// When the next beat is due.
    due: Instant,
    /// When the next word on what was applied may be sent.
    quiet_until: Instant,
}

impl Beater {
    pub(crate) fn new() -> Self {
        Self {
            trouble: Trouble::none(
                "the register of nodes does not answer",
                "the register of nodes answers again",
            ),
            due: Instant::now(),
            quiet_until: Instant::now(),
        }
    }

    /// One beat, sent and heeded.
    pub(crate) async fn beat(&mut self, node: &Node) -> Result<(), StoreError> {
        let number = node.beats.note_sent();
        let outcome = send(node).await;
        node.beats.note_ended(number, outcome.is_ok());
        self.trouble.note(&outcome);
        let pause = jitter(node.limits.poll_interval);
        let pause = if outcome.is_ok() { pause } else { retry(pause) };
        self.due = Instant::now() + pause;
        outcome
    }

    /// Beats for ever: every so often, and whenever a load waits for it. Between beats it tells what
    /// was applied, so that those who wait for that need not wait for a beat.
    pub(crate) async fn run(mut self, node: &Node) {
        let mut news = node.applied.subscribe();
        // The first poll came after the first beat.
        news.mark_changed();
        loop {
            if self.rest(node, &mut news).await {
                news.mark_unchanged();
                if self.beat(node).await.is_ok() {
                    strike_the_forgotten(node).await;
                }
            } else {
                let applied = *news.borrow_and_update();
                tell(node, applied).await;
                self.quiet_until = Instant::now() + QUIET;
            }
        }
    }

    /// Returns when there is something to do, and whether it is a beat.
    async fn rest(&self, node: &Node, news: &mut watch::Receiver<Option<Applied>>) -> bool {
        if self.trouble.is_now() {
            // A store that fails is not asked without a pause.
            sleep_until(self.due).await;
            return true;
        }
        tokio::select! {
            () = sleep_until(self.due) => true,
            () = node.beats.wanted() => true,
            Ok(()) = async { sleep_until(self.quiet_until).await; news.changed().await } => false,
        }
    }
}

async fn send(node: &Node) -> Result<(), StoreError> {
    let sent = node.coherence.send_beat();
    let identity = &node.identity;
    let mut me = keyward_store::Node::new(identity.id, identity.name.clone(), sent.trust);
    me.applied = *node.applied.borrow();
    let register = node.store.register();
    let answer = timeout(node.limits.poll, caught(async { register.beat(&me).await })).await;
    let arrived = node.clock.boot();
    let beat = answer
        .map_err(StoreError::new)?
        .map_err(StoreError::new)??;
    if node.coherence.beaten(sent, beat.first_beat) {
        // The polls so far do not count any more.
        node.polls.wake();
    }
    node.observer.observe(&beat.nodes, arrived);
    Ok(())
}

/// What is lost here is told by the next beat.
async fn tell(node: &Node, applied: Option<Applied>) {
    let Some(applied) = applied else { return };
    let id = &node.identity.id;
    let told = timeout(
        node.limits.poll,
        caught(async { node.store.register().applied(id, applied).await }),
    );
    if !matches!(told.await, Ok(Ok(Ok(())))) {
        tracing::debug!(target: "keyward", "the register was not told what was applied");
    }
}

/// Nodes that crashed do not stay on the register.
async fn strike_the_forgotten(node: &Node) {
    for row in node.observer.forgotten(node.clock.boot()) {
        if row.node.id != node.identity.id {
            node.strike(&row, node.limits.poll).await;
        }
    }
}

impl Node {
    /// Strikes a node out if this still is its row; says whether that is certain.
    pub(crate) async fn strike(&self, row: &RegisteredNode, limit: Duration) -> bool {
        let struck = timeout(
            limit,
            caught(async {
                let register = self.store.register();
                register.strike(&row.node.id, row.beat).await
            }),
        );
        matches!(struck.await, Ok(Ok(Ok(true))))
    }

    /// Takes this node, which believes nothing any more, off the register: nobody need wait for it.
    pub(crate) async fn leave(&self) {
        let id = self.identity.id;
        let left = timeout(
            LEAVE_LIMIT,
            caught(async {
                let register = self.store.register();
                let rows = register.nodes().await?;
                for row in rows.iter().filter(|row| row.node.id == id) {
                    register.strike(&id, row.beat).await?;
                }
                Ok::<_, StoreError>(())
            }),
        );
        if !matches!(left.await, Ok(Ok(Ok(())))) {
            tracing::debug!(target: "keyward", "this node could not be taken off the register");
        }
    }
}

/// The least time between two words on what was applied: where changes come in a stream, the register
/// need not hear of each.
const QUIET: Duration = Duration::from_millis(10);
/// Whoever waits for this node otherwise waits for the length of its lease.
const LEAVE_LIMIT: Duration = Duration::from_secs(1);
