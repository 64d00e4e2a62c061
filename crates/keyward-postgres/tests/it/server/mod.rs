//! Tests with servers of their own, which fail.

mod failover;
mod outage;
mod replica;
mod secrets;
mod statements;
mod switch;
mod unfit;

use keyward_core::Issued;
use keyward_throwaway::Server;

use crate::support::{HEALED, Node, connect, new_key, within};

/// A server with the schema. It outlives no crash of the machine, and waits for no disk.
async fn primary() -> Server {
    let server = Server::builder().setting("fsync", "off");
    let server = server.start().await.unwrap();
    connect(&server.url()).migrate().await.unwrap();
    server
}

async fn issue(node: &Node) -> Issued {
    node.keys.issue(new_key()).await.unwrap()
}

/// The number of the last change.
async fn number(server: &Server) -> i64 {
    ask(server, "SELECT max(number) FROM keyward.commits").await
}

/// Waits until a standby shows everything that its primary does.
async fn follows(standby: &Server, primary: &Server) {
    let made = number(primary).await;
    within(HEALED, "the standby follows", async || {
        number(standby).await == made
    })
    .await;
}

/// What the primary does from now on never arrives at this standby.
async fn part(standby: &Server) {
    let forget = "ALTER SYSTEM SET primary_conninfo = ''";
    standby.execute(forget).await.unwrap();
    standby.execute("SELECT pg_reload_conf()").await.unwrap();
    within(HEALED, "the standby hears nothing", async || {
        let receivers = "SELECT count(*) FROM pg_stat_wal_receiver";
        ask::<i64>(standby, receivers).await == 0
    })
    .await;
}

async fn ask<T>(server: &Server, sql: &'static str) -> T
where
    T: Send + Unpin + for<'r> sqlx::Decode<'r, sqlx::Postgres> + sqlx::Type<sqlx::Postgres>,
{
    let mut session = server.connect().await.unwrap();
    sqlx::query_scalar(sql)
        .fetch_one(&mut session)
        .await
        .unwrap()
}
