//! Receipts: when a change is heeded everywhere, and what is certain of each node.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::{Builder, Issued, Keyward, NewKey, Outcome, Receipt};
use keyward_memory::MemoryStore;
use keyward_store::{KeyStore, LocalLog};
use keyward_testkit::{Call, Clock, Fault, FaultStore, Faults, LeakWatch, ManualClock};
use tokio::task::JoinHandle;

use crate::coherence::eventually;
use crate::support::{MOMENT, format};

const LEASE: Duration = Duration::from_secs(5);
const SECOND: Duration = Duration::from_secs(1);
/// What others wait beyond a lease, because clocks differ.
const MARGIN: Duration = Duration::from_millis(11);
const OFTEN: Duration = Duration::from_millis(20);

/// Several nodes over one store, whose clock stands still.
struct Cluster {
    store: Arc<MemoryStore>,
    clock: Clock,
    hand: ManualClock,
    watch: LeakWatch,
}

struct Node {
    keys: Keyward,
    faults: Faults,
}

type Setup = Builder<FaultStore<Arc<MemoryStore>>>;

impl Cluster {
    fn new() -> Self {
        let (clock, hand) = Clock::manual();
        Self {
            store: Arc::new(MemoryStore::with_clock(clock.clone())),
            clock,
            hand,
            watch: LeakWatch::start(),
        }
    }

    async fn node(&self, name: &str) -> Node {
        self.node_with(name, |builder| builder).await
    }

    async fn node_with(&self, name: &str, set: impl FnOnce(Setup) -> Setup) -> Node {
        let (through, faults) = FaultStore::new(self.store.clone());
        let builder = Keyward::builder(through).clock(self.clock.clone());
        let builder = builder.format(format()).node_name(name);
        let keys = set(builder).start().await.unwrap();
        Node { keys, faults }
    }

    async fn registered(&self) -> usize {
        self.store.register().nodes().await.unwrap().len()
    }

    async fn issue(&self, node: &Node) -> Issued {
        let new = NewKey::named("a").tenant("t");
        let issued = node.keys.issue(new).await.unwrap();
        self.watch.issued(&issued);
        issued
    }
}

impl Node {
    async fn accepts(&self, key: &Issued) -> bool {
        let credential = key.secret.expose().as_bytes();
        self.keys.verifier().verify(credential).await.is_ok()
    }

    /// Cuts it off from the store.
    fn cut_off(&self) {
        for call in [Call::Changes, Call::Load, Call::Beat, Call::Applied] {
            self.faults.always(call, Fault::Hang);
        }
    }

    fn confirm(&self) -> JoinHandle<Receipt> {
        let keys = self.keys.clone();
        tokio::spawn(async move { keys.confirm_everywhere().await })
    }

    fn revoke(&self, key: &Issued) -> JoinHandle<Receipt> {
        let (keys, id) = (self.keys.clone(), key.key.id.clone());
        tokio::spawn(async move { keys.revoke(&id).confirm_everywhere().await.unwrap() })
    }
}

fn outcomes(receipt: &Receipt) -> Vec<(&str, Outcome)> {
    let nodes = receipt.nodes.iter();
    let pairs = nodes.map(|confirmation| (&*confirmation.node, confirmation.outcome));
    pairs.collect()
}

#[tokio::test]
async fn a_receipt_names_every_node_and_none_accepts_the_key() {
    let cluster = Cluster::new();
    let nodes = [
        cluster.node("c").await,
        cluster.node("a").await,
        cluster.node("b").await,
    ];
    let key = cluster.issue(&nodes[0]).await;
    for node in &nodes {
        eventually(async || node.accepts(&key).await).await;
    }
    let receipt = nodes[0].keys.revoke(&key.key.id).confirm_everywhere();
    let receipt = receipt.await.unwrap();
    for node in &nodes {
        assert!(!node.accepts(&key).await);
    }
    let applied = ["a", "b", "c"].map(|name| (name, Outcome::Applied));
    assert_eq!(outcomes(&receipt), applied);
    assert_eq!(receipt.took, Duration::ZERO);
    let again = nodes[1].keys.revoke(&key.key.id).confirm_everywhere();
    assert_eq!(outcomes(&again.await.unwrap()), applied);
    assert_eq!(outcomes(&nodes[2].confirm().await.unwrap()), applied);
}

