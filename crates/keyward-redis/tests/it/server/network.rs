//! A network that is slow, or loses connections without a word.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use keyward_limits::{SharedLimits, WhenAway};
use keyward_redis::RedisLimits;
use redis_server::RedisServer;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

use crate::support::{Fixture, HOUR, per_key, send, shared};

/// Stands before a server; what was connected when it forgets is open, and leads nowhere.
struct Forgetful {
    port: u16,
    connections: Arc<AtomicUsize>,
    forgotten: Arc<std::sync::Mutex<Arc<AtomicBool>>>,
}

impl Forgetful {
    async fn before(server: u16) -> Self {
        Self::slow(server, Duration::ZERO).await
    }

    /// Nothing passes a connection for so long after it was made.
    async fn slow(server: u16, connecting: Duration) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let forgetful = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            forgotten: Arc::default(),
        };
        let connections = forgetful.connections.clone();
        let forgotten = forgetful.forgotten.clone();
        tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                connections.fetch_add(1, Ordering::SeqCst);
                let lost = forgotten.lock().unwrap().clone();
                tokio::spawn(async move {
                    sleep(connecting).await;
                    let server = TcpStream::connect(("127.0.0.1", server)).await.unwrap();
                    let (from_client, to_client) = client.into_split();
                    let (from_server, to_server) = server.into_split();
                    tokio::spawn(carry(from_client, to_server, lost.clone()));
                    tokio::spawn(carry(from_server, to_client, lost));
                });
            }
        });
        forgetful
    }

    fn limits(&self) -> RedisLimits {
        RedisLimits::new(&format!("redis://127.0.0.1:{}", self.port)).unwrap()
    }

    fn forget(&self) {
        let lost = std::mem::take(&mut *self.forgotten.lock().unwrap());
        lost.store(true, Ordering::SeqCst);
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

async fn carry(
    mut from: tokio::net::tcp::OwnedReadHalf,
    mut to: tokio::net::tcp::OwnedWriteHalf,
    lost: Arc<AtomicBool>,
) {
    let mut bytes = [0; 4_096];
    while let Ok(length @ 1..) = from.read(&mut bytes).await {
        if lost.load(Ordering::SeqCst) {
            continue;
        }
        if to.write_all(&bytes[..length]).await.is_err() {
            return;
        }
    }
    if lost.load(Ordering::SeqCst) {
        // Neither side hears of the other's end.
        std::future::pending::<()>().await;
    }
}

#[tokio::test]
async fn a_connection_that_leads_nowhere_is_given_up() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let network = Forgetful::before(server.port()).await;
    let limits = per_key(1_000, HOUR).shared("api", network.limits(), WhenAway::Closed);
    // A busy machine shall not be taken for one that is away.
    let app = fixture.app(limits.patience(Duration::from_secs(1)));
    let key = fixture.key().await;
    for _ in 0..3 {
        for _ in 0..10 {
            assert_eq!(send(&app, &key).await.0, 200);
        }
        network.forget();
        let start = Instant::now();
        assert_eq!(send(&app, &key).await.0, 503);
        while send(&app, &key).await.0 != 200 {
            // A patience and a second; and again, as the machine may be too busy for one look.
            assert!(start.elapsed() < Duration::from_secs(6));
            sleep(Duration::from_millis(10)).await;
        }
    }
    // One each time, or two.
    assert!((4..=7).contains(&network.connections()));
}

/// Who asks first is gone by the time when there is a connection. It is there for those who come later.
#[tokio::test]
async fn a_connection_that_takes_longer_than_anyone_waits_is_used() {
    let fixture = Fixture::new().await;
    let server = RedisServer::start().unwrap();
    let key = fixture.key().await;
    for patience in [250, 20].map(Duration::from_millis) {
        let network = Forgetful::slow(server.port(), Duration::from_millis(300)).await;
        let limits = per_key(1_000, HOUR).shared("api", network.limits(), WhenAway::Closed);
        let app = fixture.app(limits.patience(patience));
        assert_eq!(send(&app, &key).await.0, 503);
        let start = Instant::now();
        while send(&app, &key).await.0 != 200 {
            assert!(start.elapsed() < Duration::from_secs(20), "{patience:?}");
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(network.connections(), 1, "{patience:?}");
    }
}

/// A caller that goes away says nothing of the connection.
#[tokio::test]
async fn a_request_that_is_dropped_costs_no_connection() {
    let server = RedisServer::start().unwrap();
    // One who may not even ask whether it is there.
    let rules = "ACL SETUSER counter on >word ~* -@all +evalsha +script|load +time +get +set";
    server
        .command(&rules.split(' ').collect::<Vec<_>>())
        .unwrap();
    for user in ["", "counter:word@"] {
        let network = Forgetful::before(server.port()).await;
        let url = format!("redis://{user}127.0.0.1:{}", network.port);
        let limits = RedisLimits::new(&url).unwrap();
        let limit = [shared("a", 100, HOUR)];
        assert!(limits.take(&limit).await.unwrap().passed);
        for _ in 0..2 {
            server.pause().unwrap();
            let dropped = timeout(Duration::from_millis(50), limits.take(&limit)).await;
            assert!(dropped.is_err());
            server.resume().unwrap();
            // A quiet node: nobody asks for a while.
            sleep(Duration::from_millis(700)).await;
        }
        assert!(limits.take(&limit).await.unwrap().passed);
        assert_eq!(network.connections(), 1, "{user}");
    }
}

/// While it is away, a node tries a connection or two each second, however many requests there are.
#[tokio::test]
async fn nobody_storms_a_server_that_is_away() {
    let fixture = Fixture::new().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!(
        "redis://127.0.0.1:{}",
        listener.local_addr().unwrap().port()
    );
    let tries = Arc::new(AtomicUsize::new(0));
    let counted = tries.clone();
    tokio::spawn(async move {
        loop {
            // Hangs up at once.
            drop(listener.accept().await.unwrap());
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let redis = RedisLimits::new(&url).unwrap();
    let app = fixture.app(per_key(1_000, HOUR).shared("api", redis, WhenAway::Open));
    let key = fixture.key().await;
    let start = Instant::now();
    let mut requests = 0;
    while start.elapsed() < Duration::from_millis(2_500) {
        assert_eq!(send(&app, &key).await.0, 200);
        requests += 1;
        sleep(Duration::from_millis(1)).await;
    }
    assert!(requests > 100);
    let tries = tries.load(Ordering::SeqCst);
    // Three looks, each with the try of its own and that of the manager.
    assert!((3..=8).contains(&tries), "{tries}");
}

/// Sends a request and reads to the end.
pub(super) async fn exchange(mut stream: TcpStream, request: &[u8]) -> String {
    stream.write_all(request).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}
