//! The network between a node and the database fails; the database goes on.

use std::time::Duration;

use keyward_core::Issued;
use keyward_store::{Cursor, KeyStore, NodeId};
use keyward_throwaway::Proxy;
use tokio::time::{Instant, sleep, timeout};

use crate::outage::Outage;
use crate::support::{
    Answer, HEALED, LEASE, Node, REVOKED, SOON, Site, connect, new_key, often, run, trusting,
};

#[tokio::test]
async fn a_half_open_link_is_refused_on_within_a_lease_and_heals() {
    let cut_off = CutOff::start().await;
    let mut outage = cut_off.outage().await;
    cut_off.proxy.blackhole();
    outage.begins();
    outage.meanwhile_elsewhere(&cut_off.elsewhere).await;
    outage.goes_dark().await;
    cut_off.proxy.restore().await.unwrap();
    outage.heals_and_knows().await;
    outage.ends().await;
}

#[tokio::test]
async fn a_frozen_link_is_refused_on_within_a_lease_and_heals() {
    let cut_off = CutOff::start().await;
    let mut outage = cut_off.outage().await;
    cut_off.proxy.freeze();
    outage.begins();
    outage.meanwhile_elsewhere(&cut_off.elsewhere).await;
    outage.goes_dark().await;
    cut_off.proxy.thaw();
    outage.heals_and_knows().await;
    outage.ends().await;
}

#[tokio::test]
async fn a_cut_link_is_refused_on_within_a_lease_and_heals() {
    let cut_off = CutOff::start().await;
    let mut outage = cut_off.outage().await;
    cut_off.proxy.cut().await;
    outage.begins();
    outage.meanwhile_elsewhere(&cut_off.elsewhere).await;
    outage.goes_dark().await;
    cut_off.proxy.restore().await.unwrap();
    outage.heals_and_knows().await;
    outage.ends().await;
}

/// An outage that is shorter than a lease is not noticed by those whose keys are cached.
#[tokio::test]
async fn a_short_outage_harms_no_cached_key() {
    let cut_off = CutOff::start().await;
    let mut outage = cut_off.outage().await;
    cut_off.proxy.cut().await;
    outage.begins();
    cut_off.proxy.restore().await.unwrap();
    outage.heals().await;
    outage.ends().await;
}

/// A listener that an operator ended is replaced, and hears again.
#[tokio::test]
async fn a_listener_that_was_killed_hears_again() {
    let site = Site::fresh().await;
    let here = Node::start(site.store(), trusting).await;
    let there = Node::start(site.store(), trusting).await;
    for _turn in 0..3 {
        let known = site.issue(&here, new_key()).await;
        there.comes_to(&known.secret, Answer::Accepted, SOON).await;
        assert!(kill_sessions(&site).await >= 2);
        here.keys.revoke(&known.key.id).await.unwrap();
        there.comes_to(&known.secret, REVOKED, HEALED).await;
    }
    // Far more often than polls are due.
    for _turn in 0..3 {
        let issued = site.issue(&here, new_key()).await;
        there.comes_to(&issued.secret, Answer::Accepted, SOON).await;
        here.keys.revoke(&issued.key.id).await.unwrap();
        there.comes_to(&issued.secret, REVOKED, SOON).await;
    }
}

/// What breaks while something else is asked over it, nobody would listen on until the next poll.
#[tokio::test]
async fn a_link_that_breaks_during_a_beat_is_news() {
    let site = Site::fresh().await;
    let store = site.store();
    let cursor = store.changes(&Cursor::origin()).await.unwrap().cursor;
    let registered = keyward_store::Node::new(NodeId::generate(), "here", LEASE);
    store.register().beat(&registered).await.unwrap();
    let hint = tokio::spawn({
        let store = store.clone();
        async move { store.hint(&cursor).await }
    });
    let mut lock = site.database.connect().await.unwrap();
    run(
        &mut lock,
        &["BEGIN", "SELECT FROM keyward.nodes FOR UPDATE"],
    )
    .await;
    let beat = tokio::spawn(async move { store.register().beat(&registered).await });
    sleep(Duration::from_millis(100)).await;
    assert!(!beat.is_finished() && !hint.is_finished());
    kill_sessions(&site).await;
    timeout(SOON, hint).await.unwrap().unwrap();
    // By way of the pool.
    beat.await.unwrap().unwrap();
}

/// A change that was made while nobody listened is told by the poll that follows the new LISTEN.
#[tokio::test]
async fn a_change_between_two_listeners_is_seen() {
    let site = Site::fresh().await;
    let proxy = Proxy::to(site.database.address()).await.unwrap();
    let there = connect(&proxy.url(site.database.url()));
    let there = Node::start(there, trusting).await;
    let here = site.node().await;
    let issued = site.issue(&here, new_key()).await;
    assert!(there.accepts(&issued.secret).await);
    proxy.cut().await;
    here.keys.revoke(&issued.key.id).await.unwrap();
    proxy.restore().await.unwrap();
    there.comes_to(&issued.secret, REVOKED, HEALED).await;
}

/// Idle connections of the pool that died unseen do not cost one time limit each.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_dead_connections_is_replaced_soon() {
    let cut_off = CutOff::start().await;
    let node = &cut_off.node;
    // Enough at once to open as many connections as the pool may have.
    let keys = cut_off.issue(64).await;
    let answers = node.answers(keys.iter().map(|key| &key.secret)).await;
    assert!(
        answers.iter().all(|answer| *answer == Answer::Accepted),
        "{answers:?}"
    );
    let cold = cut_off.issue(20).await;
    cut_off.proxy.blackhole();
    cut_off.proxy.restore().await.unwrap();
    let restored = Instant::now();
    let mut cold = cold.iter();
    while node.answer(&cold.next().unwrap().secret).await != Answer::Accepted {
        assert!(restored.elapsed() < HEALED);
        // One request a second, so that they do not clear the pool by their number.
        sleep(Duration::from_secs(1)).await;
    }
    println!(
        "a look-up works {:?} after its connections died",
        restored.elapsed()
    );
    for key in cold {
        node.comes_to(&key.secret, Answer::Accepted, HEALED).await;
    }
    assert!(restored.elapsed() < HEALED, "{:?}", restored.elapsed());
}

/// A node behind a network that can fail, and one elsewhere that it does not concern.
struct CutOff {
    site: Site,
    proxy: Proxy,
    node: Node,
    elsewhere: Node,
}

impl CutOff {
    async fn start() -> Self {
        let site = Site::fresh().await;
        let proxy = Proxy::to(site.database.address()).await.unwrap();
        let node = Node::start(connect(&proxy.url(site.database.url())), often).await;
        let elsewhere = Node::start(site.store(), often).await;
        Self {
            site,
            proxy,
            node,
            elsewhere,
        }
    }

    async fn outage(&self) -> Outage {
        Outage::on(&self.site, self.node.clone()).await
    }

    /// Keys that the node has not seen.
    async fn issue(&self, number: usize) -> Vec<Issued> {
        let mut keys = Vec::new();
        for _ in 0..number {
            keys.push(self.site.issue(&self.elsewhere, new_key()).await);
        }
        keys
    }
}

/// Ends every other session, listeners among them, and says how many there were.
async fn kill_sessions(site: &Site) -> i64 {
    let mut session = site.database.connect().await.unwrap();
    let sql = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity \
        WHERE datname = current_database() AND pid <> pg_backend_pid()";
    sqlx::query_scalar(sql)
        .fetch_one(&mut session)
        .await
        .unwrap()
}
