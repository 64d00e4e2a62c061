//! Look-ups on their way: who shares one, who leaves, and what overtakes it.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use keyward_core::Issued;
use keyward_testkit::{Call, Fault};
use keyward_tests::cluster::Answer;
use keyward_throwaway::Database;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::{FORMATS, Service, patient, until};

/// A thousand clients that present one key at once make one look-up.
#[tokio::test(flavor = "multi_thread")]
async fn stampede() {
    allow_sockets();
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    for format in FORMATS {
        let key = service.issue(format).await;
        let loads = service.loads();
        let gate = service.faults.hold(Call::Load);
        let asked: Vec<_> = (0..1_000).map(|_| ask(&service, &key)).collect();
        until("a thousand requests wait", async || {
            service.in_flight() == 1_000
        })
        .await;
        gate.open();
        for answer in asked {
            assert_eq!(answer.await.unwrap().unwrap().status, 200);
        }
        assert_eq!(service.loads(), loads + 1);
    }
}

/// Of a thousand clients that wait for one look-up, 999 hang up in turn, the one who set it off
/// first: the last one gets its answer, from that look-up.
#[tokio::test(flavor = "multi_thread")]
async fn stampede_abort() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    let key = service.issue(FORMATS[0]).await;
    let loads = service.loads();
    let gate = service.faults.hold(Call::Load);

    let mut waiting = VecDeque::from([ask(&service, &key)]);
    gate.reached(1).await;
    let last = ask(&service, &key);
    for _ in 1..999 {
        waiting.push_back(ask(&service, &key));
        if waiting.len() > 50 {
            hang_up(&mut waiting).await;
            let there = waiting.len() + 1;
            until("it is noticed", async || service.in_flight() == there).await;
        }
    }
    while !waiting.is_empty() {
        hang_up(&mut waiting).await;
    }
    until("one is left", async || service.in_flight() == 1).await;
    gate.open();
    assert_eq!(last.await.unwrap().unwrap().status, 200);
    assert_eq!(service.loads(), loads + 1);
    assert_eq!(service.status(&key.secret).await, 200);
}

/// A look-up that has read a key before it was revoked, and ends after that, brings it back for
/// nobody.
#[tokio::test(flavor = "multi_thread")]
async fn stale_fill() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    for format in FORMATS {
        let key = service.issue(format).await;
        let gate = service.faults.hold(Call::Load);
        let before = ask(&service, &key);
        gate.reached(1).await;
        service.keys.revoke(&key.key.id).await.unwrap();
        gate.open();
        // It came before the revocation, and still is told the truth.
        assert_eq!(before.await.unwrap().unwrap().status, 401);
        for _ in 0..3 {
            assert_eq!(service.status(&key.secret).await, 401);
        }
    }
}

/// Who joins, after a revocation has returned, a look-up that was sent before it is not served by
/// that one.
#[tokio::test(flavor = "multi_thread")]
async fn late_joiner() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    for format in FORMATS {
        let key = service.issue(format).await;
        let gate = service.faults.hold(Call::Load);
        let before = ask(&service, &key);
        gate.reached(1).await;
        service.keys.revoke(&key.key.id).await.unwrap();
        let loads = service.loads();
        let after = ask(&service, &key);
        until("both wait", async || service.in_flight() == 2).await;
        sleep(Duration::from_millis(50)).await;
        assert_eq!(service.loads(), loads, "it has joined");
        gate.open();
        assert_eq!(after.await.unwrap().unwrap().status, 401);
        assert_eq!(before.await.unwrap().unwrap().status, 401);
    }
}

/// A look-up that panics is one request's misfortune: others are served meanwhile, and the same key
/// afterwards.
#[tokio::test(flavor = "multi_thread")]
async fn panic_in_store() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    for format in FORMATS {
        let [key, other] = [service.issue(format).await, service.issue(format).await];
        let known = service.known(format).await;
        let gate = service.faults.hold(Call::Load);
        let on_its_way = ask(&service, &other);
        gate.reached(1).await;
        service.faults.once(Call::Load, Fault::Panic);
        service.is_unavailable_for(&key.secret).await;
        assert_eq!(service.status(&known.secret).await, 200);
        gate.open();
        assert_eq!(on_its_way.await.unwrap().unwrap().status, 200);
        assert_eq!(service.status(&key.secret).await, 200);
        assert_eq!(service.faults.running(Call::Load), 0);
    }
}

type Asked = JoinHandle<io::Result<Answer>>;

/// A request of a client of its own, which hangs up when this is aborted.
fn ask(service: &Service, key: &Issued) -> Asked {
    let mut client = service.client();
    let key = key.secret.expose().to_owned();
    tokio::spawn(async move { client.whoami(&key).await })
}

async fn hang_up(waiting: &mut VecDeque<Asked>) {
    let first = waiting.pop_front().unwrap();
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
}

/// Both ends of a thousand connections are more files than many systems allow unasked.
fn allow_sockets() {
    let limit = getrlimit(Resource::Nofile);
    let enough = limit.maximum.map_or(4_096, |most| most.min(4_096));
    if limit.current.is_some_and(|current| current < enough) {
        let raised = Rlimit {
            current: Some(enough),
            ..limit
        };
        setrlimit(Resource::Nofile, raised).unwrap();
    }
}
