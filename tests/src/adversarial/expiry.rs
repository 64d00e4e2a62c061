//! Keys around the instant at which they expire, freshly loaded and from the cache.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use keyward_store::Clock;
use serde_json::Value;

use super::issued::Issued;
use super::{Case, Verdict, instant, judge};

/// Verifies a key that expires when the case says, on a clock that stands still.
pub(super) async fn run(case: &Case) -> Verdict {
    if !matches!(case.expect.as_deref(), Some("allow" | "deny")) {
        return Verdict::Elsewhere;
    }
    if let Some(late) = case.now_minus_expires_at_ns {
        return around(case, late).await.into();
    }
    let expires_at = match &case.expires_at {
        Some(Value::Null) => Some(None),
        Some(Value::Number(number)) => number.as_i64().and_then(in_seconds).map(Some),
        Some(Value::String(text)) => instant::parse(text).map(Some),
        _ => None,
    };
    match expires_at {
        Some(expires_at) => fixed(case, expires_at).await.into(),
        // Not an instant that a record can hold.
        None => Verdict::Elsewhere,
    }
}

/// The key is verified `late` nanoseconds after it expires: once when it was never seen before,
/// once when it is cached since a second before it expires.
async fn around(case: &Case, late: i64) -> Result<(), String> {
    let (clock, hand) = Clock::manual();
    let expires_at = moved(hand.wall(), late.checked_neg());
    let key = Issued::new(clock, |record| record.expires_at = expires_at).await?;
    judged(case, &key, "fresh").await?;

    let Ok(wait) = u64::try_from(SECOND.saturating_add(late)) else {
        // So long before it expires that it cannot be cached yet earlier.
        return Ok(());
    };
    let (clock, hand) = Clock::manual();
    let expires_at = moved(hand.wall(), Some(SECOND));
    let key = Issued::new(clock, |record| record.expires_at = expires_at).await?;
    match key.status().await {
        200 => hand.advance(Duration::from_nanos(wait)),
        status => return Err(format!("status {status} a second before it expires")),
    }
    judged(case, &key, "cached").await
}

/// The key is verified now, twice: the second time it has been seen.
async fn fixed(case: &Case, expires_at: Option<SystemTime>) -> Result<(), String> {
    let (clock, _hand) = Clock::manual();
    let key = Issued::new(clock, |record| record.expires_at = expires_at).await?;
    judged(case, &key, "fresh").await?;
    judged(case, &key, "cached").await
}

async fn judged(case: &Case, key: &Issued, how: &str) -> Result<(), String> {
    let status = key.status().await;
    judge::same_decision(case, status).map_err(|wrong| format!("{how}: {wrong}"))
}

fn moved(from: SystemTime, nanos: Option<i64>) -> Option<SystemTime> {
    let nanos = nanos?;
    let by = Duration::from_nanos(nanos.unsigned_abs());
    match nanos < 0 {
        true => from.checked_sub(by),
        false => from.checked_add(by),
    }
}

fn in_seconds(seconds: i64) -> Option<SystemTime> {
    let by = Duration::from_secs(seconds.unsigned_abs());
    match seconds < 0 {
        true => UNIX_EPOCH.checked_sub(by),
        false => UNIX_EPOCH.checked_add(by),
    }
}

const SECOND: i64 = 1_000_000_000;
