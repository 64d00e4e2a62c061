//! Keys that do not exist, by the hundred thousand.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use keyward_core::{DeniedKind, Reason, Verification, Verifier};
use keyward_store::Plaintext;
use keyward_testkit::Call;
use keyward_throwaway::Database;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::support::{FORMATS, Service, patient, unknown};

/// Keys that are spelled like keys and do not exist cost a look-up each, of which few run at once;
/// they push no good key out, and no more of them are remembered than the settings say.
#[tokio::test(flavor = "multi_thread")]
async fn random_flood() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    let mut good = Vec::new();
    for n in 0..1_000 {
        good.push(service.known(FORMATS[n % 2]).await.secret);
    }
    let (good, loads) = (Arc::new(good), service.loads());
    let verifier = service.keys.verifier();
    let flood: Arc<Vec<Plaintext>> =
        Arc::new((0..FLOOD).map(|n| unknown(FORMATS[n % 2])).collect());

    let over = Arc::new(AtomicBool::new(false));
    let hits = tokio::spawn(hit_rate(verifier.clone(), good.clone(), over.clone()));
    let start = Instant::now();
    refused(&verifier, &flood).await;
    let took = start.elapsed();
    over.store(true, Ordering::SeqCst);
    let (hits, asked) = hits.await.unwrap();
    let sent = service.loads() - loads;
    println!(
        "{FLOOD} unknown keys in {took:.2?}: {sent} look-ups; {hits} of {asked} good keys hit"
    );

    assert!(asked >= 10_000, "good keys were presented {asked} times");
    assert!(hits * 100 > asked * 99, "{hits} hits of {asked}");
    assert!(sent >= FLOOD as u64, "{sent} look-ups: the flood was none");
    assert_eq!(service.faults.peak(Call::Load), LOADS_AT_ONCE);
    let remembered = flood.iter().filter(|key| is_decided(&verifier, key));
    let remembered = remembered.count();
    assert!(remembered > ABSENT / 2, "{remembered} are remembered");
    assert!(remembered <= ABSENT, "{remembered} are remembered");
    assert_eq!(service.status(&flood[0]).await, 401);
    assert_eq!(service.status(&good[0]).await, 200);
}

/// A million keys with a wrong checksum are refused without any question to the store.
#[tokio::test(flavor = "multi_thread")]
async fn random_flood_bad_crc() {
    let database = Database::fresh().await.unwrap();
    let service = Service::start(database.url(), patient).await;
    let verifier = service.keys.verifier();
    for format in FORMATS {
        let key = service.issue(format).await;
        let loads = service.loads();
        let mut wrong = key.secret.expose().as_bytes().to_vec();
        let place = key.key.hint.len();
        let right: [u8; 4] = wrong[place..place + 4].try_into().unwrap();
        for n in 0..500_000 {
            let other = four_characters(n);
            if other == right {
                continue;
            }
            // A CRC32 finds every change of no more than 32 bits in a row.
            wrong[place..place + 4].copy_from_slice(&other);
            match verifier.check(&wrong) {
                Verification::Decided(Err(denied)) => {
                    assert_eq!(denied.kind(), DeniedKind::InvalidToken);
                    assert_eq!(denied.reason(), Reason::NotAKey);
                }
                other => panic!("{other:?}"),
            }
            if n % 5_000 == 0 {
                let wrong = Plaintext::new(String::from_utf8(wrong.clone()).unwrap());
                assert_eq!(service.status(&wrong).await, 401);
            }
        }
        assert_eq!(service.loads(), loads);
        assert_eq!(service.faults.calls(Call::Find), 0);
        assert_eq!(service.status(&key.secret).await, 200);
    }
}

/// How often good keys are presented until it is over, and how often without a look-up.
async fn hit_rate(
    verifier: Verifier,
    good: Arc<Vec<Plaintext>>,
    over: Arc<AtomicBool>,
) -> (u64, u64) {
    let (mut hits, mut asked) = (0, 0);
    while !over.load(Ordering::SeqCst) {
        for key in good.iter() {
            asked += 1;
            match verifier.check(key.expose().as_bytes()) {
                Verification::Decided(decision) => {
                    decision.unwrap();
                    hits += 1;
                }
                Verification::Pending(pending) => drop(pending.await.unwrap()),
            }
        }
        sleep(Duration::from_millis(50)).await;
    }
    (hits, asked)
}

/// Presents each key once, by many clients at once.
async fn refused(verifier: &Verifier, flood: &Arc<Vec<Plaintext>>) {
    let next = Arc::new(AtomicU64::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..4 * LOADS_AT_ONCE {
        let (verifier, flood, next) = (verifier.clone(), flood.clone(), next.clone());
        clients.spawn(async move {
            while let Some(key) = flood.get(next.fetch_add(1, Ordering::SeqCst) as usize) {
                let denied = verifier.verify(key.expose().as_bytes()).await;
                assert_eq!(denied.unwrap_err().reason(), Reason::Unknown);
            }
        });
    }
    clients.join_all().await;
}

fn is_decided(verifier: &Verifier, key: &Plaintext) -> bool {
    let verification = verifier.check(key.expose().as_bytes());
    matches!(verification, Verification::Decided(_))
}

fn four_characters(n: usize) -> [u8; 4] {
    [0, 1, 2, 3].map(|place| ALPHABET[n / ALPHABET.len().pow(place) % ALPHABET.len()])
}

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// Each of them asks the database, so that a million takes many minutes in a build for tests. These
/// are half as many again as are remembered, and take 10 to 20 s on two cores that others use too.
const FLOOD: usize = 15_000;
/// The defaults of `Builder`.
const LOADS_AT_ONCE: u64 = 64;
const ABSENT: usize = 10_000;
