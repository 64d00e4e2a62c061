//! The adversarial cases whose input is told in words, one test each, under their own names.

use std::error::Error;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use keyward_core::{DeniedKind, Invalid, IssueError, Issued, Keyward, NewKey, Reason, Verifier};
use keyward_memory::MemoryStore;
use keyward_store::{
    AuditQuery, Change, Clock, Digest, KeyFormat, KeyHash, KeyId, KeyRecord, KeySnapshot,
    ListQuery, LocalLog, Lookup, ManualClock, Plaintext, Records, Selector, StoreError, Write,
};
use keyward_testkit::LeakWatch;
use keyward_tests::adversarial::format;

/// Ten megabytes are refused by their length: no look at the text, no hash, no copy.
#[test]
fn parse_10mb() -> Result<(), Box<dyn Error>> {
    let format = format()?;
    let long = format!("ak_live_{}", "a".repeat(10_485_760));
    let (clock, start) = (Clock::system(), Clock::system().boot());
    for _ in 0..10_000 {
        assert!(
            std::hint::black_box(&format)
                .parse(long.as_bytes())
                .is_none()
        );
    }
    // Reading it all that often would take minutes.
    let took = clock.boot().since(start);
    assert!(took.as_secs() < 5, "10,000 refusals took {took:?}");
    Ok(())
}

/// A million keys, no two of which are the same, nor have the same public id.
#[test]
fn gen_unique() -> Result<(), Box<dyn Error>> {
    let format = format()?;
    let mut keys = Vec::with_capacity(1_000_000);
    let mut ids = Vec::with_capacity(1_000_000);
    for _ in 0..1_000_000 {
        let generated = format.generate()?;
        let secret = generated.plaintext.expose().rsplit('_').next();
        let secret: [u8; 36] = secret.ok_or("no secret")?.as_bytes().try_into()?;
        keys.push(secret);
        ids.push(generated.public_id.ok_or("no public id")?);
    }
    keys.sort_unstable();
    ids.sort_unstable();
    // No `assert_eq`, which would print the keys.
    assert!(
        keys.windows(2).all(|pair| pair[0] != pair[1]),
        "two equal secrets"
    );
    assert!(
        ids.windows(2).all(|pair| pair[0] != pair[1]),
        "two equal public ids"
    );
    Ok(())
}

/// Every generated key parses to itself, and no key that differs from it in one character parses.
#[test]
fn gen_roundtrip() -> Result<(), Box<dyn Error>> {
    let format = format()?;
    for _ in 0..100 {
        let generated = format.generate()?;
        let key = generated.plaintext.expose().as_bytes();
        let parsed = format.parse(key).ok_or("a generated key does not parse")?;
        assert!(parsed.credential() == key);
        assert_eq!(parsed.public_id(), generated.public_id);
        assert_eq!(changes_that_parse(&format, key), 0);
    }
    Ok(())
}

fn changes_that_parse(format: &KeyFormat, key: &[u8]) -> usize {
    let mut changed = key.to_vec();
    let mut parsed = 0;
    for at in 0..key.len() {
        for other in (0..=u8::MAX).filter(|other| *other != key[at]) {
            changed[at] = other;
            parsed += usize::from(format.parse(&changed).is_some());
        }
        changed[at] = key[at];
    }
    parsed
}