#[tokio::test]
async fn a_key_that_does_not_exist_has_no_receipt() {
    let cluster = Cluster::new();
    let node = cluster.node("a").await;
    let receipt = node.keys.revoke(&7.into()).confirm_everywhere().await;
    assert!(matches!(
        receipt,
        Err(keyward_core::LifecycleError::NotFound(_))
    ));
}

/// It goes on accepting the key for as long, so it must be waited for.
#[tokio::test]
async fn a_node_that_is_cut_off_is_waited_for_until_its_lease_is_over() {
    let cluster = Cluster::new();
    let (here, there) = (cluster.node("here").await, cluster.node("there").await);
    let key = cluster.issue(&here).await;
    assert!(there.accepts(&key).await);
    // Whoever has read that row has seen the last beat.
    here.confirm().await.unwrap();
    there.cut_off();
    let receipt = here.revoke(&key);
    tokio::time::sleep(MOMENT).await;
    cluster.hand.advance(LEASE - Duration::from_nanos(1));
    tokio::time::sleep(MOMENT).await;
    assert!(there.accepts(&key).await);
    assert!(!receipt.is_finished());
    cluster.hand.advance(MARGIN + Duration::from_nanos(1));
    let receipt = receipt.await.unwrap();
    let there = ("there", Outcome::LeaseOver);
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), there]);
    assert_eq!(receipt.took, LEASE + MARGIN);
    assert_eq!(cluster.registered().await, 1, "it was struck out");
}

#[tokio::test]
async fn a_node_with_a_longer_lease_is_waited_for_as_long() {
    let cluster = Cluster::new();
    let longer = |set: Setup| set.lease(LEASE * 2);
    let here = cluster.node("here").await;
    let there = cluster.node_with("there", longer).await;
    let key = cluster.issue(&here).await;
    assert!(there.accepts(&key).await);
    there.faults.always(Call::Changes, Fault::Hang);
    let receipt = here.revoke(&key);
    tokio::time::sleep(MOMENT).await;
    cluster.hand.advance(LEASE * 2 - Duration::from_nanos(1));
    tokio::time::sleep(MOMENT * 2).await;
    assert!(there.accepts(&key).await);
    assert!(!receipt.is_finished());
    cluster.hand.advance(MARGIN * 2);
    let receipt = receipt.await.unwrap();
    assert!(!there.accepts(&key).await);
    let there = ("there", Outcome::LeaseOver);
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), there]);
}

/// It was seen silent for long enough before: nothing is left to wait for.
#[tokio::test]
async fn a_node_whose_lease_is_over_already_is_not_waited_for() {
    let cluster = Cluster::new();
    let here = cluster.node_with("here", |set| set.poll_interval(OFTEN));
    let (here, there) = (here.await, cluster.node("there").await);
    there.cut_off();
    let beats = here.faults.calls(Call::Beat);
    eventually(async || here.faults.calls(Call::Beat) > beats + 1).await;
    cluster.hand.advance(LEASE + MARGIN);
    let receipt = here.confirm().await.unwrap();
    let there = ("there", Outcome::LeaseOver);
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), there]);
    assert_eq!(receipt.took, Duration::ZERO);
}

#[tokio::test]
async fn a_node_that_beats_and_does_not_hear_is_waited_for() {
    let cluster = Cluster::new();
    let (here, there) = (cluster.node("here").await, cluster.node("there").await);
    there.faults.always(Call::Changes, Fault::Fail);
    // The poll that is due meanwhile fails; so does each that follows.
    eventually(async || !there.keys.health().hints).await;
    let key = cluster.issue(&here).await;
    let receipt = here.revoke(&key);
    tokio::time::sleep(MOMENT).await;
    assert!(!receipt.is_finished());
    there.faults.heal(Call::Changes);
    let receipt = receipt.await.unwrap();
    let applied = ["here", "there"].map(|name| (name, Outcome::Applied));
    assert_eq!(outcomes(&receipt), applied);
}

