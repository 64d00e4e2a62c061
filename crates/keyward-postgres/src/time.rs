//! Times at the resolution that Postgres keeps, which is a microsecond.

use std::time::{Duration, SystemTime};

use sqlx::error::BoxDynError;
use sqlx::postgres::{PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Postgres, Type};

/// Microseconds after the epoch of Unix, what is below them cut off; `None` beyond some 292,000
/// years.
pub(crate) fn micros(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_micros()).ok(),
        Err(before) => {
            let nanos = before.duration().as_nanos();
            i64::try_from(nanos.div_ceil(1_000)).ok().map(|us| -us)
        }
    }
}

/// A `timestamptz`. Those that Postgres calls infinite are very far away.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Timestamp(pub(crate) SystemTime);

impl Type<Postgres> for Timestamp {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: PgValueRef<'r>) -> Result<Self, BoxDynError> {
        if value.format() != PgValueFormat::Binary {
            return Err("a time in text".into());
        }
        let bytes = <[u8; 8]>::try_from(value.as_bytes()?)?;
        Ok(Self(from_postgres(i64::from_be_bytes(bytes))))
    }
}

/// The wire format: microseconds after the start of the year 2000.
fn from_postgres(micros: i64) -> SystemTime {
    let epoch = SystemTime::UNIX_EPOCH + YEAR_2000;
    let apart = Duration::from_micros(micros.unsigned_abs());
    let time = if micros < 0 {
        epoch.checked_sub(apart)
    } else {
        epoch.checked_add(apart)
    };
    time.unwrap_or(epoch)
}

const YEAR_2000: Duration = Duration::from_secs(946_684_800);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_epochs_agree() {
        assert_eq!(from_postgres(-946_684_800_000_000), SystemTime::UNIX_EPOCH);
        let time = SystemTime::UNIX_EPOCH + Duration::from_nanos(1_763_000_000_123_457_999);
        let cut = micros(time).unwrap();
        assert_eq!(cut, 1_763_000_000_123_457);
        let back = from_postgres(cut - 946_684_800_000_000);
        assert_eq!(back, time - Duration::from_nanos(999));
        let before = SystemTime::UNIX_EPOCH - Duration::from_nanos(1_500);
        assert_eq!(micros(before), Some(-2));
    }

    #[test]
    fn infinity_is_far_away() {
        let now = SystemTime::UNIX_EPOCH + YEAR_2000;
        let age = Duration::from_secs(3_600 * 24 * 366 * 200_000);
        assert!(from_postgres(i64::MAX) > now + age);
        assert!(from_postgres(i64::MIN) < now - age);
    }
}
