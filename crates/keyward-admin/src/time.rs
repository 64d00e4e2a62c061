//! Times as RFC 3339 writes them.

use std::fmt::Write as _;
use std::time::{Duration, SystemTime};

/// As RFC 3339 spells it, to the microsecond; a time beyond what it can spell, which a store may hold,
/// by the nearest that it can.
pub(crate) fn spelled(time: SystemTime) -> String {
    let mut text = String::new();
    // What lies before that, `humantime` cannot spell, and panics.
    let time = time.max(SystemTime::UNIX_EPOCH);
    match write!(text, "{}", humantime::format_rfc3339_micros(time)) {
        Ok(()) => text,
        Err(_) => "9999-12-31T23:59:59.999999Z".to_owned(),
    }
}

/// The time that such a text tells, with any offset.
pub(crate) fn parse(text: &str) -> Option<SystemTime> {
    if !text.is_ascii() {
        return None;
    }
    let text = text.to_ascii_uppercase();
    if let Some(universal) = text.strip_suffix('Z') {
        return without_offset(universal);
    }
    let (local, offset) = text.split_at_checked(text.len().checked_sub(6)?)?;
    let [sign, h1, h2, b':', m1, m2] = offset.as_bytes() else {
        return None;
    };
    let number = |tens: &u8, ones: &u8| {
        let digit = |digit: &u8| char::from(*digit).to_digit(10).map(u64::from);
        Some(digit(tens)? * 10 + digit(ones)?)
    };
    let (hours, minutes) = (number(h1, h2)?, number(m1, m2)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let offset = Duration::from_secs(hours * 3600 + minutes * 60);
    let local = without_offset(local)?;
    match sign {
        b'+' => local.checked_sub(offset),
        b'-' => local.checked_add(offset),
        _ => None,
    }
}

/// The time that a text tells up to its offset: `humantime` also takes some that go on after their end.
fn without_offset(text: &str) -> Option<SystemTime> {
    let (_, part) = text.split_at_checked("2030-01-01T12:00:00".len())?;
    let is_part = part.strip_prefix('.').is_some_and(|digits| {
        (1..=9).contains(&digits.len()) && digits.bytes().all(|digit| digit.is_ascii_digit())
    });
    if !part.is_empty() && !is_part {
        return None;
    }
    humantime::parse_rfc3339(&format!("{text}Z")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_with_their_offset() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_893_499_200);
        for text in [
            "2030-01-01T12:00:00Z",
            "2030-01-01t12:00:00.000z",
            "2030-01-01T14:30:00+02:30",
            "2030-01-01T00:00:00-12:00",
        ] {
            assert_eq!(parse(text), Some(noon), "{text}");
        }
        assert_eq!(spelled(noon), "2030-01-01T12:00:00.000000Z");
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "Z",
            "tomorrow",
            "2030-01-01",
            "2030-01-01T12:00:00",
            "2030-01-01 12:00:00Z",
            "2030-13-01T12:00:00Z",
            "2030-01-01T12:00:00+24:00",
            "2030-01-01T12:00:00+0200",
            "2030-01-01T12:00:00Z+02:00",
            "2030-01-01T12:00:00ZxxZ",
            "2030-01-01T12:00:00.Z",
            "2030-01-01T12:00:00.1234567890Z",
            "2030-01-01T12:00:00.5+00:00+02:00",
            "1969-12-31T23:59:59Z",
            "2030-01-01T12:00:00*02:00",
            "²030-01-01T12:00:00Z",
            "1893499200",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_time_that_cannot_be_spelled_is_told_by_the_nearest() {
        let late = SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 40);
        assert_eq!(spelled(late), "9999-12-31T23:59:59.999999Z");
        let early = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(spelled(early), "1970-01-01T00:00:00.000000Z");
    }
}
