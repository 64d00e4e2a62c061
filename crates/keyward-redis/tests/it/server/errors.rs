//! Errors that a connection keeps to, while a new one would lead elsewhere.

use std::time::Duration;

use keyward_limits::SharedLimits;
use keyward_redis::RedisLimits;
use redis_server::RedisServer;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::support::{HOUR, shared};

/// A name that leads to a server which answers each script with this, until someone connects anew: then it
/// leads to the other one.
async fn until_someone_connects_anew(said: &'static str, other: u16) -> RedisLimits {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (first, _) = listener.accept().await.unwrap();
        tokio::spawn(answer(BufStream::new(first), said));
        loop {
            let (mut client, _) = listener.accept().await.unwrap();
            let mut other = TcpStream::connect(("127.0.0.1", other)).await.unwrap();
            tokio::spawn(async move { copy_bidirectional(&mut client, &mut other).await });
        }
    });
    RedisLimits::new(&format!("redis://127.0.0.1:{port}")).unwrap()
}

async fn answer(mut client: BufStream<TcpStream>, said: &str) {
    while let Some(command) = command(&mut client).await {
        let said = match &*command {
            "EVALSHA" => said,
            "PING" => "+PONG",
            _ => "+OK",
        };
        let said = format!("{said}\r\n");
        client.write_all(said.as_bytes()).await.unwrap();
        client.flush().await.unwrap();
    }
}

/// The first word of the next command, unless the client is gone.
async fn command(client: &mut BufStream<TcpStream>) -> Option<String> {
    let words = length(client).await?;
    let mut first = None;
    for _ in 0..words {
        let length = length(client).await?;
        // And the end of its line.
        let mut word = vec![0; length + 2];
        client.read_exact(&mut word).await.ok()?;
        word.truncate(length);
        first.get_or_insert(String::from_utf8(word).unwrap());
    }
    first
}

/// `*3` or `$5`.
async fn length(client: &mut BufStream<TcpStream>) -> Option<usize> {
    let mut line = String::new();
    client.read_line(&mut line).await.ok()?;
    line.trim_end().get(1..)?.parse().ok()
}

/// Redis 7 says what a script has met, and Redis 6 says `ERR` of it all.
#[tokio::test]
async fn no_error_keeps_the_connection_to_a_server_that_is_none_any_more() {
    let other = RedisServer::start().unwrap();
    for said in [
        "-ERR Error running script (call to f_1028a5dba704e1d8a01fd96efeba25bb78f62df2): @user_script:17: @user_script: 17: -READONLY You can't write against a read only replica. ",
        "-READONLY You can't write against a read only replica. script: 6b818461879b7ea953a81ab9ad7aaeca1590b7ab, on @user_script:17.",
        "-ERR Error running script (call to f_1028a5dba704e1d8a01fd96efeba25bb78f62df2): @user_script:17: @user_script: 17: -OOM command not allowed when used memory > 'maxmemory'. ",
        "-OOM command not allowed when used memory > 'maxmemory'. script: 6b818461879b7ea953a81ab9ad7aaeca1590b7ab, on @user_script:17.",
        "-ERR Error running script (call to f_1028a5dba704e1d8a01fd96efeba25bb78f62df2): @user_script:17: @user_script: 17: -NOREPLICAS Not enough good replicas to write. ",
        "-MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to 'no'.",
        "-MISCONF Redis is configured to save RDB snapshots, but it's currently unable to persist to disk.",
        "-MOVED 3999 127.0.0.1:6381",
        "-WRONGTYPE Operation against a key holding the wrong kind of value",
        "-ERR unknown command 'EVALSHA', with args beginning with: ",
        "+what is this",
    ] {
        let limits = until_someone_connects_anew(said, other.port()).await;
        let limit = [shared("a", 1_000, HOUR)];
        assert!(limits.take(&limit).await.is_err(), "{said}");
        let next = timeout(Duration::from_secs(5), limits.take(&limit)).await;
        assert!(next.unwrap().is_ok_and(|taken| taken.passed), "{said}");
    }
}

/// A database that cannot be chosen is known by an `ERR` of the client's own, which its manager keeps.
#[tokio::test]
async fn a_database_that_may_be_chosen_later_is_found_then() {
    let server = RedisServer::start().unwrap();
    let acl = |rules: &str| {
        let words: Vec<_> = ["ACL", "SETUSER"]
            .into_iter()
            .chain(rules.split(' '))
            .collect();
        server.command(&words).unwrap();
    };
    let limit = [shared("a", 5, HOUR)];
    // The right to choose one is missing.
    acl("chooser on >word ~* +@all -select");
    let url = format!("redis://chooser:word@127.0.0.1:{}/1", server.port());
    let limits = RedisLimits::new(&url).unwrap();
    for _ in 0..2 {
        let error = limits.take(&limit).await.unwrap_err();
        let cause = std::error::Error::source(&error).unwrap().to_string();
        assert!(cause.contains("refused to switch"), "{cause}");
    }
    acl("chooser +select");
    assert!(limits.take(&limit).await.unwrap().passed);

    // So is a password, until none is asked for.
    let server = RedisServer::options().password("word").start().unwrap();
    let url = format!("redis://127.0.0.1:{}/1", server.port());
    let limits = RedisLimits::new(&url).unwrap();
    for _ in 0..2 {
        assert!(limits.take(&limit).await.is_err());
    }
    server
        .command(&["CONFIG", "SET", "requirepass", ""])
        .unwrap();
    assert!(limits.take(&limit).await.unwrap().passed);
}
