//! The promise, with several real processes on one Postgres, over HTTP.
#![expect(clippy::unwrap_used, reason = "these are tests")]
#![expect(clippy::print_stdout, reason = "what was measured is to be read")]

use std::path::Path;
use std::time::Duration;

use keyward_tests::cluster::{Answer, Client, Distribution, Node, Settings};
use keyward_throwaway::{Database, Proxy, Server};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

/// The defaults of `Builder`.
const LEASE: Duration = Duration::from_secs(5);
const POLL_INTERVAL: Duration = Duration::from_millis(1_100);
/// What a busy machine with two cores may take for a round trip.
const ROUND_TRIP: Duration = Duration::from_millis(500);

/// The name of a key, and the key.
type Key = (String, String);

async fn node(name: &str, database: &str, hints: bool) -> Node {
    let program = Path::new(env!("CARGO_BIN_EXE_node"));
    let settings = Settings {
        name,
        database,
        hints,
    };
    Node::start(program, &settings).await.unwrap()
}

/// New keys; fewer when the node fails in between.
async fn issue(client: &mut Client, many: usize) -> Vec<Key> {
    let answer = client
        .ask("POST", &format!("/keys?many={many}"), "")
        .await
        .unwrap();
    let issued = answer.body["issued"].as_array().unwrap().iter();
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    issued.map(|key| (text(&key[0]), text(&key[1]))).collect()
}

async fn revoke(client: &mut Client, key: &Key) -> Answer {
    client
        .ask("DELETE", &format!("/keys/{}", key.0), "")
        .await
        .unwrap()
}

/// Asks a node about one key again and again, and says when it is accepted first: when the last
/// request started that was accepted.
async fn watched(mut client: Client, key: String, first: mpsc::Sender<()>) -> Option<Instant> {
    let mut accepted = None;
    let mut refused = 0;
    while refused < 3 {
        let answer = client.whoami(&key).await.unwrap();
        match answer.status {
            200 => {
                assert_eq!(refused, 0, "a key that was refused is accepted again");
                if accepted.replace(answer.asked).is_none() {
                    first.send(()).await.unwrap();
                }
            }
            401 => refused += 1,
            status => panic!("{status} while nothing was wrong"),
        }
        sleep(Duration::from_millis(1)).await;
    }
    accepted
}

/// Keeps a node busy with good keys, until told to stop; says how many requests it answered.
async fn load(mut client: Client, keys: Vec<Key>, stop: watch::Receiver<bool>) -> usize {
    let mut answered = 0;
    while !*stop.borrow() {
        let key = &keys[answered % keys.len()];
        assert_eq!(client.whoami(&key.1).await.unwrap().status, 200);
        answered += 1;
        sleep(Duration::from_micros(200)).await;
    }
    answered
}

fn later(accepted: Instant, than: Instant) -> Duration {
    accepted.saturating_duration_since(than)
}

/// A thousand keys are revoked on one node, under load on all: it accepts none after the answer, a
/// second one hears of it at once, and a third, to which no notification gets through, at its next
/// poll.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_revocations_are_heeded_by_three_processes() {
    let database = Database::fresh().await.unwrap();
    let here = node("here", database.url(), true).await;
    let there = node("there", database.url(), true).await;
    let deaf = node("deaf", database.url(), false).await;
    let mut admin = here.client();
    let good = issue(&mut admin, 50).await;
    let keys = issue(&mut admin, 1_000).await;
    assert_eq!(keys.len(), 1_000);

    let (stop, stopped) = watch::channel(false);
    let mut busy = JoinSet::new();
    for node in [&here, &there, &deaf] {
        busy.spawn(load(node.client(), good.clone(), stopped.clone()));
    }

    let (mut own, mut heard, mut polled) = <(Distribution, Distribution, Distribution)>::default();
    for batch in keys.chunks(100) {
        let mut watchers = Vec::new();
        let (first, mut firsts) = mpsc::channel(1);
        for key in batch {
            let watch = |node: &Node| {
                let watched = watched(node.client(), key.1.clone(), first.clone());
                tokio::spawn(watched)
            };
            watchers.push([watch(&here), watch(&there), watch(&deaf)]);
        }
        for _ in 0..3 * batch.len() {
            firsts.recv().await.unwrap();
        }
        let mut answers = Vec::new();
        for key in batch {
            let answer = revoke(&mut admin, key).await;
            assert_eq!(answer.status, 200);
            answers.push(answer);
        }
        for (answer, [here, there, deaf]) in answers.iter().zip(watchers) {
            let last = here.await.unwrap().unwrap();
            assert!(
                last <= answer.answered,
                "accepted {:?} after the answer",
                later(last, answer.answered)
            );
            own.add(later(last, answer.asked));
            // The commit lies between the question and its answer.
            heard.add(later(there.await.unwrap().unwrap(), answer.asked));
            polled.add(later(deaf.await.unwrap().unwrap(), answer.asked));
        }
    }
    stop.send_replace(true);
    let answered: usize = busy.join_all().await.into_iter().sum();
    println!("last acceptance after a revocation was asked for, under load ({answered} requests):");
    println!("  same node: {own}");
    println!("  other node, notified: {heard}");
    println!("  other node, by its polls alone: {polled}");
    assert!(
        heard.quantile(990) < POLL_INTERVAL / 4,
        "notifications did not help: {heard}"
    );
    assert!(heard.max() < POLL_INTERVAL + ROUND_TRIP, "{heard}");
    assert!(polled.max() < POLL_INTERVAL + ROUND_TRIP, "{polled}");
    assert!(
        polled.quantile(500) > Duration::from_millis(100),
        "it was not deaf: {polled}"
    );
}

