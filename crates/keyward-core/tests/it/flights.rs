//! Loads: shared, bounded, and no harm to each other.

use std::sync::Arc;
use std::time::Duration;

use keyward_core::Reason;
use keyward_testkit::{Call, Fault};
use tokio::task::JoinSet;

use crate::support::{ACCEPTED, MOMENT, Service, UNAVAILABLE, format};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_misses_of_one_key_are_one_load() {
    let service = Arc::new(Service::start().await);
    let key = Arc::new(service.issue().await);
    let gate = service.faults.hold(Call::Load);
    let mut tasks = JoinSet::new();
    for _ in 0..1_000 {
        let (service, key) = (service.clone(), key.clone());
        tasks.spawn(async move { service.kind(&key).await });
    }
    gate.reached(1).await;
    tokio::time::sleep(MOMENT).await;
    gate.open();
    while let Some(kind) = tasks.join_next().await {
        assert_eq!(kind.unwrap(), ACCEPTED);
    }
    assert_eq!(service.faults.calls(Call::Load), 1);
}

#[tokio::test]
async fn a_second_look_asks_nobody() {
    let service = Service::start().await;
    let key = service.issue().await;
    for _ in 0..10 {
        assert_eq!(service.kind(&key).await, ACCEPTED);
    }
    assert_eq!(service.faults.calls(Call::Load), 1);
}

/// Whoever starts a load may go away: those who joined get its answer all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_hundred_aborted_leaders_harm_nobody() {
    let service = Arc::new(Service::start().await);
    let key = Arc::new(service.issue().await);
    let gate = service.faults.hold(Call::Load);
    for _ in 0..300 {
        let (service, key) = (service.clone(), key.clone());
        let leader = tokio::spawn(async move { service.kind(&key).await });
        tokio::task::yield_now().await;
        leader.abort();
        assert!(
            leader.await.is_err(),
            "nobody lets it through before the gate opens"
        );
    }
    let waiting = tokio::spawn({
        let (service, key) = (service.clone(), key.clone());
        async move { service.kind(&key).await }
    });
    gate.reached(1).await;
    gate.open();
    assert_eq!(waiting.await.unwrap(), ACCEPTED);
    assert_eq!(service.faults.calls(Call::Load), 1);
}

#[tokio::test]
async fn three_hundred_failed_loads_harm_nobody() {
    for fault in [Fault::Fail, Fault::Panic] {
        let service = Service::start().await;
        let key = service.issue().await;
        service.faults.times(300, Call::Load, fault);
        for _ in 0..300 {
            assert_eq!(service.kind(&key).await, UNAVAILABLE);
        }
        assert_eq!(
            service.kind(&key).await,
            ACCEPTED,
            "no failure is remembered"
        );
        assert_eq!(service.faults.calls(Call::Load), 301);
    }
}

#[tokio::test]
async fn a_store_that_hangs_is_not_waited_for_for_ever() {
    let limit = Duration::from_millis(100);
    let service = Service::with(|builder| builder.load_limit(limit)).await;
    let key = service.issue().await;
    service.faults.once(Call::Load, Fault::Hang);
    let denied = service.verify(&key).await.unwrap_err();
    assert_eq!(denied.reason(), Reason::LoadTimedOut);
    assert!(denied.retry_after().is_some());
    assert_eq!(service.kind(&key).await, ACCEPTED);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn so_many_loads_at_once_and_no_more() {
    let service = Arc::new(Service::with(|builder| builder.loads_at_once(4)).await);
    let gate = service.faults.hold(Call::Load);
    let mut tasks = JoinSet::new();
    for _ in 0..50 {
        let service = service.clone();
        let key = format().generate().unwrap().plaintext;
        service.watch.secret(&key.expose()[SECRET_START..]);
        tasks.spawn(async move {
            service
                .verifier
                .verify(key.expose().as_bytes())
                .await
                .is_err()
        });
    }
    gate.reached(4).await;
    tokio::time::sleep(MOMENT).await;
    assert_eq!(service.faults.running(Call::Load), 4);
    gate.open();
    while let Some(refused) = tasks.join_next().await {
        assert!(refused.unwrap());
    }
    assert_eq!(service.faults.peak(Call::Load), 4);
    assert_eq!(service.faults.calls(Call::Load), 50);
}

#[tokio::test]
async fn what_is_not_there_is_asked_for_once() {
    let service = Service::start().await;
    let unknown = format().generate().unwrap().plaintext;
    service.watch.secret(&unknown.expose()[SECRET_START..]);
    for _ in 0..10 {
        let denied = service
            .verifier
            .verify(unknown.expose().as_bytes())
            .await
            .unwrap_err();
        assert_eq!(denied.reason(), Reason::Unknown);
    }
    assert_eq!(service.faults.calls(Call::Load), 1);
}

#[tokio::test]
async fn wrong_secrets_of_a_known_id_ask_nobody() {
    let service = Service::start().await;
    let key = service.issue().await;
    let id = key.key.public_id.unwrap();
    // Another key's secret behind this key's id, its checksum made anew by trying them all is not
    // needed: a format without checksum shares the spelling of everything else.
    assert_eq!(service.kind(&key).await, ACCEPTED);
    let loads = service.faults.calls(Call::Load);
    for _ in 0..10 {
        let forged = forge(&id.to_string());
        service.watch.secret(&forged[SECRET_START..]);
        let denied = service
            .verifier
            .verify(forged.as_bytes())
            .await
            .unwrap_err();
        assert_eq!(denied.reason(), Reason::WrongSecret);
    }
    assert_eq!(
        service.kind(&key).await,
        ACCEPTED,
        "nor do they push the right one out"
    );
    assert_eq!(service.faults.calls(Call::Load), loads);
}

/// Behind `acme_live_`, eleven characters of id and `_`.
const SECRET_START: usize = 22;

/// A key with this id and a random secret, its checksum right.
fn forge(id: &str) -> String {
    let secret = format().generate().unwrap().plaintext;
    let secret = secret.expose().rsplit('_').next().unwrap()[..24].to_owned();
    let covered = format!("acme_live_{id}_{secret}");
    let mut number = crc32(covered.as_bytes());
    let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut sum = [b'0'; 6];
    for place in sum.iter_mut().rev() {
        *place = digits[number as usize % 62];
        number /= 62;
    }
    covered + std::str::from_utf8(&sum).unwrap()
}

/// ISO 3309, bit by bit: slow, and made from nothing but its definition.
fn crc32(text: &[u8]) -> u32 {
    !text.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            }
        })
    })
}
