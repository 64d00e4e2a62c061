//! Several services over HTTP, and one Redis.

use std::sync::Arc;
use std::time::Duration;

use keyward::{ApiKeyLayer, Limit};
use keyward_limits::{RateLimitLayer, RateLimits, Rule, WhenAway};
use keyward_redis::RedisLimits;
use redis_server::RedisServer;
use tokio::net::{TcpListener, TcpStream};

use crate::support::{Fixture, HOUR, per_key, send};

fn limits(server: &RedisServer) -> RateLimits {
    let limit = |requests, per| Limit::new(requests, per).unwrap();
    let rules = [
        Rule::per_key("key").limits([limit(10, HOUR), limit(5_000, 24 * HOUR)]),
        Rule::per_tenant("tenant").limits([limit(25, HOUR)]),
    ];
    let redis = RedisLimits::new(&server.url()).unwrap();
    RateLimits::new(rules)
        .shared("api", redis, WhenAway::Closed)
        // Not what is tested here, on a machine that may be busy.
        .patience(Duration::from_secs(5))
}

#[tokio::test]
async fn three_services_hold_one_limit() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let apps: Vec<_> = (0..3).map(|_| fixture.app(limits(&server))).collect();
    let keys = [
        fixture.key().await,
        fixture.key().await,
        fixture.key().await,
    ];
    let mut passed = [0; 3];
    for n in 0..90 {
        let (status, said) = send(&apps[n % 3], &keys[n % 2]).await;
        passed[n % 2] += usize::from(status == 200);
        if status == 429 && passed[0] + passed[1] == 20 && n == 89 {
            assert!(said.contains(r#""key/3600s";r=0;t="#), "{said}");
            assert!(said.contains(r#""tenant";r=5;t="#), "{said}");
        } else {
            assert!(status == 200 || status == 429, "{status}");
        }
    }
    assert_eq!(passed, [10, 10, 0]);
    // Five are left of the tenant's, and a refusal has cost none of them.
    for n in 0..30 {
        passed[2] += usize::from(send(&apps[n % 3], &keys[2]).await.0 == 200);
    }
    assert_eq!(passed, [10, 10, 5]);
}

/// Their rules have one name and one window, and their limits differ.
#[tokio::test]
async fn limiters_of_different_names_share_one_redis() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let redis = RedisLimits::connect(&server.url()).await.unwrap();
    let app = |name: &str, requests| {
        let limits = per_key(requests, HOUR).shared(name, redis.clone(), WhenAway::Closed);
        fixture.app(limits.patience(Duration::from_secs(5)))
    };
    let key = fixture.key().await;
    let passed = async |app: &axum::Router, requests| {
        let mut passed = 0;
        for _ in 0..requests {
            passed += usize::from(send(app, &key).await.0 == 200);
        }
        passed
    };
    let (cheap, costly) = (app("cheap", 100), app("costly", 5));
    assert_eq!(passed(&cheap, 20).await, 20);
    assert_eq!(passed(&costly, 20).await, 5);
    assert_eq!(passed(&cheap, 20).await, 20);
    assert_eq!(passed(&app("costly", 5), 20).await, 0);
}

/// Over sockets, with all services at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_hundred_at_once_over_sockets_pass_exactly_ten() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let mut addresses = Vec::new();
    for _ in 0..3 {
        let app = axum::Router::new()
            .route("/", axum::routing::get(async || "ok"))
            .layer(RateLimitLayer::new(limits(&server)))
            .layer(ApiKeyLayer::new(fixture.keys.verifier()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        addresses.push(listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, app).await });
    }
    let key = Arc::new(fixture.key().await);
    let requests: Vec<_> = (0..200)
        .map(|n| {
            let (address, key) = (addresses[n % 3], key.clone());
            tokio::spawn(async move {
                let stream = TcpStream::connect(address).await.unwrap();
                let request = format!(
                    "GET / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\nconnection: close\r\n\r\n",
                    key.secret.expose()
                );
                crate::server::network::exchange(stream, request.as_bytes()).await
            })
        })
        .collect();
    let (mut passed, mut refused) = (0, 0);
    for request in requests {
        let answer = request.await.unwrap();
        passed += usize::from(answer.starts_with("HTTP/1.1 200"));
        refused += usize::from(answer.starts_with("HTTP/1.1 429"));
    }
    assert_eq!((passed, refused), (10, 190));
}