/// Once a receipt is there, no node accepts the key. It names the nodes, waits for the lease of one
/// that hangs, not for one whose lease is over, and forgets those that left.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_receipt_no_process_accepts_the_key() {
    let database = Database::fresh().await.unwrap();
    let here = node("here", database.url(), true).await;
    let there = node("there", database.url(), true).await;
    let hangs = node("hangs", database.url(), true).await;
    let mut admin = here.client();
    let keys = issue(&mut admin, 103).await;
    let mut clients = [here.client(), there.client(), hangs.client()];
    let mut took = Distribution::default();
    for key in &keys[..100] {
        for client in &mut clients {
            assert_eq!(client.whoami(&key.1).await.unwrap().status, 200);
        }
        let receipt = confirm(&mut admin, key).await;
        for client in &mut clients {
            assert_eq!(client.whoami(&key.1).await.unwrap().status, 401);
        }
        assert_eq!(
            outcomes(&receipt),
            ["hangs applied", "here applied", "there applied"]
        );
        took.add(later(receipt.answered, receipt.asked));
    }
    println!("a receipt of three processes: {took}");
    assert!(took.quantile(500) < Duration::from_secs(1), "{took}");

    for key in &keys[100..] {
        assert_eq!(clients[2].whoami(&key.1).await.unwrap().status, 200);
    }
    hangs.freeze().unwrap();
    let receipt = confirm(&mut admin, &keys[100]).await;
    assert_eq!(
        outcomes(&receipt),
        ["hangs lease_over", "here applied", "there applied"]
    );
    let waited = later(receipt.answered, receipt.asked);
    println!("with a process that hangs: {waited:.2?}");
    assert!(waited <= LEASE + Duration::from_secs(1), "{waited:?}");
    let again = confirm(&mut admin, &keys[101]).await;
    let waited = later(again.answered, again.asked);
    println!("with one whose lease is over: {waited:.2?}");
    assert!(waited < Duration::from_secs(1), "{waited:?}");
    hangs.thaw().unwrap();
    // Its first requests after the stop.
    for key in &keys[100..102] {
        assert_eq!(clients[2].whoami(&key.1).await.unwrap().status, 401);
    }
    assert_eq!(clients[2].whoami(&keys[102].1).await.unwrap().status, 200);

    there.end().await.unwrap();
    let receipt = confirm(&mut admin, &keys[102]).await;
    assert_eq!(outcomes(&receipt), ["hangs applied", "here applied"]);
    assert_eq!(clients[2].whoami(&keys[102].1).await.unwrap().status, 401);
}

async fn confirm(admin: &mut Client, key: &Key) -> Answer {
    let path = format!("/keys/{}?confirm=everywhere", key.0);
    let answer = admin.ask("DELETE", &path, "").await.unwrap();
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer
}

fn outcomes(receipt: &Answer) -> Vec<String> {
    let nodes = receipt.body["nodes"].as_array().unwrap().iter();
    nodes
        .map(|node| {
            format!(
                "{} {}",
                node[0].as_str().unwrap(),
                node[1].as_str().unwrap()
            )
        })
        .collect()
}

/// A node whose link to Postgres is frozen, sockets open, accepts what it knows until its lease ends
/// and nothing from then on; it says 503, never 401, and comes back by itself.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_link_is_frozen_stops_accepting_and_comes_back() {
    let database = Database::fresh().await.unwrap();
    let proxy = Proxy::to(database.address()).await.unwrap();
    let here = node("here", database.url(), true).await;
    let cut_off = node("cut off", &proxy.url(database.url()), true).await;
    let mut admin = here.client();
    let keys = issue(&mut admin, 2).await;
    let [revoked, good] = keys.as_slice() else {
        panic!("two keys")
    };
    let mut client = cut_off.client();
    for key in &keys {
        assert_eq!(client.whoami(&key.1).await.unwrap().status, 200);
    }

    proxy.freeze();
    let answer = revoke(&mut admin, revoked).await;
    let end = answer.answered + LEASE;
    let (mut accepted, mut unavailable) = (0, 0);
    while unavailable < 5 {
        for key in &keys {
            let seen = timeout(Duration::from_secs(10), client.whoami(&key.1)).await;
            let seen = seen.unwrap().unwrap();
            match seen.status {
                200 => {
                    assert!(
                        seen.asked <= end,
                        "accepted {:?} after the lease",
                        later(seen.asked, end)
                    );
                    accepted += 1;
                }
                503 => {
                    assert!(seen.retry_after);
                    unavailable += 1;
                }
                status => panic!("{status}"),
            }
        }
        sleep(Duration::from_millis(20)).await;
    }
    assert!(
        accepted > 10,
        "what is known is accepted until the lease ends"
    );
    assert_eq!(client.ask("GET", "/healthz", "").await.unwrap().status, 503);

    proxy.thaw();
    let back = Instant::now();
    while client.whoami(&good.1).await.unwrap().status != 200 {
        assert!(
            back.elapsed() < Duration::from_secs(10),
            "it does not come back"
        );
    }
    println!(
        "accepts again {:.2?} after its link is back",
        back.elapsed()
    );
    assert_eq!(client.whoami(&revoked.1).await.unwrap().status, 401);
    // A look-up may be answered before the poll that renews the lease.
    while client.ask("GET", "/healthz", "").await.unwrap().status != 200 {
        assert!(back.elapsed() < Duration::from_secs(10), "it is not well");
    }
}