/// What may end up in a log shows no eight characters of a key's secret part.
#[tokio::test]
async fn debug_redaction() -> Result<(), Box<dyn Error>> {
    let store = Arc::new(MemoryStore::default());
    let builder = Keyward::builder(Arc::clone(&store)).format(format()?);
    let config = format!("{builder:?}");
    let keys = builder.start().await?;
    let watch = LeakWatch::start();
    let issued = keys.issue(NewKey::named("ci").tenant("acme")).await?;
    watch.issued(&issued);
    let verifier = keys.verifier();
    let key = issued.secret.expose();

    // A key of the same spelling that was never issued.
    let other = format()?.generate()?;
    watch.secret(
        other
            .plaintext
            .expose()
            .get(other.hint.len()..)
            .unwrap_or_default(),
    );
    let unknown = verifier.verify(other.plaintext.expose().as_bytes()).await;
    let refused = unknown.expect_err("a key that was never issued");
    let garbled = verifier
        .verify(key.get(1..).unwrap_or_default().as_bytes())
        .await;
    let garbled = garbled.expect_err("a key without its first character");
    let principal = verifier.verify(key.as_bytes()).await?;
    let failing = Verifier::builder(LocalLog::sole_writer(Failing)).format(format()?);
    let failing = failing.verify_only().await?;
    let failed = failing
        .verify(key.as_bytes())
        .await
        .expect_err("a store that fails");
    assert_eq!(failed.kind(), DeniedKind::Unavailable);

    let stored = keys
        .get(&issued.key.id)
        .await?
        .ok_or("the key is not stored")?;
    let parsed = format()?;
    let parsed = parsed
        .parse(key.as_bytes())
        .ok_or("the key does not parse")?;
    let shown = [
        config,
        format!("{issued:?} {:?} {other:?} {parsed:?}", issued.secret),
        format!(
            "{refused:?} {refused} {} {garbled:?} {garbled}",
            refused.reason()
        ),
        format!("{failed:?} {failed} {}", failed.reason()),
        format!("{principal:?} {stored:?}"),
        format!("{keys:?} {verifier:?} {store:?}"),
        format!("{:?}", keys.list(&ListQuery::all()).await?),
        format!("{:?}", keys.audit(&AuditQuery::default()).await?),
    ];
    for secret in [key, other.plaintext.expose()] {
        let secret = secret.rsplit('_').next().ok_or("no secret")?.as_bytes();
        for (at, text) in shown.iter().enumerate() {
            let mut windows = text.as_bytes().windows(8);
            let leaks = windows.any(|it| secret.windows(8).any(|part| part == it));
            assert!(!leaks, "text {at} shows a part of a key");
        }
    }
    Ok(())
}

/// A store that cannot answer, and says what it was asked.
#[derive(Debug)]
struct Failing;

#[async_trait]
impl Lookup for Failing {
    async fn find(&self, by: &Selector) -> Result<Vec<KeySnapshot>, StoreError> {
        Err(StoreError::new(format!("no answer about {by:?}")))
    }
}

/// Instants beyond every calendar are allowed or refused at creation, and judged when stored.
#[tokio::test]
async fn expires_infinity_pg() -> Result<(), Box<dyn Error>> {
    let keys = Keyward::builder(MemoryStore::default())
        .format(format()?)
        .start()
        .await?;
    // Postgres' last date, the last second of a signed 64-bit count, the last one here.
    let ends = [
        9_224_318_015_999,
        i64::MAX.unsigned_abs() - 1,
        i64::MAX.unsigned_abs(),
    ];
    for seconds in ends {
        let Some(end) = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)) else {
            continue;
        };
        let new = || NewKey::named("ci").tenant("acme");
        for new in [
            new().expires_at(end),
            new().expires_in(Duration::from_secs(seconds)),
        ] {
            match keys.issue(new).await {
                Ok(issued) => assert!(accepts(&keys, &issued).await),
                Err(refused) => assert!(
                    matches!(refused, IssueError::Invalid(Invalid::ExpiryTooFar)),
                    "{refused}"
                ),
            }
        }
        // A table that others write may hold it all the same.
        let timed = Timed::stored(Some(end)).await?;
        assert!(
            timed.accepted().await,
            "{seconds} s after 1970 is in the future"
        );
    }
    Ok(())
}

/// A key that is cached is refused from the nanosecond on at which it expires.
#[tokio::test]
async fn cached_then_expires() -> Result<(), Box<dyn Error>> {
    let timed = Timed::issued(Duration::from_secs(2)).await?;
    assert!(timed.accepted().await);
    timed.hand.advance(Duration::from_nanos(1_999_999_999));
    assert!(timed.accepted().await, "a nanosecond too early");
    timed.hand.advance(Duration::from_nanos(1));
    assert!(!timed.accepted().await, "a cached key outlived its expiry");
    Ok(())
}

