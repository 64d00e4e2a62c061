//! The contract of `SharedLimits`.

use std::time::Duration;

use keyward_limits::{SharedLimit, SharedLimits};
use keyward_redis::RedisLimits;

use crate::support::{HOUR, Nodes, shared};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_hundred_at_once_on_three_nodes_ten_pass() {
    let nodes = Nodes::start(3);
    for limits in [
        vec![shared("one", 10, HOUR)],
        vec![shared("two", 10, HOUR), shared("more", 500, HOUR)],
    ] {
        let tasks: Vec<_> = (0..200)
            .map(|_| {
                let (node, limits) = (nodes.node().clone(), limits.clone());
                tokio::spawn(async move { node.take(&limits).await.unwrap().passed })
            })
            .collect();
        let mut passed = 0;
        for task in tasks {
            passed += usize::from(task.await.unwrap());
        }
        assert_eq!(passed, 10);
    }
}

#[tokio::test]
async fn the_answer_says_how_far_ahead_each_schedule_lies() {
    let nodes = Nodes::start(2);
    let limits = [
        SharedLimit::new("a", 1_000_000_000, 1_000_000_000),
        SharedLimit::new("b", 5_000_000_000, 50_000_000_000),
    ];
    // What has passed since the last one is little, and never less than nothing.
    let near = |is: u64, expected: u64| is <= expected && is + 60_000_000 > expected;
    for (passed, a, b) in [
        (true, 1_000_000_000, 5_000_000_000),
        (true, 2_000_000_000, 10_000_000_000),
        (false, 2_000_000_000, 10_000_000_000),
    ] {
        let taken = nodes.take(&limits).await;
        assert_eq!(taken.passed, passed);
        let [is_a, is_b] = taken.ahead_micros[..] else {
            panic!("{taken:?}")
        };
        assert!(near(is_a, a) && near(is_b, b), "{taken:?}");
    }
}

#[tokio::test]
async fn a_request_is_taken_off_every_limit_or_off_none() {
    let nodes = Nodes::start(2);
    let (few, many) = (shared("few", 3, HOUR), shared("many", 100, HOUR));
    for both in [[few.clone(), many.clone()], [many.clone(), few.clone()]] {
        nodes.server.command(&["FLUSHALL"]).unwrap();
        let mut passed = 0;
        for _ in 0..20 {
            passed += usize::from(nodes.take(&both).await.passed);
        }
        assert_eq!(passed, 3);
        let taken = nodes.take(std::slice::from_ref(&many)).await;
        // Three and this one.
        let ahead = taken.ahead_micros[0];
        assert!(ahead <= 4 * many.interval_micros && ahead > 3 * many.interval_micros);
    }
}

#[tokio::test]
async fn what_is_spent_is_gone() {
    let nodes = Nodes::start(1);
    let limits = [
        shared("short", 2, Duration::from_millis(100)),
        shared("long", 2, HOUR),
    ];
    assert!(nodes.take(&limits).await.passed);
    assert_eq!(nodes.keys(), 2);
    let left = |name| -> u64 {
        let left = nodes.server.command(&["PTTL", name]).unwrap();
        left.parse().unwrap()
    };
    assert!(left("{keyward}:short") <= 50);
    let long = left("{keyward}:long");
    assert!(long > 1_700_000 && long <= 1_800_000, "{long}");
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(nodes.held("{keyward}:short"), "");
    assert_eq!(nodes.keys(), 1);
}

#[tokio::test]
async fn a_refused_request_leaves_no_trace() {
    let nodes = Nodes::start(1);
    let none = SharedLimit::new("none", 1_000_000, 0);
    assert!(nodes.take(std::slice::from_ref(&none)).await.passed);
    let before = nodes.held("{keyward}:none");
    let other = shared("other", 5, HOUR);
    assert!(!nodes.take(&[other, none]).await.passed);
    assert_eq!(nodes.held("{keyward}:none"), before);
    assert_eq!(nodes.keys(), 1);
}

#[tokio::test]
async fn who_is_told_to_wait_passes_then() {
    let nodes = Nodes::start(2);
    let limit = shared("wait", 4, Duration::from_millis(800));
    let limits = std::slice::from_ref(&limit);
    for _ in 0..4 {
        assert!(nodes.take(limits).await.passed);
    }
    let refused = nodes.take(limits).await;
    assert!(!refused.passed);
    let wait = refused.ahead_micros[0] - limit.tolerance_micros;
    assert!(wait > 0 && wait <= 200_000, "{wait}");
    tokio::time::sleep(Duration::from_micros(wait) + Duration::from_millis(1)).await;
    assert!(nodes.take(limits).await.passed);
}

/// Two limits of one window have one schedule: the slower of them moves it, in either order.
#[tokio::test]
async fn of_two_limits_with_one_schedule_the_narrower_holds() {
    let nodes = Nodes::start(1);
    let (wide, narrow) = (shared("same", 100, HOUR), shared("same", 5, HOUR));
    for limits in [[wide.clone(), narrow.clone()], [narrow, wide]] {
        nodes.server.command(&["FLUSHALL"]).unwrap();
        let mut passed = 0;
        for _ in 0..20 {
            passed += usize::from(nodes.take(&limits).await.passed);
        }
        assert_eq!(passed, 5);
    }
}

#[tokio::test]
async fn names_may_hold_anything_and_are_told_apart() {
    let nodes = Nodes::start(2);
    let long = "é".repeat(100_000);
    let longer = format!("{long}x");
    let names = [
        "",
        " ",
        "a b",
        "a\r\nb",
        "a\0b",
        "a\0",
        "{a}",
        "{}",
        "#",
        "*",
        "名前",
        "\u{1f511}",
        "'\"\\",
        &long,
        &longer,
    ];
    for name in names {
        let limit = [shared(name, 1, HOUR)];
        assert!(nodes.take(&limit).await.passed, "{}", name.len());
        assert!(!nodes.take(&limit).await.passed, "{}", name.len());
    }
    assert_eq!(nodes.keys(), names.len());
    // Nobody's name is sent as kilobytes.
    let held = nodes.server.command(&["KEYS", "*"]).unwrap();
    assert!(held.len() < 1_000, "{}", held.len());
}

#[tokio::test]
async fn services_with_different_prefixes_do_not_meet() {
    let nodes = Nodes::start(1);
    let other = nodes.node().clone().prefix("{other}:");
    let limit = [shared("a", 1, HOUR)];
    assert!(nodes.take(&limit).await.passed);
    assert!(other.take(&limit).await.unwrap().passed);
    assert!(!other.take(&limit).await.unwrap().passed);
    assert_ne!(nodes.held("{other}:a"), "");
}

#[tokio::test]
async fn no_limits_ask_nothing() {
    let nowhere = RedisLimits::new("redis://127.0.0.1:1").unwrap();
    let taken = nowhere.take(&[]).await.unwrap();
    assert!(taken.passed && taken.ahead_micros.is_empty());
    assert!(RedisLimits::connect("redis://127.0.0.1:1").await.is_err());
    let nodes = Nodes::start(1);
    let there = RedisLimits::connect(&nodes.server.url()).await.unwrap();
    assert!(there.take(&[shared("a", 1, HOUR)]).await.unwrap().passed);
}