/// The register was read by the last beat, and that node was not there yet.
#[tokio::test]
async fn a_node_that_has_just_begun_is_waited_for() {
    let cluster = Cluster::new();
    let seldom = |set: Setup| set.poll_interval(SECOND * 4);
    let here = cluster.node_with("here", seldom).await;
    let key = cluster.issue(&here).await;
    // While the revocation is on its way, and not committed yet.
    here.faults.once(Call::Commit, Fault::Delay(MOMENT * 4));
    let receipt = here.revoke(&key);
    let commits = here.faults.calls(Call::Commit);
    eventually(async || here.faults.calls(Call::Commit) > commits).await;
    let there = cluster.node("there").await;
    assert!(there.accepts(&key).await);
    there.cut_off();
    tokio::time::sleep(MOMENT * 8).await;
    assert!(there.accepts(&key).await);
    assert!(!receipt.is_finished());
    cluster.hand.advance(LEASE + MARGIN);
    let receipt = receipt.await.unwrap();
    let there = ("there", Outcome::LeaseOver);
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), there]);
}

#[tokio::test]
async fn a_node_that_leaves_is_not_waited_for() {
    let cluster = Cluster::new();
    let (here, there) = (cluster.node("here").await, cluster.node("there").await);
    there.cut_off();
    let receipt = here.confirm();
    tokio::time::sleep(MOMENT).await;
    assert!(!receipt.is_finished());
    there.keys.shutdown().await;
    let receipt = receipt.await.unwrap();
    let left = ("there", Outcome::Left);
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), left]);
    let receipt = here.confirm().await.unwrap();
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied)]);
}

#[tokio::test]
async fn a_node_that_hears_nothing_itself_waits_for_its_own_lease() {
    let cluster = Cluster::new();
    let short = |set: Setup| {
        set.lease(SECOND)
            .poll_interval(OFTEN)
            .load_limit(SECOND / 2)
    };
    let here = cluster.node_with("here", short).await;
    let there = cluster.node("there").await;
    let key = cluster.issue(&here).await;
    assert!(here.accepts(&key).await);
    here.faults.always(Call::Changes, Fault::Fail);
    eventually(async || !here.keys.health().hints).await;
    there.keys.revoke(&key.key.id).await.unwrap();
    there.keys.shutdown().await;
    let receipt = here.confirm();
    // It gives its own polls up in real time, and looks at the clock then.
    tokio::time::sleep(SECOND + MOMENT * 2).await;
    assert!(!receipt.is_finished());
    assert!(here.accepts(&key).await);
    cluster.hand.advance(SECOND + MARGIN);
    let receipt = receipt.await.unwrap();
    assert!(!here.accepts(&key).await);
    assert_eq!(outcomes(&receipt), [("here", Outcome::LeaseOver)]);
}

/// Without a word of its own on how far the change is, no other's word tells anything either.
#[tokio::test]
async fn who_hears_nothing_itself_takes_nobodys_word() {
    let cluster = Cluster::new();
    let short = |set: Setup| {
        set.lease(SECOND)
            .poll_interval(OFTEN)
            .load_limit(SECOND / 2)
    };
    let here = cluster.node_with("here", short).await;
    let _there = cluster.node("there").await;
    here.faults.always(Call::Changes, Fault::Fail);
    let receipt = here.confirm();
    tokio::time::sleep(SECOND + MOMENT * 2).await;
    assert!(!receipt.is_finished());
    cluster.hand.advance(LEASE + MARGIN);
    let over = ["here", "there"].map(|name| (name, Outcome::LeaseOver));
    assert_eq!(outcomes(&receipt.await.unwrap()), over);
}

#[tokio::test]
async fn without_the_register_time_alone_makes_it_certain() {
    for fault in [Fault::Fail, Fault::Hang, Fault::Panic] {
        let cluster = Cluster::new();
        let often = |set: Setup| set.poll_interval(OFTEN).poll_limit(MOMENT);
        let here = cluster.node_with("here", often).await;
        let _there = cluster.node("there").await;
        let beats = here.faults.calls(Call::Beat);
        eventually(async || here.faults.calls(Call::Beat) > beats + 1).await;
        here.faults.always(Call::Nodes, fault);
        let receipt = here.confirm();
        tokio::time::sleep(MOMENT * 2).await;
        assert!(!receipt.is_finished());
        cluster.hand.advance(LEASE + MARGIN);
        let receipt = receipt.await.unwrap();
        let there = ("there", Outcome::LeaseOver);
        assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), there]);
    }
}