mod server {
    use super::*;

    /// What was acknowledged, and what clients saw, while Postgres has accidents.
    #[derive(Default)]
    struct Seen {
        issued: Vec<Key>,
        revoked: Vec<Key>,
        unavailable: usize,
        accepted: usize,
    }

    /// Postgres is killed, paused and restarted under load. Good keys are never bad ones, all heals
    /// by itself, and no change that was acknowledged is lost.
    #[tokio::test(flavor = "multi_thread")]
    async fn accidents_of_postgres_make_no_key_bad_and_lose_nothing() {
        let server = Server::start().await.unwrap();
        let nodes = [
            node("one", &server.url(), true).await,
            node("two", &server.url(), true).await,
        ];
        let good = issue(&mut nodes[0].client(), 20).await;
        let (stop, stopped) = watch::channel(false);
        let mut watching = JoinSet::new();
        for node in &nodes {
            watching.spawn(hammer(node.client(), good.clone(), stopped.clone()));
        }
        let writing = tokio::spawn(write(nodes[0].client(), stopped));
        sleep(Duration::from_secs(1)).await;

        server.kill().await.unwrap();
        sleep(Duration::from_secs(2)).await;
        server.start_again().await.unwrap();
        heals(&nodes, &good, "a crash").await;

        server.pause().await.unwrap();
        sleep(LEASE + Duration::from_secs(3)).await;
        for node in &nodes {
            assert_eq!(node.client().whoami(&good[0].1).await.unwrap().status, 503);
        }
        server.resume().await.unwrap();
        heals(&nodes, &good, "a pause").await;

        server.restart().await.unwrap();
        heals(&nodes, &good, "a restart").await;

        stop.send_replace(true);
        let mut seen = writing.await.unwrap();
        for watched in watching.join_all().await {
            seen.accepted += watched.accepted;
            seen.unavailable += watched.unavailable;
        }
        let Seen {
            issued,
            revoked,
            unavailable,
            accepted,
        } = seen;
        println!(
            "{accepted} accepted, {unavailable} unavailable; {} issued and {} revoked",
            issued.len(),
            revoked.len()
        );
        assert!(unavailable > 0 && accepted > 0 && !revoked.is_empty());
        for node in &nodes {
            let mut client = node.client();
            for key in &revoked {
                assert_eq!(
                    client.whoami(&key.1).await.unwrap().status,
                    401,
                    "a revocation is lost"
                );
            }
            for key in &issued {
                assert_eq!(
                    client.whoami(&key.1).await.unwrap().status,
                    200,
                    "a key is lost"
                );
            }
        }
    }

    async fn heals(nodes: &[Node], good: &[Key], after: &str) {
        let start = Instant::now();
        for node in nodes {
            let mut client = node.client();
            for key in good {
                while client.whoami(&key.1).await.unwrap().status != 200 {
                    assert!(
                        start.elapsed() < Duration::from_secs(10),
                        "no end of {after}"
                    );
                }
            }
        }
        println!(
            "{:.2?} after {after} everything is accepted again",
            start.elapsed()
        );
        // Time for changes, too.
        sleep(Duration::from_secs(2)).await;
    }

    /// Presents good keys all the time.
    async fn hammer(mut client: Client, good: Vec<Key>, stop: watch::Receiver<bool>) -> Seen {
        let mut seen = Seen::default();
        while !*stop.borrow() {
            for key in &good {
                let answer = client.whoami(&key.1).await.unwrap();
                match answer.status {
                    200 => seen.accepted += 1,
                    503 => {
                        assert!(answer.retry_after);
                        seen.unavailable += 1;
                    }
                    status => panic!("{status} for a good key"),
                }
            }
            sleep(Duration::from_millis(5)).await;
        }
        seen
    }

    /// Issues keys and revokes every second one, and notes what was acknowledged.
    async fn write(mut client: Client, stop: watch::Receiver<bool>) -> Seen {
        let mut seen = Seen::default();
        while !*stop.borrow() {
            for (place, key) in issue(&mut client, 2).await.into_iter().enumerate() {
                if place == 0 && revoke(&mut client, &key).await.status == 200 {
                    seen.revoked.push(key);
                } else if place == 1 {
                    seen.issued.push(key);
                }
            }
            sleep(Duration::from_millis(20)).await;
        }
        seen
    }
}
