//! A database with nodes on it, and what they answer.

use std::error::Error;
use std::time::Duration;

use keyward_core::{Builder, DeniedKind, Issued, Keyward, NewKey, Principal, Reason, Verifier};
use keyward_postgres::PostgresStore;
use keyward_store::{KeyFormat, KeyHash, KeyId, KeyStore, Plaintext, Records, Scope};
use keyward_testkit::LeakWatch;
use keyward_throwaway::Database;
use sqlx::{AssertSqlSafe, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

/// A database with the schema, and a watch over what is logged of its keys.
pub(crate) struct Site {
    pub(crate) database: Database,
    watch: LeakWatch,
}

impl Site {
    pub(crate) async fn fresh() -> Self {
        let watch = LeakWatch::start();
        let database = Database::fresh().await.unwrap();
        let site = Self { database, watch };
        site.store().migrate().await.unwrap();
        site
    }

    /// A store with connections of its own, as every process has.
    pub(crate) fn store(&self) -> PostgresStore {
        connect(self.database.url())
    }

    /// A node that hears of changes by hints alone.
    pub(crate) async fn node(&self) -> Node {
        Node::start(self.store(), seldom).await
    }

    pub(crate) async fn issue(&self, node: &Node, new: NewKey) -> Issued {
        let issued = node.keys.issue(new).await.unwrap();
        self.watch(&issued);
        issued
    }

    /// Neither this key nor its digest may be logged.
    pub(crate) fn watch(&self, issued: &Issued) {
        self.watch.issued(issued);
        if let KeyHash::Sha256(digest) = &issued.key.hash {
            self.watch.secret(&digest.to_hex());
        }
    }

    /// What was typed into psql.
    pub(crate) async fn sql(&self, sql: &str) -> u64 {
        self.database.execute(sql).await.unwrap()
    }
}

/// One process of a service.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) keys: Keyward,
    verifier: Verifier,
}

impl Node {
    pub(crate) async fn start<S: Records + KeyStore>(
        store: S,
        set: impl FnOnce(Builder<S>) -> Builder<S>,
    ) -> Self {
        let builder = FORMATS
            .iter()
            .fold(Keyward::builder(store), |builder, prefix| {
                builder.format(format(prefix))
            });
        let keys = set(builder).start().await.unwrap();
        let verifier = keys.verifier();
        Self { keys, verifier }
    }

    pub(crate) async fn principal(&self, key: &Plaintext) -> Principal {
        self.verifier.verify(key.expose().as_bytes()).await.unwrap()
    }

    /// What a request with this key gets.
    pub(crate) async fn answer(&self, key: &Plaintext) -> Answer {
        match self.verifier.verify(key.expose().as_bytes()).await {
            Ok(_) => Answer::Accepted,
            Err(denied) if denied.kind() == DeniedKind::Unavailable => Answer::Unavailable,
            Err(denied) => Answer::Refused(denied.reason()),
        }
    }

    pub(crate) async fn accepts(&self, key: &Plaintext) -> bool {
        self.answer(key).await == Answer::Accepted
    }

    /// Why a request with this key is refused.
    pub(crate) async fn reason(&self, key: &Plaintext) -> Option<Reason> {
        let verified = self.verifier.verify(key.expose().as_bytes()).await;
        verified.err().map(|denied| denied.reason())
    }

    /// What each of many requests at once gets.
    pub(crate) async fn answers(&self, keys: impl IntoIterator<Item = &Plaintext>) -> Vec<Answer> {
        let ask = async |node: Self, key: Plaintext| node.answer(&key).await;
        let copy = |key: &Plaintext| Plaintext::new(key.expose().to_owned());
        let keys = keys.into_iter();
        let asked = keys.map(|key| ask(self.clone(), copy(key)));
        asked.collect::<JoinSet<_>>().join_all().await
    }

    /// Waits for an answer.
    pub(crate) async fn comes_to(&self, key: &Plaintext, answer: Answer, limit: Duration) {
        let what = format!("the answer {answer:?}");
        within(limit, &what, async || self.answer(key).await == answer).await;
    }
}

/// What a client gets: 200, 401 or 403, or 503.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepted,
    Refused(Reason),
    Unavailable,
}

pub(crate) const REVOKED: Answer = Answer::Refused(Reason::Revoked);

/// Polls so seldom that none is due in a test: what is heard of was hinted at.
pub(crate) fn seldom<S>(builder: Builder<S>) -> Builder<S> {
    let builder = builder.poll_interval(Duration::from_secs(50));
    builder.lease(Duration::from_secs(60))
}

/// A lease that does not end in a test, so that what is not believed any more was told of; and a poll
/// that fails is tried again soon.
pub(crate) fn trusting<S>(builder: Builder<S>) -> Builder<S> {
    let builder = builder.poll_interval(Duration::from_secs(8));
    builder.lease(Duration::from_secs(60))
}

/// A short lease, so that a test sees its end.
pub(crate) fn often<S>(builder: Builder<S>) -> Builder<S> {
    let builder = builder.lease(LEASE).poll_interval(INTERVAL);
    builder.load_limit(LOAD_LIMIT)
}

pub(crate) const LEASE: Duration = Duration::from_secs(3);
pub(crate) const INTERVAL: Duration = Duration::from_millis(300);
pub(crate) const LOAD_LIMIT: Duration = Duration::from_secs(2);

/// Far more than a hint takes, on a machine that does other things too.
pub(crate) const SOON: Duration = Duration::from_secs(2);
/// How long after the end of an outage a node may take to accept again.
pub(crate) const HEALED: Duration = Duration::from_secs(10);

/// Found by public id, and found by digest alone.
pub(crate) const FORMATS: [&str; 2] = ["acme_live", "acme_opaque"];

pub(crate) const READ: Scope = Scope::from_static("orders:read");

pub(crate) fn format(prefix: &str) -> KeyFormat {
    let builder = KeyFormat::builder(prefix);
    let builder = match prefix {
        "acme_opaque" => builder.without_public_id(),
        _ => builder,
    };
    builder.build().unwrap()
}

pub(crate) fn new_key() -> NewKey {
    NewKey::named("ci").tenant("acme").scopes([READ])
}

pub(crate) fn connect(url: &str) -> PostgresStore {
    PostgresStore::connect(url).unwrap()
}

/// Everything that an error says, to whoever prints it or looks into it.
pub(crate) fn told(error: &dyn Error) -> String {
    let mut told = format!("{error:?}");
    let mut next = Some(error);
    while let Some(error) = next {
        told = format!("{told}\n{error}");
        next = error.source();
    }
    told
}

/// Statements in one session, without a transaction around them.
pub(crate) async fn run(session: &mut PgConnection, statements: &[&str]) {
    for statement in statements {
        let sql = AssertSqlSafe((*statement).to_owned());
        sqlx::raw_sql(sql).execute(&mut *session).await.unwrap();
    }
}

/// As it is spelled in SQL.
pub(crate) fn quoted(id: &KeyId) -> String {
    format!("'{id}'")
}

/// Waits until something holds; fails when it does not in `limit`.
pub(crate) async fn within(limit: Duration, what: &str, holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < limit, "{what}: not in {limit:?}");
        sleep(Duration::from_millis(5)).await;
    }
}
