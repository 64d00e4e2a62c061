//! A million keys that nobody has issued.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use keyward_core::{Keyward, NewKey, Verification};
use keyward_memory::MemoryStore;
use keyward_testkit::{Call, FaultStore, Faults};
use tokio::task::JoinSet;

use crate::support::format;

const FLOOD: usize = 1_000_000;
const GOOD: usize = 500;
const AT_ONCE: u64 = 64;

/// They push no good key out, are remembered within a bound, and go to the store no more at a time than
/// look-ups may.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_random_keys_harm_nobody() {
    let (keys, faults) = start().await;
    let verifier = keys.verifier();
    let mut good = Vec::new();
    for _ in 0..GOOD {
        good.push(
            keys.issue(NewKey::named("ci").tenant("acme"))
                .await
                .unwrap(),
        );
    }
    for key in &good {
        let credential = key.secret.expose().as_bytes();
        assert!(verifier.verify(credential).await.is_ok());
    }
    let memory = resident();
    let next = Arc::new(AtomicUsize::new(0));
    let mut tasks = JoinSet::new();
    for _task in 0..256 {
        let (verifier, next) = (verifier.clone(), next.clone());
        tasks.spawn(async move {
            while next.fetch_add(1, Ordering::Relaxed) < FLOOD {
                let random = format().generate().unwrap().plaintext;
                let verdict = verifier.verify(random.expose().as_bytes()).await;
                assert!(verdict.is_err());
            }
        });
    }
    let mut hits = 0;
    while !tasks.is_empty() {
        for key in &good {
            let decided = verifier.check(key.secret.expose().as_bytes());
            assert!(
                matches!(decided, Verification::Decided(Ok(_))),
                "after {hits} hits"
            );
            hits += 1;
        }
        tokio::task::yield_now().await;
        while let Some(done) = tasks.try_join_next() {
            done.unwrap();
        }
    }
    assert!(hits >= GOOD);
    let (loads, peak) = (faults.calls(Call::Load), faults.peak(Call::Load));
    assert!(loads >= FLOOD as u64, "{loads}: the flood was none");
    assert!(peak <= AT_ONCE, "{peak} look-ups at once");
    let grown = resident().saturating_sub(memory) / (1024 * 1024);
    assert!(grown < 64, "{grown} MiB are kept of them");
}

/// With a checksum, what was made up is told from a key before anything is looked up or remembered.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_million_garbled_keys_touch_nothing() {
    let (keys, faults) = start().await;
    let verifier = keys.verifier();
    let made = format().generate().unwrap().plaintext;
    let mut garbled = made.expose().as_bytes().to_vec();
    let end = garbled.len();
    for n in 0..FLOOD {
        // Eight digits of the secret, and the checksum of another one.
        let digits = format!("{n:08}");
        garbled[end - 16..end - 8].copy_from_slice(digits.as_bytes());
        let verdict = verifier.check(&garbled);
        assert!(matches!(verdict, Verification::Decided(Err(_))));
    }
    assert_eq!(faults.calls(Call::Load), 0);
}

/// Without a watch over what is logged: it would keep a line of each.
async fn start() -> (Keyward, Faults) {
    let (store, faults) = FaultStore::new(MemoryStore::default());
    let keys = Keyward::builder(store).format(format());
    (keys.start().await.unwrap(), faults)
}

/// Bytes of this process in memory; 0 where it cannot be told.
fn resident() -> usize {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = statm.split_whitespace().nth(1);
    pages
        .and_then(|pages| pages.parse::<usize>().ok())
        .unwrap_or(0)
        * 4096
}