/// A clock that is set back an hour brings no expired key back: neither from the cache nor when it
/// is read from the store anew.
#[tokio::test]
async fn clock_steps_back_1h() -> Result<(), Box<dyn Error>> {
    let timed = Timed::issued(Duration::from_secs(2)).await?;
    assert!(timed.accepted().await);
    timed.hand.advance(Duration::from_secs(2));
    assert!(!timed.accepted().await);

    timed
        .hand
        .set_wall(timed.hand.wall() - Duration::from_secs(3_600));
    assert!(!timed.accepted().await, "back to life in the cache");
    // Longer than any lease, so that what is cached is not believed any more.
    timed.hand.advance(Duration::from_secs(60));
    assert!(!timed.accepted().await, "back to life from the store");
    Ok(())
}

/// `2026-03-29T02:30:00+01:00` is an instant, although no clock in Berlin showed it: clocks went
/// from 02:00 to 03:00 that night.
#[tokio::test]
async fn timezone() -> Result<(), Box<dyn Error>> {
    let instant = SystemTime::UNIX_EPOCH + Duration::from_secs(1_774_747_800);
    let timed = Timed::stored(Some(instant)).await?;
    timed.hand.set_wall(instant - Duration::from_nanos(1));
    assert!(timed.accepted().await);

    let timed = Timed::stored(Some(instant)).await?;
    timed.hand.set_wall(instant);
    assert!(!timed.accepted().await);
    Ok(())
}

/// A service with one key, on a clock that stands still.
struct Timed {
    hand: ManualClock,
    keys: Keyward,
    key: Plaintext,
    /// Looks for the key in the log in the end.
    _watch: LeakWatch,
}

impl Timed {
    /// The key was issued in the ordinary way.
    async fn issued(life: Duration) -> Result<Self, Box<dyn Error>> {
        let (clock, hand) = Clock::manual();
        let store = MemoryStore::with_clock(clock.clone());
        let keys = Keyward::builder(store)
            .format(format()?)
            .clock(clock)
            .start()
            .await?;
        let new = NewKey::named("ci").tenant("acme").expires_in(life);
        let watch = LeakWatch::start();
        let issued = keys.issue(new).await?;
        watch.issued(&issued);
        Ok(Self {
            hand,
            keys,
            key: issued.secret,
            _watch: watch,
        })
    }

    /// The key's record was written into the store, with whatever expiry.
    async fn stored(expires_at: Option<SystemTime>) -> Result<Self, Box<dyn Error>> {
        let (clock, hand) = Clock::manual();
        let store = MemoryStore::with_clock(clock.clone());
        let generated = format()?.generate()?;
        let watch = LeakWatch::start();
        let secret = generated.plaintext.expose().get(generated.hint.len()..);
        watch.secret(secret.unwrap_or_default());
        let digest = Digest::sha256(generated.plaintext.expose().as_bytes());
        let mut record = KeyRecord::new(KeyId::generate(), "acme", KeyHash::Sha256(digest));
        record.prefix = format()?.prefix().to_owned();
        record.public_id = generated.public_id;
        record.expires_at = expires_at;
        store
            .commit(&Change::new(hand.wall()).write(Write::Insert(record)))
            .await?;
        let keys = Keyward::builder(store)
            .format(format()?)
            .clock(clock)
            .start()
            .await?;
        Ok(Self {
            hand,
            keys,
            key: generated.plaintext,
            _watch: watch,
        })
    }

    /// Whether the key passes; if not, it is because it has expired.
    async fn accepted(&self) -> bool {
        match self
            .keys
            .verifier()
            .verify(self.key.expose().as_bytes())
            .await
        {
            Ok(_) => true,
            Err(denied) => {
                assert_eq!(denied.reason(), Reason::Expired);
                assert_eq!(denied.kind().status(), 401);
                false
            }
        }
    }
}

async fn accepts(keys: &Keyward, issued: &Issued) -> bool {
    let key = issued.secret.expose().as_bytes();
    keys.verifier().verify(key).await.is_ok()
}
