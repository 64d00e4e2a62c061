//! Times and lengths of time as people read them.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

use crate::messages::{Messages, fill};

/// A moment: for programs, exactly, and in few words.
#[derive(Clone, Debug)]
pub(crate) struct When {
    pub(crate) machine: String,
    pub(crate) exact: String,
    pub(crate) words: String,
}

impl When {
    pub(crate) fn new(at: SystemTime, now: SystemTime, messages: &Messages) -> Self {
        let machine = spelled(at);
        Self {
            exact: machine.replace('T', " ").replace('Z', " UTC"),
            words: relative(at, now, messages),
            machine,
        }
    }
}

/// A length of time, in its largest whole unit.
pub(crate) fn length(length: Duration, m: &Messages) -> String {
    let seconds = length.as_secs();
    let whole = |unit: u64| (seconds > 0 && seconds.is_multiple_of(unit)).then(|| seconds / unit);
    let (one, many, n) = if let Some(years) = whole(YEAR) {
        (&m.for_year, &m.for_years, years)
    } else if let Some(days) = whole(DAY) {
        (&m.for_day, &m.for_days, days)
    } else if let Some(hours) = whole(HOUR) {
        (&m.for_hour, &m.for_hours, hours)
    } else {
        (&m.for_minutes, &m.for_minutes, seconds.div_ceil(MINUTE))
    };
    fill(if n == 1 { one } else { many }, n)
}

/// How many whole days.
pub(crate) fn days(length: Duration) -> u64 {
    length.as_secs() / DAY
}

fn relative(at: SystemTime, now: SystemTime, m: &Messages) -> String {
    let (past, seconds) = match now.duration_since(at) {
        Ok(since) => (true, since.as_secs()),
        // What has just been given thirty days ends in thirty, and not in twenty-nine.
        Err(until) => (false, until.duration().as_secs() + MINUTE - 1),
    };
    let units = [
        (YEAR, &m.year_ago, &m.years_ago, &m.in_year, &m.in_years),
        (
            MONTH,
            &m.months_ago,
            &m.months_ago,
            &m.in_months,
            &m.in_months,
        ),
        (DAY, &m.day_ago, &m.days_ago, &m.in_day, &m.in_days),
        (HOUR, &m.hour_ago, &m.hours_ago, &m.in_hour, &m.in_hours),
        (
            MINUTE,
            &m.minute_ago,
            &m.minutes_ago,
            &m.in_minute,
            &m.in_minutes,
        ),
    ];
    for (unit, one_ago, ago, in_one, in_many) in units {
        let n = seconds / unit;
        // Up to two months, days say more.
        if n > u64::from(unit == MONTH) {
            let (one, many) = if past {
                (one_ago, ago)
            } else {
                (in_one, in_many)
            };
            return fill(if n == 1 { one } else { many }, n);
        }
    }
    if past {
        m.now.to_string()
    } else {
        m.soon.to_string()
    }
}

/// As RFC 3339 spells it, to the second. A time that it cannot spell, which a store may hold, is told by
/// the last that it can.
fn spelled(time: SystemTime) -> String {
    if time < SystemTime::UNIX_EPOCH {
        return "1970-01-01T00:00:00Z".to_owned();
    }
    let mut text = String::new();
    match write!(text, "{}", humantime::format_rfc3339_seconds(time)) {
        Ok(()) => text,
        Err(_) => "9999-12-31T23:59:59Z".to_owned(),
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const MONTH: u64 = 30 * DAY;
const YEAR: u64 = 365 * DAY;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_told_in_few_words() {
        let m = Messages::default();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for (seconds, past, future) in [
            (0, "just now", "just now"),
            (59, "just now", "in 1 minute"),
            (60, "1 minute ago", "in 1 minute"),
            (7_200, "2 hours ago", "in 2 hours"),
            (DAY, "1 day ago", "in 1 day"),
            (30 * DAY, "30 days ago", "in 30 days"),
            (90 * DAY, "3 months ago", "in 3 months"),
            (800 * DAY, "2 years ago", "in 2 years"),
        ] {
            let by = Duration::from_secs(seconds);
            assert_eq!(relative(now - by, now, &m), past);
            assert_eq!(relative(now + by, now, &m), future);
        }
        let when = When::new(now, now, &m);
        assert_eq!(when.machine, "2027-01-15T08:00:00Z");
        assert_eq!(when.exact, "2027-01-15 08:00:00 UTC");
    }

    #[test]
    fn a_time_beyond_all_calendars_is_told_all_the_same() {
        let far = SystemTime::UNIX_EPOCH + Duration::from_secs(300_000_000_000);
        assert_eq!(spelled(far), "9999-12-31T23:59:59Z");
        let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(spelled(before), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn lengths_have_their_largest_whole_unit() {
        let m = Messages::default();
        for (seconds, words) in [
            (90, "2 minutes"),
            (HOUR, "1 hour"),
            (DAY, "1 day"),
            (30 * DAY, "30 days"),
            (YEAR, "1 year"),
        ] {
            assert_eq!(length(Duration::from_secs(seconds), &m), words);
        }
    }
}
