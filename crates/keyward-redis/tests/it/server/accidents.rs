//! A server that is killed, frozen, emptied, full or demoted.

use std::num::NonZeroU32;
use std::time::Duration;

use axum::Router;
use keyward::Issued;
use keyward_limits::{SharedLimits, WhenAway};
use keyward_redis::RedisLimits;
use redis_server::RedisServer;
use tokio::time::{Instant, sleep};

use crate::support::{Fixture, HOUR, Nodes, per_key, send, shared};

/// The second for which nobody asks; and again, as the machine may be too busy for one look.
const HEALED: Duration = Duration::from_millis(2_750);
const PATIENCE: Duration = Duration::from_millis(250);
/// Where a busy machine shall not be taken for a server that is away.
const LONG: Duration = Duration::from_secs(5);

fn three() -> WhenAway {
    WhenAway::LocalShare(NonZeroU32::new(3).unwrap())
}

/// Asks until the status is this one, and says how long that took.
async fn until(app: &Router, key: &Issued, status: u16) -> Duration {
    let start = Instant::now();
    while send(app, key).await.0 != status {
        assert!(start.elapsed() < Duration::from_secs(10), "not {status}");
        sleep(Duration::from_millis(10)).await;
    }
    start.elapsed()
}

/// How many of so many requests pass, and how many are answered in another way than 429.
async fn count(app: &Router, key: &Issued, requests: usize) -> (usize, usize) {
    let (mut passed, mut away) = (0, 0);
    for _ in 0..requests {
        match send(app, key).await.0 {
            200 => passed += 1,
            429 => {}
            _ => away += 1,
        }
    }
    (passed, away)
}

#[tokio::test]
async fn a_service_starts_without_redis_and_finds_it_later() {
    let mut server = RedisServer::start().unwrap();
    server.kill().unwrap();
    let fixture = Fixture::new().await;
    for (when_away, expected) in [
        (WhenAway::Closed, (0, 30)),
        (WhenAway::Open, (30, 0)),
        (three(), (4, 0)),
    ] {
        let redis = RedisLimits::new(&server.url()).unwrap();
        let limits = per_key(12, HOUR).shared("api", redis, when_away);
        let app = fixture.app(limits.patience(LONG));
        let key = fixture.key().await;
        assert_eq!(count(&app, &key, 30).await, expected, "{when_away:?}");
        server.start_again().unwrap();
        sleep(Duration::from_millis(1_100)).await;
        // Redis has counted nothing so far.
        assert_eq!(count(&app, &key, 30).await, (12, 0), "{when_away:?}");
        server.kill().unwrap();
    }
}

#[tokio::test]
async fn it_is_killed_and_comes_back() {
    let fixture = Fixture::new().await;
    let mut server = RedisServer::start().unwrap();
    let redis = RedisLimits::connect(&server.url()).await.unwrap();
    let limits = per_key(100, HOUR).shared("api", redis, WhenAway::Closed);
    let app = fixture.app(limits.patience(LONG));
    let key = fixture.key().await;
    for _ in 0..3 {
        assert_eq!(send(&app, &key).await.0, 200);
        server.kill().unwrap();
        let start = Instant::now();
        assert_eq!(send(&app, &key).await.0, 503);
        // A refused connection is known at once.
        assert!(start.elapsed() < LONG / 2);
        server.start_again().unwrap();
        let healed = until(&app, &key, 200).await;
        assert!(healed < HEALED, "{healed:?}");
    }
}

/// Nobody notices a server that is back before it is asked.
#[tokio::test]
async fn a_restart_between_two_requests_costs_none() {
    let mut nodes = Nodes::start(1);
    let limit = [shared("a", 100, HOUR)];
    for _ in 0..5 {
        assert!(nodes.take(&limit).await.passed);
        nodes.server.restart().unwrap();
    }
    assert!(nodes.take(&limit).await.passed);
    for _ in 0..5 {
        nodes
            .server
            .command(&["CLIENT", "KILL", "TYPE", "normal"])
            .unwrap();
        assert!(nodes.take(&limit).await.passed);
    }
}

#[tokio::test]
async fn it_freezes_and_one_request_a_second_waits_for_it() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let redis = RedisLimits::new(&server.url()).unwrap();
    let app = fixture.app(per_key(1_000, HOUR).shared("api", redis, WhenAway::Open));
    let key = fixture.key().await;
    assert_eq!(send(&app, &key).await.0, 200);
    server.pause().unwrap();
    let (start, mut waited) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(3) {
        let asked = Instant::now();
        assert_eq!(send(&app, &key).await.0, 200);
        if asked.elapsed() > PATIENCE / 2 {
            waited.push(asked.elapsed());
        }
        sleep(Duration::from_millis(5)).await;
    }
    server.resume().unwrap();
    // At the start, and then each after a patience and a second.
    assert!((2..=4).contains(&waited.len()), "{waited:?}");
    let longest = waited.iter().max().unwrap();
    assert!(*longest < PATIENCE * 2, "{waited:?}");
}

#[tokio::test]
async fn it_freezes_and_goes_on() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let redis = RedisLimits::new(&server.url()).unwrap();
    let app = fixture.app(per_key(1_000, HOUR).shared("api", redis, WhenAway::Closed));
    let key = fixture.key().await;
    for frozen in [10, 400, 2_500] {
        assert_eq!(send(&app, &key).await.0, 200);
        server.pause().unwrap();
        assert_eq!(send(&app, &key).await.0, 503);
        let asked = Instant::now();
        while asked.elapsed() < Duration::from_millis(frozen) {
            assert_eq!(send(&app, &key).await.0, 503);
            sleep(Duration::from_millis(20)).await;
        }
        server.resume().unwrap();
        let healed = until(&app, &key, 200).await;
        assert!(healed < HEALED, "{healed:?} after {frozen} ms");
    }
}

