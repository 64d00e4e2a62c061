//! What a schedule may hold, and what becomes of what it must not.

use std::time::Duration;

use keyward_limits::{SharedLimit, WhenAway};
use keyward_redis::RedisLimits;
use redis_server::RedisServer;

use crate::support::{Fixture, HOUR, Nodes, per_key, send, shared};

/// It counts as nothing, and the next request is counted as the first.
#[tokio::test]
async fn a_value_that_is_no_schedule_is_written_over() {
    let nodes = Nodes::start(1);
    let limit = [shared("other", 1_000, HOUR), shared("a", 2, HOUR)];
    let values = [
        "",
        "x",
        "-1",
        "1.5",
        "1e9",
        "0x10",
        "nan",
        "inf",
        " 1",
        "1 ",
        "1\n",
        "1\0",
        "99999999999999999999999",
    ];
    let values = values.map(|value| ["SET", "{keyward}:a", value, ""]);
    let of_another_type = [
        ["LPUSH", "{keyward}:a", "1", ""],
        ["HSET", "{keyward}:a", "1", "2"],
        ["SADD", "{keyward}:a", "1", ""],
        ["ZADD", "{keyward}:a", "1", "1"],
    ];
    for make in values.into_iter().chain(of_another_type) {
        nodes.server.command(&["FLUSHALL"]).unwrap();
        let words = if make[0].starts_with(['H', 'Z']) {
            4
        } else {
            3
        };
        nodes.server.command(&make[..words]).unwrap();
        for passed in [true, true, false] {
            assert_eq!(nodes.take(&limit).await.passed, passed, "{make:?}");
        }
        let held: u64 = nodes.held("{keyward}:a").parse().unwrap();
        assert!(held > nodes.now(), "{make:?}");
        assert_eq!(nodes.keys(), 2, "{make:?}");
    }
}

/// A name with a bad value is that of one client. It is no reason to do without Redis.
#[tokio::test]
async fn a_bad_value_harms_nobody() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let redis = RedisLimits::connect(&server.url()).await.unwrap();
    let limits = per_key(100, HOUR).shared("api", redis, WhenAway::Closed);
    let app = fixture.app(limits.patience(Duration::from_secs(5)));
    let key = fixture.key().await;
    assert_eq!(send(&app, &key).await.0, 200);
    let name = server.command(&["KEYS", "*"]).unwrap();
    let other = fixture.key().await;
    for bad in [&["SET", &name, "x"][..], &["LPUSH", &name, "1"]] {
        server.command(&["DEL", &name]).unwrap();
        server.command(bad).unwrap();
        for _ in 0..3 {
            assert_eq!(send(&app, &key).await.0, 200, "{bad:?}");
            assert_eq!(send(&app, &other).await.0, 200, "{bad:?}");
        }
    }
}

/// The clock of the server has gone back by an hour, as after a failover.
#[tokio::test]
async fn a_schedule_far_in_the_future_locks_nobody_out() {
    let nodes = Nodes::start(2);
    let limit = SharedLimit::new("a", 200_000, 400_000);
    let hour = nodes.now() + 3_600_000_000;
    for far in [hour.to_string(), "9999999999999999".to_owned()] {
        nodes.server.command(&["SET", "{keyward}:a", &far]).unwrap();
        let taken = nodes.take(std::slice::from_ref(&limit)).await;
        // As if it had just been used up.
        assert!(!taken.passed);
        assert_eq!(taken.ahead_micros, [600_000]);
        let ttl: i64 = nodes
            .server
            .command(&["PTTL", "{keyward}:a"])
            .unwrap()
            .parse()
            .unwrap();
        assert!(ttl > 0 && ttl <= 600, "{ttl}");
        tokio::time::sleep(std::time::Duration::from_millis(201)).await;
        assert!(nodes.take(std::slice::from_ref(&limit)).await.passed);
    }
}

#[tokio::test]
async fn the_largest_limits_overflow_nothing() {
    let nodes = Nodes::start(1);
    let year = 366 * 24 * 3600 * 1_000_000_u64;
    for (n, (interval, tolerance)) in [
        (year, 0),
        (1, year),
        (year / 1_000, year),
        (u64::MAX, 0),
        (u64::MAX, u64::MAX),
        (1, u64::MAX),
        (0, 0),
        (0, u64::MAX),
    ]
    .into_iter()
    .enumerate()
    {
        let limit = SharedLimit::new(format!("{n}"), interval, tolerance);
        let limit = std::slice::from_ref(&limit);
        assert!(nodes.take(limit).await.passed, "{limit:?}");
        let held: u64 = nodes.held(&format!("{{keyward}}:{n}")).parse().unwrap_or(1);
        assert!(held < 1 << 53, "{limit:?}");
        let again = nodes.take(limit).await;
        // One request at once, but for what is over within a microsecond.
        assert_eq!(again.passed, tolerance > 0 || interval == 0, "{limit:?}");
        // The numbers are exact to the microsecond.
        if interval == year {
            let ahead = again.ahead_micros[0];
            assert!(ahead <= year && ahead + 60_000_000 > year, "{ahead}");
        }
    }
}

/// A limit by the microsecond, over many requests: nothing is lost by rounding.
#[tokio::test]
async fn every_microsecond_counts() {
    let nodes = Nodes::start(1);
    let limit = SharedLimit::new("a", 7_200_000_001, 1 << 50);
    for _ in 0..100 {
        assert!(nodes.take(std::slice::from_ref(&limit)).await.passed);
    }
    let ahead = nodes.held("{keyward}:a").parse::<u64>().unwrap() - nodes.now();
    let expected = 100 * limit.interval_micros;
    assert!(ahead <= expected && ahead + 60_000_000 > expected);
    // The last digit of each moved it: the first was at a moment that is not known, all others count.
    let first = nodes.held("{keyward}:a").parse::<u64>().unwrap() - expected;
    let now = nodes.now();
    assert!(first <= now && first + 60_000_000 > now);
}
