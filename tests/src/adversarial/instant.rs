use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The instant that an RFC 3339 text names, for instance `2026-03-29T02:30:00+01:00`.
pub(super) fn parse(text: &str) -> Option<SystemTime> {
    let (date, rest) = text.split_at_checked(10)?;
    let (time, rest) = rest.strip_prefix(['T', 't', ' '])?.split_at_checked(8)?;
    let [year, month, day] = numbers(date, '-')?;
    let [hour, minute, second] = numbers(time, ':')?;
    let at = rest.find(['Z', 'z', '+', '-'])?;
    let (fraction, zone) = rest.split_at_checked(at)?;
    let seconds = (days(year, month, day) * 24 + hour) * 3_600 + minute * 60 + second;
    let whole = Duration::from_secs((seconds - offset(zone)?).unsigned_abs());
    let instant = match seconds < offset(zone)? {
        true => UNIX_EPOCH.checked_sub(whole)?,
        false => UNIX_EPOCH.checked_add(whole)?,
    };
    instant.checked_add(nanos(fraction)?)
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return (zone.len() == 1).then_some(0),
    };
    let [hours, minutes] = numbers(zone.get(1..)?, ':')?;
    Some(sign * (hours * 3_600 + minutes * 60))
}

fn nanos(fraction: &str) -> Option<Duration> {
    let Some(digits) = fraction.strip_prefix('.') else {
        return fraction.is_empty().then_some(Duration::ZERO);
    };
    let nanos = format!("{digits:0<9.9}").parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

fn numbers<const N: usize>(text: &str, separator: char) -> Option<[i64; N]> {
    let parts: Option<Vec<i64>> = text.split(separator).map(|it| it.parse().ok()).collect();
    parts?.try_into().ok()
}

/// Days since 1970-01-01 of a date in the Gregorian calendar.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March put the leap day at the end.
    let year = if month > 2 { year } else { year - 1 };
    let months = (month + 9) % 12;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    year * 365 + leap_days + (153 * months + 2) / 5 + day - 1 - DAYS_TO_1970_03_01 + 59
}

/// What the formula above gives for 1970-03-01, which is day 59.
const DAYS_TO_1970_03_01: i64 = 1970 * 365 + 477;

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(text: &str) -> u64 {
        parse(text)
            .unwrap()
            .duration_since(UNIX_EPOCH)
            .unwrap()
            .as_secs()
    }

    #[test]
    fn instants_are_those_of_a_reference() {
        assert_eq!(seconds("1970-01-01T00:00:00Z"), 0);
        assert_eq!(seconds("2000-02-29T23:59:59Z"), 951_868_799);
        assert_eq!(seconds("2024-03-01T00:00:00Z"), 1_709_251_200);
        assert_eq!(seconds("2026-03-29T02:30:00+01:00"), 1_774_747_800);
        assert_eq!(seconds("2026-03-28T20:30:00.5-05:00"), 1_774_747_800);
        let early = parse("1969-12-31T23:59:59.25Z").unwrap();
        assert_eq!(
            UNIX_EPOCH.duration_since(early).unwrap(),
            Duration::from_millis(750)
        );
    }

    #[test]
    fn what_is_no_instant_is_none() {
        for bad in [
            "",
            "infinity",
            "2026-03-29",
            "2026-03-29T02:30:00",
            "2026-03-29T02:30:00+1",
        ] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
