//! The server itself fails, and comes back.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use keyward_core::IssueError;
use keyward_store::{CommitError, KeyId};
use keyward_throwaway::Server;
use tokio::time::sleep;

use crate::outage::Outage;
use crate::support::{Answer, Node, REVOKED, connect, new_key, often};

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_server_is_outlasted_for_a_lease() {
    let server = server().await;
    let mut outage = outage(&server).await;
    server.pause().await.unwrap();
    outage.begins();
    outage.goes_dark().await;
    server.resume().await.unwrap();
    outage.heals().await;
    outage.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_is_outlasted_for_a_lease() {
    let server = server().await;
    let mut outage = outage(&server).await;
    server.kill().await.unwrap();
    outage.begins();
    outage.goes_dark().await;
    server.start_again().await.unwrap();
    outage.heals().await;
    outage.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_server_is_outlasted_for_a_lease() {
    let server = server().await;
    let mut outage = outage(&server).await;
    server.stop().await.unwrap();
    outage.begins();
    outage.goes_dark().await;
    server.start_again().await.unwrap();
    outage.heals().await;
    outage.ends().await;
}

/// Whatever was acknowledged is there after every crash, and takes hold on every node.
#[tokio::test(flavor = "multi_thread")]
async fn no_acknowledged_change_is_lost_in_a_crash() {
    let server = server().await;
    let node = Node::start(connect(&server.url()), often).await;
    let done = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..4)
        .map(|_| tokio::spawn(write(node.clone(), done.clone())))
        .collect();
    for turn in 0..3 {
        sleep(Duration::from_millis(500)).await;
        match turn {
            0 => server.restart().await.unwrap(),
            _ => {
                server.kill().await.unwrap();
                server.start_again().await.unwrap();
            }
        }
    }
    sleep(Duration::from_secs(1)).await;
    done.store(true, Ordering::SeqCst);

    let mut written = Vec::new();
    for writer in writers {
        written.push(writer.await.unwrap());
    }

    let mut session = server.connect().await.unwrap();
    let rows: Vec<(String, bool)> =
        sqlx::query_as("SELECT id, revoked_at IS NOT NULL FROM keyward.keys")
            .fetch_all(&mut session)
            .await
            .unwrap();
    let kept: HashMap<&str, bool> = rows.iter().map(|(id, is)| (id.as_str(), *is)).collect();
    let (mut acknowledged, mut doubtful) = (0, 0);
    for Written {
        issued,
        revoked,
        unknown,
    } in &written
    {
        acknowledged += issued.len() + revoked.len();
        doubtful += unknown;
        for id in issued {
            assert!(kept.contains_key(id.as_str()), "an issued key is gone");
        }
        for id in revoked {
            assert!(kept[id.as_str()], "a revoked key is back");
        }
    }
    println!("{acknowledged} changes acknowledged, {doubtful} of unknown outcome");
    assert!(acknowledged > 100);
    let issued = node.keys.issue(new_key()).await.unwrap();
    assert_eq!(node.answer(&issued.secret).await, Answer::Accepted);
    node.keys.revoke(&issued.key.id).await.unwrap();
    assert_eq!(node.answer(&issued.secret).await, REVOKED);
}

#[derive(Default)]
struct Written {
    issued: Vec<KeyId>,
    revoked: Vec<KeyId>,
    unknown: usize,
}

/// Issues and revokes, and notes what it was told has been done.
async fn write(node: Node, done: Arc<AtomicBool>) -> Written {
    let mut written = Written::default();
    while !done.load(Ordering::SeqCst) {
        match node.keys.issue(new_key()).await {
            Ok(issued) => {
                let id = issued.key.id;
                written.issued.push(id.clone());
                if node.keys.revoke(&id).await.is_ok() {
                    written.revoked.push(id);
                }
            }
            Err(IssueError::Commit(CommitError::Unknown(_))) => written.unknown += 1,
            Err(_) => sleep(Duration::from_millis(20)).await,
        }
    }
    written
}

/// One that waits for the disk: what it acknowledges must survive.
async fn server() -> Server {
    let server = Server::start().await.unwrap();
    connect(&server.url()).migrate().await.unwrap();
    server
}

async fn outage(server: &Server) -> Outage {
    let node = Node::start(connect(&server.url()), often).await;
    Outage::prepare(node, |_| {}).await
}
