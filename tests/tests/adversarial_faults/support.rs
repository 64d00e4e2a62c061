//! A node in this process: keys in Postgres, requests over sockets, and faults in between.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use keyward::{ApiKeyLayer, Principal};
use keyward_core::{Builder, Issued, Keyward, NewKey, Verifier};
use keyward_postgres::PostgresStore;
use keyward_store::{KeyFormat, Plaintext};
use keyward_testkit::{Call, FaultStore, Faults};
use keyward_tests::cluster::{Answer, Client};
use tokio::net::TcpListener;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep};

/// A node of a service.
pub(crate) struct Service {
    pub(crate) keys: Keyward,
    pub(crate) faults: Faults,
    server: Server,
    in_flight: Arc<AtomicUsize>,
}

pub(crate) type Setup = Builder<FaultStore<PostgresStore>>;

impl Service {
    pub(crate) async fn start(database: &str, set: impl FnOnce(Setup) -> Setup) -> Self {
        let store = PostgresStore::connect(database).unwrap();
        store.migrate().await.unwrap();
        let (store, faults) = FaultStore::new(store);
        let setup = FORMATS
            .iter()
            .fold(Keyward::builder(store), |setup, prefix| {
                setup.format(format(prefix))
            });
        let keys = set(setup).start().await.unwrap();
        let in_flight = Arc::<AtomicUsize>::default();
        let counting = from_fn_with_state(in_flight.clone(), count);
        let router = guarded(keys.verifier()).layer(counting);
        Self {
            keys,
            faults,
            server: Server::start(router).await,
            in_flight,
        }
    }

    pub(crate) fn client(&self) -> Client {
        self.server.client()
    }

    /// What a request on a connection of its own gets.
    pub(crate) async fn ask(&self, key: &Plaintext) -> Answer {
        self.server.ask(key).await
    }

    pub(crate) async fn status(&self, key: &Plaintext) -> u16 {
        self.ask(key).await.status
    }

    /// Refused because the store cannot be asked: the client is told to come back.
    pub(crate) async fn is_unavailable_for(&self, key: &Plaintext) {
        let answer = self.ask(key).await;
        assert_eq!((answer.status, answer.retry_after), (503, true));
    }

    pub(crate) async fn issue(&self, format: &str) -> Issued {
        self.keys.issue(new_key(format)).await.unwrap()
    }

    /// Issues a key and lets this node get to know it.
    pub(crate) async fn known(&self, format: &str) -> Issued {
        let issued = self.issue(format).await;
        assert_eq!(self.status(&issued.secret).await, 200);
        issued
    }

    /// How many look-ups have been sent to the store so far.
    pub(crate) fn loads(&self) -> u64 {
        self.faults.calls(Call::Load)
    }

    /// How many requests have arrived and are neither answered nor given up.
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::SeqCst)
    }
}

/// A service on a port of its own.
pub(crate) struct Server {
    address: SocketAddr,
    serving: AbortHandle,
}

impl Server {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = axum::serve(listener, router).into_future();
        Self {
            address,
            serving: tokio::spawn(serving).abort_handle(),
        }
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address)
    }

    pub(crate) async fn ask(&self, key: &Plaintext) -> Answer {
        self.client().whoami(key.expose()).await.unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// `/whoami` says whose key was presented.
pub(crate) fn guarded(verifier: Verifier) -> Router {
    whoami().layer(ApiKeyLayer::new(verifier))
}

pub(crate) fn whoami() -> Router {
    Router::new().route("/whoami", get(tenant))
}

async fn tenant(key: Principal) -> Json<String> {
    Json(key.tenant().to_owned())
}

/// Counts a request until it is answered or given up.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn one_more(requests: Arc<AtomicUsize>) -> Self {
        requests.fetch_add(1, Ordering::SeqCst);
        Self(requests)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn count(State(requests): State<Arc<AtomicUsize>>, request: Request, next: Next) -> Response {
    let _counted = Counted::one_more(requests);
    next.run(request).await
}

/// Found by public id, and found by digest alone.
pub(crate) const FORMATS: [&str; 2] = ["acme_live", "acme_opaque"];

pub(crate) fn format(prefix: &str) -> KeyFormat {
    let builder = KeyFormat::builder(prefix);
    let builder = match prefix {
        "acme_opaque" => builder.without_public_id(),
        _ => builder,
    };
    builder.build().unwrap()
}

/// A key that is spelled like one and was never issued.
pub(crate) fn unknown(prefix: &str) -> Plaintext {
    format(prefix).generate().unwrap().plaintext
}

pub(crate) fn new_key(format: &str) -> NewKey {
    NewKey::named("ci").tenant("acme").format(format)
}

/// Nothing ends while a test holds it up, and what is heard of was hinted at: no poll is due.
pub(crate) fn patient(setup: Setup) -> Setup {
    let setup = setup.lease(Duration::from_secs(60));
    let setup = setup.poll_interval(Duration::from_secs(50));
    setup.load_limit(Duration::from_secs(30))
}

/// Waits until something holds; fails when it does not in ten seconds.
pub(crate) async fn until(what: &str, holds: impl AsyncFn() -> bool) {
    let start = Instant::now();
    while !holds().await {
        assert!(start.elapsed() < PATIENCE, "{what}: not in {PATIENCE:?}");
        sleep(Duration::from_millis(1)).await;
    }
}

const PATIENCE: Duration = Duration::from_secs(10);
/// What a busy machine with two cores may take for a round trip.
pub(crate) const ROUND_TRIP: Duration = Duration::from_millis(500);
