//! A primary is lost, and with it the last changes; a standby takes its place.

use keyward_core::{Issued, Reason};
use keyward_throwaway::Server;

use super::switch::Switch;
use super::{ask, follows, issue, number, part, primary};
use crate::support::{Answer, HEALED, Node, REVOKED, SOON, connect, often, quoted, trusting};

/// The promoted standby counts on from where it was: its next changes bear the numbers of those that
/// were lost. Who goes by numbers alone does not see them.
#[tokio::test(flavor = "multi_thread")]
async fn changes_that_reuse_the_numbers_of_a_lost_tail_are_seen() {
    let failover = Failover::start().await;
    let nodes = failover.nodes().await;
    let here = &nodes[0];
    let [kept, doomed, pardoned] = [issue(here).await, issue(here).await, issue(here).await];
    follows(&failover.standby, &failover.primary).await;

    part(&failover.standby).await;
    here.keys.revoke(&pardoned.key.id).await.unwrap();
    let ghost = issue(here).await;
    here.keys.tenant("nobody").suspend().await.unwrap();
    for node in &nodes {
        node.comes_to(&pardoned.secret, REVOKED, SOON).await;
        for key in [&kept, &doomed, &ghost] {
            node.comes_to(&key.secret, Answer::Accepted, SOON).await;
        }
    }
    let lost = number(&failover.primary).await;

    failover.primary.kill().await.unwrap();
    failover.standby.promote().await.unwrap();
    // As many changes as were lost, before any node comes back: the numbers are the same.
    let id = quoted(&doomed.key.id);
    let revoke = format!("UPDATE keyward.keys SET revoked_at = now() WHERE id = {id}");
    failover.standby.execute(&revoke).await.unwrap();
    while number(&failover.standby).await < lost {
        let other = "INSERT INTO keyward.tenants (id) SELECT 'other-' || count(*) \
            FROM keyward.tenants";
        failover.standby.execute(other).await.unwrap();
    }
    assert_eq!(number(&failover.standby).await, lost);
    failover.switch.turn_to(&failover.standby);

    for node in &nodes {
        node.comes_to(&doomed.secret, REVOKED, HEALED).await;
        let unknown = Answer::Refused(Reason::Unknown);
        node.comes_to(&ghost.secret, unknown, HEALED).await;
        // The revocation was lost: what the operator owes is a standby that waits for it.
        node.comes_to(&pardoned.secret, Answer::Accepted, HEALED)
            .await;
        node.comes_to(&kept.secret, Answer::Accepted, HEALED).await;
    }
    failover.works(&nodes, &kept).await;
}

/// The same where the new primary is behind in numbers, so that they look like the past.
#[tokio::test(flavor = "multi_thread")]
async fn changes_below_the_lost_numbers_are_seen() {
    let failover = Failover::start().await;
    let nodes = failover.nodes().await;
    let kept = issue(&nodes[0]).await;
    follows(&failover.standby, &failover.primary).await;
    part(&failover.standby).await;
    let ghost = issue(&nodes[0]).await;
    for _ in 0..20 {
        let nobody = nodes[0].keys.tenant("nobody");
        nobody.suspend().await.unwrap();
        nobody.resume().await.unwrap();
    }
    for node in &nodes {
        node.comes_to(&ghost.secret, Answer::Accepted, SOON).await;
        node.comes_to(&kept.secret, Answer::Accepted, SOON).await;
    }
    failover.primary.kill().await.unwrap();
    failover.standby.promote().await.unwrap();
    failover.switch.turn_to(&failover.standby);
    for node in &nodes {
        let unknown = Answer::Refused(Reason::Unknown);
        node.comes_to(&ghost.secret, unknown, HEALED).await;
        node.comes_to(&kept.secret, Answer::Accepted, HEALED).await;
    }
    failover.works(&nodes, &kept).await;
}

/// Two nodes may find the promoted server at once: it begins one history, not two in turn.
#[tokio::test(flavor = "multi_thread")]
async fn a_promoted_server_begins_one_history() {
    let failover = Failover::start().await;
    let kept = issue(&failover.nodes().await[0]).await;
    follows(&failover.standby, &failover.primary).await;
    failover.primary.kill().await.unwrap();
    failover.standby.promote().await.unwrap();
    failover.switch.turn_to(&failover.standby);
    let before = history(&failover.standby).await;
    let nodes = [failover.nodes().await, failover.nodes().await];
    let begun = history(&failover.standby).await;
    assert_ne!(before, begun);
    for node in nodes.as_flattened() {
        assert!(node.accepts(&kept.secret).await);
    }
    failover.nodes().await;
    assert_eq!(history(&failover.standby).await, begun);
}

/// A primary and a standby behind one address.
struct Failover {
    primary: Server,
    standby: Server,
    switch: Switch,
}

impl Failover {
    async fn start() -> Self {
        let primary = primary().await;
        let standby = primary.standby(None).await.unwrap();
        let switch = Switch::to(&primary).await;
        Self {
            primary,
            standby,
            switch,
        }
    }

    /// One that polls often, and one whose lease does not end in a test.
    async fn nodes(&self) -> [Node; 2] {
        let url = self.switch.url();
        [
            Node::start(connect(&url), often).await,
            Node::start(connect(&url), trusting).await,
        ]
    }

    /// Changes after the promotion are heeded by all.
    async fn works(&self, nodes: &[Node; 2], kept: &Issued) {
        let fresh = issue(&nodes[0]).await;
        nodes[1]
            .comes_to(&fresh.secret, Answer::Accepted, SOON)
            .await;
        for key in [&fresh, kept] {
            nodes[0].keys.revoke(&key.key.id).await.unwrap();
            assert_eq!(nodes[0].answer(&key.secret).await, REVOKED);
            nodes[1].comes_to(&key.secret, REVOKED, SOON).await;
        }
    }
}

async fn history(server: &Server) -> String {
    ask(server, "SELECT history::text FROM keyward.log").await
}
