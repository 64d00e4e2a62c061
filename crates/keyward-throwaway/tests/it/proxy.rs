use std::io;
use std::time::Duration;

use keyward_throwaway::{Proxy, Server};
use sqlx::{Connection, PgConnection};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant, sleep, timeout};

/// How long nothing must arrive to count as nothing arriving.
const NEVER: Duration = Duration::from_millis(200);
const SOON: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_frozen_connection_gets_everything_once_it_is_thawed() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut open = connect(&proxy).await;
    says(&mut open, "before").await;
    proxy.freeze();
    open.write_all(b"held").await.unwrap();
    is_silent(&mut open).await;
    let mut new = connect(&proxy).await;
    new.write_all(b"new").await.unwrap();
    is_silent(&mut new).await;
    proxy.thaw();
    hears(&mut open, "held").await;
    hears(&mut new, "new").await;
}

#[tokio::test]
async fn a_cut_closes_and_refuses_until_it_is_restored() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut open = connect(&proxy).await;
    says(&mut open, "before").await;
    proxy.cut().await;
    assert!(ends(&mut open).await);
    let refused = TcpStream::connect(proxy.address()).await.unwrap_err();
    assert_eq!(refused.kind(), io::ErrorKind::ConnectionRefused);
    proxy.restore().await.unwrap();
    says(&mut connect(&proxy).await, "after").await;
}

#[tokio::test]
async fn a_blackhole_keeps_what_it_met_and_lets_new_connections_work_afterwards() {
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut open = connect(&proxy).await;
    says(&mut open, "before").await;
    proxy.blackhole();
    let mut during = connect(&proxy).await;
    proxy.restore().await.unwrap();
    says(&mut connect(&proxy).await, "after").await;
    for dead in [&mut open, &mut during] {
        dead.write_all(b"lost").await.unwrap();
        is_silent(dead).await;
    }
    proxy.cut().await;
    assert!(ends(&mut open).await && ends(&mut during).await);
}

#[tokio::test]
async fn a_frozen_connection_holds_back_the_end_too() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let proxy = Proxy::to(listener.local_addr().unwrap().to_string())
        .await
        .unwrap();
    let client = connect(&proxy).await;
    let (mut server, _) = listener.accept().await.unwrap();
    proxy.freeze();
    drop(client);
    is_silent(&mut server).await;
    proxy.thaw();
    assert!(ends(&mut server).await);
}

#[tokio::test]
async fn a_delay_holds_each_way_and_not_one_piece_after_the_other() {
    const DELAY: Duration = Duration::from_millis(200);
    const PIECES: usize = 20;
    let proxy = Proxy::to(echo().await).await.unwrap();
    let mut open = connect(&proxy).await;
    says(&mut open, "before").await;
    proxy.delay(DELAY);
    let start = Instant::now();
    for _ in 0..PIECES {
        open.write_all(b"x").await.unwrap();
        sleep(DELAY / 10).await;
    }
    hears(&mut open, &"x".repeat(PIECES)).await;
    let took = start.elapsed();
    assert!(took >= 2 * DELAY, "{took:?}");
    // One after the other they take longer than that.
    assert!(took < DELAY * PIECES as u32, "{took:?}");
}

#[tokio::test]
async fn postgres_is_reached_through_it() {
    let server = Server::start().await.unwrap();
    let proxy = Proxy::to(server.address()).await.unwrap();
    let url = proxy.url(&server.url());
    assert!(url.contains(&proxy.address()), "{url}");
    let mut connection = PgConnection::connect(&url).await.unwrap();
    let read: i32 = sqlx::query_scalar("SELECT 1")
        .fetch_one(&mut connection)
        .await
        .unwrap();
    assert_eq!(read, 1);
}

/// A server that sends back what it gets; the address where it listens.
async fn echo() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut from, mut to) = stream.into_split();
                copy(&mut from, &mut to).await
            });
        }
    });
    address.to_string()
}

async fn connect(proxy: &Proxy) -> TcpStream {
    TcpStream::connect(proxy.address()).await.unwrap()
}

async fn says(stream: &mut TcpStream, text: &str) {
    stream.write_all(text.as_bytes()).await.unwrap();
    hears(stream, text).await;
}

async fn hears(stream: &mut TcpStream, text: &str) {
    let mut heard = vec![0; text.len()];
    let read = timeout(SOON, stream.read_exact(&mut heard)).await;
    read.unwrap().unwrap();
    assert_eq!(heard, text.as_bytes());
}

/// Neither bytes nor an end come.
async fn is_silent(stream: &mut TcpStream) {
    let read = timeout(NEVER, stream.read(&mut [0])).await;
    assert!(read.is_err(), "{read:?}");
}

async fn ends(stream: &mut TcpStream) -> bool {
    let read = timeout(SOON, stream.read(&mut [0])).await.unwrap();
    matches!(read, Ok(0) | Err(_))
}
