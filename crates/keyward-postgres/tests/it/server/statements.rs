//! What is asked of the server, counted there.

use std::iter::repeat_n;
use std::time::Duration;

use keyward_core::Issued;
use keyward_store::Plaintext;
use keyward_throwaway::Server;
use sqlx::PgConnection;
use tokio::sync::Mutex;

use crate::support::{
    Answer, FORMATS, HEALED, Node, connect, format, new_key, run, seldom, within,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_hit_asks_nothing_and_a_miss_once() {
    let counted = Counted::start().await;
    let there = counted.node().await;
    let here = counted.node().await;
    for format in FORMATS {
        let keys = issue(&there, 20, format).await;
        counted.mark().await;

        assert!(here.accepts(&keys[0].secret).await);
        assert_eq!(counted.mark().await.len(), 1, "one miss");

        for _ in 0..1_000 {
            assert!(here.accepts(&keys[0].secret).await);
        }
        assert_eq!(counted.mark().await, [""; 0], "a thousand hits");

        let answers = here.answers(repeat_n(&keys[1].secret, 1_000)).await;
        assert!(answers.iter().all(|answer| *answer == Answer::Accepted));
        assert_eq!(
            counted.mark().await.len(),
            1,
            "a thousand misses of one key at once"
        );

        for key in &keys {
            assert!(here.accepts(&key.secret).await);
        }
        assert_eq!(counted.mark().await.len(), 18, "every other key once");

        let unknown = self::format(format).generate().unwrap().plaintext;
        for _ in 0..100 {
            assert!(!here.accepts(&unknown).await);
        }
        assert_eq!(counted.mark().await.len(), 1, "a key that does not exist");

        let mut misspelt = unknown.expose().to_owned();
        misspelt.pop();
        misspelt.push('-');
        assert!(!here.accepts(&Plaintext::new(misspelt)).await);
        assert_eq!(counted.mark().await, [""; 0], "what is no key");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_uses_of_all_keys_are_one_statement() {
    let counted = Counted::start().await;
    let never = Duration::from_secs(3_600);
    let store = connect(&counted.server.url());
    let node = Node::start(store, |builder| seldom(builder).flush_interval(never)).await;
    let keys = issue(&node, 100, FORMATS[0]).await;
    for key in &keys {
        assert!(node.accepts(&key.secret).await);
    }
    counted.mark().await;
    for _ in 0..10 {
        for key in &keys {
            assert!(node.accepts(&key.secret).await);
        }
    }
    node.keys.shutdown().await;
    let statements = counted.mark().await;
    assert_eq!(statements.len(), 1, "{statements:?}");
    assert!(statements[0].contains("INSERT INTO keyward.last_used"));
    let used = "SELECT count(*) FROM keyward.last_used";
    assert_eq!(super::ask::<i64>(&counted.server, used).await, 100);
}

/// A revocation asks for the record, makes the change and hears of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_one_statement() {
    let counted = Counted::start().await;
    let node = counted.node().await;
    let keys = issue(&node, 2, FORMATS[0]).await;
    counted.mark().await;
    node.keys.issue(new_key()).await.unwrap();
    assert_eq!(counted.mark().await.len(), 1, "issuing");
    node.keys.revoke(&keys[0].key.id).await.unwrap();
    assert_eq!(counted.mark().await.len(), 2, "revoking");
}

/// A server that writes down every statement.
struct Counted {
    server: Server,
    session: Mutex<(PgConnection, u32)>,
}

impl Counted {
    async fn start() -> Self {
        let server = Server::builder()
            .setting("fsync", "off")
            .setting("log_statement", "all")
            .setting("logging_collector", "on")
            .setting("log_directory", "log")
            .setting("log_filename", "all.log")
            .setting("log_line_prefix", "");
        let server = server.start().await.unwrap();
        connect(&server.url()).migrate().await.unwrap();
        let session = Mutex::new((server.connect().await.unwrap(), 0));
        let counted = Self { server, session };
        counted.mark().await;
        counted
    }

    /// One whose last uses are not in the way.
    async fn node(&self) -> Node {
        let never = Duration::from_secs(3_600);
        let set = |builder| seldom(builder).flush_interval(never);
        let node = Node::start(connect(&self.server.url()), set).await;
        // What is done once in a while is done now.
        tokio::time::sleep(Duration::from_millis(200)).await;
        node
    }

    /// The statements since the last mark, but for polls, beats and housekeeping.
    async fn mark(&self) -> Vec<String> {
        let (session, marks) = &mut *self.session.lock().await;
        *marks += 1;
        let spelled = |number| format!("SELECT 'mark {number}'");
        let line = |number| format!("LOG:  statement: {}", spelled(number));
        let (last, mark) = (line(*marks - 1), line(*marks));
        run(session, &[&spelled(*marks)]).await;
        let session = Mutex::new(session);
        let log = async || -> String {
            let sql = "SELECT pg_read_file('log/all.log')";
            let mut session = session.lock().await;
            sqlx::query_scalar(sql)
                .fetch_one(&mut **session)
                .await
                .unwrap()
        };
        within(HEALED, "the log is written", async || {
            log().await.contains(&mark)
        })
        .await;
        let log = log().await;
        let from = log.find(&last).unwrap_or_default();
        let to = log.find(&mark).unwrap();
        let lines = log[from..to].lines().skip(1);
        let statements = lines.filter(|line| line.starts_with("LOG:  "));
        let statements = statements.filter(|line| !APART.iter().any(|apart| line.contains(apart)));
        statements.map(str::to_owned).collect()
    }
}

/// What goes on whether or not there are requests; and what the test itself asks.
const APART: [&str; 7] = [
    "AS standby",
    "LISTEN",
    "keyward.nodes",
    "forget_changes",
    "forget_tokens",
    "pg_read_file",
    "SELECT 'mark",
];

async fn issue(node: &Node, number: usize, format: &str) -> Vec<Issued> {
    let mut keys = Vec::new();
    for _ in 0..number {
        keys.push(node.keys.issue(new_key().format(format)).await.unwrap());
    }
    keys
}