/// Who is ready to wait longer than others is answered later than others.
#[tokio::test]
async fn patience_counts() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let redis = RedisLimits::connect(&server.url()).await.unwrap();
    let limits = per_key(1_000, HOUR).shared("api", redis, WhenAway::Closed);
    let app = fixture.app(limits.patience(LONG));
    let key = fixture.key().await;
    assert_eq!(send(&app, &key).await.0, 200);
    server.pause().unwrap();
    let frozen = async {
        sleep(Duration::from_millis(1_500)).await;
        server.resume().unwrap();
    };
    let start = Instant::now();
    let (answer, ()) = tokio::join!(send(&app, &key), frozen);
    assert_eq!(answer.0, 200);
    assert!(start.elapsed() >= Duration::from_millis(1_500));
}

#[tokio::test]
async fn nobody_connects_for_ever() {
    let server = RedisServer::start().unwrap();
    server.pause().unwrap();
    let start = Instant::now();
    assert!(RedisLimits::connect(&server.url()).await.is_err());
    assert!(start.elapsed() < LONG);
    server.resume().unwrap();
}

/// A hundred at once, while nothing answers: each waits as long as its patience, at the same time.
#[tokio::test]
async fn many_at_once_wait_together() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let redis = RedisLimits::new(&server.url()).unwrap();
    let app = fixture.app(per_key(1_000, HOUR).shared("api", redis, WhenAway::Open));
    let key = std::sync::Arc::new(fixture.key().await);
    assert_eq!(send(&app, &key).await.0, 200);
    server.pause().unwrap();
    let start = Instant::now();
    let tasks: Vec<_> = (0..100)
        .map(|_| {
            let (app, key) = (app.clone(), key.clone());
            tokio::spawn(async move { send(&app, &key).await.0 })
        })
        .collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), 200);
    }
    let took = start.elapsed();
    assert!(took < PATIENCE * 3, "{took:?}");
    server.resume().unwrap();
}

#[tokio::test]
async fn what_is_emptied_starts_afresh() {
    let nodes = Nodes::start(2);
    let limit = [shared("a", 5, HOUR)];
    for _ in 0..3 {
        let mut passed = 0;
        for _ in 0..10 {
            passed += usize::from(nodes.take(&limit).await.passed);
        }
        assert_eq!(passed, 5);
        nodes.server.command(&["FLUSHALL"]).unwrap();
    }
}

#[tokio::test]
async fn a_script_that_is_forgotten_is_sent_again() {
    let nodes = Nodes::start(2);
    let limit = [shared("a", 5, HOUR)];
    let mut passed = 0;
    for _ in 0..10 {
        nodes.server.command(&["SCRIPT", "FLUSH"]).unwrap();
        passed += usize::from(nodes.take(&limit).await.passed);
    }
    // And counts once.
    assert_eq!(passed, 5);
}

/// `-OOM`: what cannot be counted does not pass.
#[tokio::test]
async fn a_server_without_memory_is_away() {
    let nodes = Nodes::start(1);
    let limit = [shared("a", 100, HOUR)];
    assert!(nodes.take(&limit).await.passed);
    let most = |bytes| nodes.server.command(&["CONFIG", "SET", "maxmemory", bytes]);
    most("1").unwrap();
    assert!(nodes.node().take(&limit).await.is_err());
    most("0").unwrap();
    assert!(nodes.take(&limit).await.passed);
}

/// `-READONLY`: the connection is given up, as the name may lead to another server by now.
#[tokio::test]
async fn a_demoted_server_is_away_until_it_is_promoted() {
    let (primary, nodes) = (RedisServer::start().unwrap(), Nodes::start(1));
    let limit = [shared("a", 100, HOUR)];
    assert!(nodes.take(&limit).await.passed);
    let connections = || -> usize {
        let info = nodes.server.command(&["INFO", "stats"]).unwrap();
        let line = info
            .lines()
            .find_map(|line| line.strip_prefix("total_connections_received:"));
        line.unwrap().trim().parse().unwrap()
    };
    let port = primary.port().to_string();
    nodes
        .server
        .command(&["REPLICAOF", "127.0.0.1", &port])
        .unwrap();
    let before = connections();
    assert!(nodes.node().take(&limit).await.is_err());
    assert!(nodes.node().take(&limit).await.is_err());
    // The last one of both is that of `INFO` itself.
    assert!(connections() > before + 1);
    nodes.server.command(&["REPLICAOF", "NO", "ONE"]).unwrap();
    assert!(nodes.take(&limit).await.passed);
}

/// A server that reads its data answers `-LOADING`, also to the greeting of a new connection.
#[tokio::test]
async fn a_link_does_not_keep_to_an_error_of_its_start() {
    let server = RedisServer::options().password("old").start().unwrap();
    let url = format!("redis://:new@127.0.0.1:{}", server.port());
    let limits = RedisLimits::new(&url).unwrap();
    let limit = [shared("a", 5, HOUR)];
    for _ in 0..3 {
        assert!(limits.take(&limit).await.is_err());
    }
    server
        .command(&["CONFIG", "SET", "requirepass", "new"])
        .unwrap();
    assert!(limits.take(&limit).await.unwrap().passed);
}