#[tokio::test]
async fn a_register_that_fails_once_is_read_again() {
    let cluster = Cluster::new();
    let (here, _there) = (cluster.node("here").await, cluster.node("there").await);
    here.faults.times(3, Call::Nodes, Fault::Fail);
    let receipt = here.confirm().await.unwrap();
    let applied = ["here", "there"].map(|name| (name, Outcome::Applied));
    assert_eq!(outcomes(&receipt), applied);
}

#[tokio::test]
async fn who_cannot_be_struck_out_is_waited_for_to_the_end() {
    let cluster = Cluster::new();
    let often = |set: Setup| set.poll_interval(OFTEN);
    let here = cluster.node_with("here", often).await;
    let there = cluster.node("there").await;
    there.cut_off();
    let beats = here.faults.calls(Call::Beat);
    eventually(async || here.faults.calls(Call::Beat) > beats + 1).await;
    cluster.hand.advance(LEASE + MARGIN);
    here.faults.always(Call::Strike, Fault::Fail);
    let receipt = here.confirm();
    tokio::time::sleep(MOMENT).await;
    assert!(!receipt.is_finished());
    assert!(here.faults.calls(Call::Strike) > 1);
    cluster.hand.advance(LEASE + MARGIN);
    let receipt = receipt.await.unwrap();
    let there = ("there", Outcome::LeaseOver);
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied), there]);
}

/// Nodes of other processes are not on the register, and may know what is out of date for as long.
#[tokio::test]
async fn over_a_table_that_others_write_a_receipt_takes_as_long_as_facts_are_believed() {
    let (clock, hand) = Clock::manual();
    let age = SECOND * 60;
    let log = LocalLog::max_age(MemoryStore::default(), age);
    let builder = Keyward::builder(log).format(format()).clock(clock);
    let keys = builder.node_name("here").start().await.unwrap();
    let receipt = tokio::spawn(async move { keys.confirm_everywhere().await });
    tokio::time::sleep(MOMENT).await;
    hand.advance(age - Duration::from_nanos(1));
    tokio::time::sleep(MOMENT * 2).await;
    assert!(!receipt.is_finished());
    hand.advance(SECOND);
    let receipt = receipt.await.unwrap();
    assert_eq!(outcomes(&receipt), [("here", Outcome::Applied)]);
    assert!(receipt.took >= age);
}

#[tokio::test]
async fn a_node_that_was_shut_down_is_not_named() {
    let cluster = Cluster::new();
    let node = cluster.node("a").await;
    node.keys.shutdown().await;
    assert_eq!(outcomes(&node.confirm().await.unwrap()), []);
}

/// On real clocks: one lease and one second, whatever does not answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_receipt_comes_in_time_whatever_hangs() {
    let lease = SECOND;
    let quick = |builder: Setup| {
        let builder = builder.clock(Clock::system()).lease(lease);
        builder.poll_interval(SECOND / 5).load_limit(SECOND / 2)
    };
    let cluster = Cluster::new();
    let mut hanging = tokio::task::JoinSet::new();
    for call in [
        Call::Nodes,
        Call::Strike,
        Call::Changes,
        Call::Applied,
        Call::Beat,
    ] {
        let here = cluster.node_with("here", quick).await;
        here.faults.always(call, Fault::Hang);
        hanging.spawn(async move { here.keys.confirm_everywhere().await.took });
    }
    cluster.node_with("dropped", quick).await;
    while let Some(took) = hanging.join_next().await {
        let took = took.unwrap();
        assert!(took < lease + SECOND, "{took:?}");
    }
}

#[test]
fn outcomes_have_stable_words() {
    let words = [Outcome::Applied, Outcome::LeaseOver, Outcome::Left];
    let words = words.map(Outcome::as_str);
    assert_eq!(words, ["applied", "lease_over", "left"]);
}
