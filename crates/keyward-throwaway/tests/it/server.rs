use std::time::Duration;

use keyward_throwaway::Server;
use sqlx::{Connection, PgConnection};
use tokio::time::{sleep, timeout};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_killed_server_starts_again_with_every_committed_row() {
    let server = Server::start().await.unwrap();
    server.execute("CREATE TABLE t (id int)").await.unwrap();
    let mut before = server.connect().await.unwrap();
    server
        .execute("INSERT INTO t VALUES (1), (2)")
        .await
        .unwrap();
    server.kill().await.unwrap();
    assert!(before.ping().await.is_err());
    assert!(server.connect().await.is_err());
    server.start_again().await.unwrap();
    assert_eq!(rows(&mut server.connect().await.unwrap()).await, 2);
    assert!(
        server.log().contains("automatic recovery"),
        "{}",
        server.log()
    );
}

#[tokio::test]
async fn a_stopped_server_is_down_until_it_starts_again_on_its_port() {
    let server = Server::start().await.unwrap();
    let url = server.url();
    server.stop().await.unwrap();
    assert!(server.connect().await.is_err());
    assert!(server.stop().await.is_err());
    server.start_again().await.unwrap();
    assert!(server.start_again().await.is_err());
    server.restart().await.unwrap();
    assert!(PgConnection::connect(&url).await.is_ok());
}

#[tokio::test]
async fn a_paused_server_answers_when_it_is_resumed_and_not_before() {
    let server = Server::start().await.unwrap();
    let mut open = server.connect().await.unwrap();
    server.pause().await.unwrap();
    let mut ping = Box::pin(open.ping());
    let early = timeout(Duration::from_millis(300), &mut ping).await;
    assert!(early.is_err());
    server.resume().await.unwrap();
    timeout(SOON, ping).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_standby_follows_until_it_is_promoted_and_then_takes_writes() {
    let server = Server::start().await.unwrap();
    server.execute("CREATE TABLE t (id int)").await.unwrap();
    let standby = server.standby(None).await.unwrap();
    server.execute("INSERT INTO t VALUES (1)").await.unwrap();
    let mut reader = standby.connect().await.unwrap();
    shows_a_row(&mut reader).await;
    assert!(standby.execute("INSERT INTO t VALUES (9)").await.is_err());
    server.kill().await.unwrap();
    standby.promote().await.unwrap();
    standby.execute("INSERT INTO t VALUES (9)").await.unwrap();
}

#[tokio::test]
async fn a_delayed_standby_shows_a_commit_later() {
    let server = Server::start().await.unwrap();
    server.execute("CREATE TABLE t (id int)").await.unwrap();
    let standby = server.standby(Some(Duration::from_secs(2))).await.unwrap();
    let mut reader = standby.connect().await.unwrap();
    server.execute("INSERT INTO t VALUES (1)").await.unwrap();
    assert_eq!(rows(&mut reader).await, 0);
    shows_a_row(&mut reader).await;
}

/// Waits until the table that is replicated holds a row.
async fn shows_a_row(standby: &mut PgConnection) {
    let shown = async {
        while rows(standby).await == 0 {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, shown).await.unwrap();
}

async fn rows(connection: &mut PgConnection) -> i64 {
    let count = sqlx::query_scalar("SELECT count(*) FROM t");
    count.fetch_one(connection).await.unwrap()
}
