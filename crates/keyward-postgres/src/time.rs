//! Times at the resolution that Postgres keeps, which is a microsecond.

use std::time::{Duration, SystemTime};

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgTypeInfo, PgValueFormat, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

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

/// The same, what is below them counted as a whole one: of times that are kept to the microsecond, as
/// many are before it as are before `time`.
pub(crate) fn micros_up(time: SystemTime) -> Option<i64> {
    match time.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos().div_ceil(1_000)).ok(),
        Err(before) => {
            let micros = before.duration().as_micros();
            i64::try_from(micros).ok().map(|us| -us)
        }
    }
}

/// A `timestamptz` to compare others with, on its way to the server.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bound(i64);

impl Bound {
    /// Later than every time.
    pub(crate) const NEVER: Self = Self(i64::MAX);

    /// What is at this time or earlier is at the bound or earlier.
    pub(crate) fn up_to(time: SystemTime) -> Self {
        Self::new(time, micros(time))
    }

    /// What is before this time is before the bound.
    pub(crate) fn before(time: SystemTime) -> Self {
        Self::new(time, micros_up(time))
    }

    /// Beyond what Postgres can keep is what it calls infinite.
    fn new(time: SystemTime, micros: Option<i64>) -> Self {
        let from_2000 = micros.and_then(|micros| micros.checked_sub(YEAR_2000_MICROS));
        Self(match from_2000 {
            Some(micros) if KEPT.contains(&micros) => micros,
            _ if time > SystemTime::UNIX_EPOCH => i64::MAX,
            _ => i64::MIN,
        })
    }
}

impl Type<Postgres> for Bound {
    fn type_info() -> PgTypeInfo {
        // By number, since a name would have to be asked for.
        PgTypeInfo::with_oid(Oid(1184))
    }
}

impl Encode<'_, Postgres> for Bound {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(&self.0.to_be_bytes());
        Ok(IsNull::No)
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
const YEAR_2000_MICROS: i64 = 946_684_800_000_000;
/// From 4714-11-24 BC to the end of 294276, in microseconds after the start of the year 2000.
const KEPT: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

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
    fn bounds_part_the_same_times() {
        let at = |nanos: u64| SystemTime::UNIX_EPOCH + YEAR_2000 + Duration::from_nanos(nanos);
        assert_eq!(
            (Bound::up_to(at(2_000)).0, Bound::before(at(2_000)).0),
            (2, 2)
        );
        assert_eq!(
            (Bound::up_to(at(2_001)).0, Bound::before(at(2_001)).0),
            (2, 3)
        );
        let early = SystemTime::UNIX_EPOCH - Duration::from_nanos(1_500);
        assert_eq!((micros(early), micros_up(early)), (Some(-2), Some(-1)));
        let age = Duration::from_secs(3_600 * 24 * 366 * 295_000);
        assert_eq!(Bound::before(at(0) + age).0, i64::MAX);
        assert_eq!(Bound::up_to(at(0) - age).0, i64::MIN);
    }

    #[test]
    fn infinity_is_far_away() {
        let now = SystemTime::UNIX_EPOCH + YEAR_2000;
        let age = Duration::from_secs(3_600 * 24 * 366 * 200_000);
        assert!(from_postgres(i64::MAX) > now + age);
        assert!(from_postgres(i64::MIN) < now - age);
    }
}
