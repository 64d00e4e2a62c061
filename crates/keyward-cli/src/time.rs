use std::time::{Duration, SystemTime};

use humantime::{format_rfc3339_seconds, parse_rfc3339_weak};

/// A duration as people write it: `90d`, `12h`, `1h 30m`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    humantime::parse_duration(text)
        .map_err(|_| "a duration is written like 90d, 12h or 30m".to_owned())
}

/// A moment: RFC 3339, or so long ago.
pub(crate) fn moment_past(text: &str) -> Result<SystemTime, String> {
    if let Ok(ago) = humantime::parse_duration(text) {
        let moment = SystemTime::now().checked_sub(ago);
        return moment.ok_or_else(|| "that is too long ago".to_owned());
    }
    instant(text).ok_or_else(|| {
        "a moment is written like 2026-11-21T12:00:00Z, or as so long ago: 24h".to_owned()
    })
}

/// A moment as RFC 3339 writes it.
pub(crate) fn moment(text: &str) -> Result<SystemTime, String> {
    instant(text).ok_or_else(|| "a moment is written like 2026-11-21T12:00:00Z".to_owned())
}

/// A moment as databases print it: with `T` or a space, with or without an offset; without one it is
/// UTC. A date alone is its first moment.
pub(crate) fn instant(text: &str) -> Option<SystemTime> {
    let text = text.trim();
    let (date, rest) = text.split_at_checked(10)?;
    if rest.is_empty() {
        return parse_rfc3339_weak(&format!("{date}T00:00:00Z")).ok();
    }
    let (time, offset) = match rest.find(['Z', 'z', '+', '-']) {
        None => (rest, ""),
        Some(place) => rest.split_at(place),
    };
    let local = parse_rfc3339_weak(&format!("{date}{time}Z")).ok()?;
    let (sign, digits) = offset.split_at_checked(1).unwrap_or_default();
    if matches!(sign, "" | "Z" | "z") {
        return digits.is_empty().then_some(local);
    }
    let (hours, minutes) = match digits.split_once(':') {
        Some(parts) => parts,
        None => digits.split_at_checked(2).unwrap_or((digits, "")),
    };
    let part = |text: &str, below: u64| match text {
        "" => Some(0),
        text if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            text.parse().ok().filter(|number| *number < below)
        }
        _ => None,
    };
    let offset = Duration::from_secs(part(hours, 24)? * 3600 + part(minutes, 60)? * 60);
    match sign {
        "+" => local.checked_sub(offset),
        _ => local.checked_add(offset),
    }
}

/// A moment, for people and programs.
pub(crate) fn spelled(time: SystemTime) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    if write!(text, "{}", format_rfc3339_seconds(time)).is_ok() {
        text
    } else if time < SystemTime::UNIX_EPOCH {
        "before 1970".to_owned()
    } else {
        "after 9999".to_owned()
    }
}

/// A moment by how far it is away, to the largest unit, which is what people look for in a list.
pub(crate) fn relative(time: SystemTime, now: SystemTime) -> String {
    match (now.duration_since(time), time.duration_since(now)) {
        (Ok(ago), _) if ago < Duration::from_secs(1) => "now".to_owned(),
        (Ok(ago), _) => format!("{} ago", rough(ago)),
        // What was said to be in 90 days is so a moment later too.
        (_, Ok(ahead)) => format!("in {}", rough(ahead + ahead / 200)),
        _ => spelled(time),
    }
}

/// A duration to its largest unit, cut down.
pub(crate) fn rough(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let units = [
        (365 * 86_400, "y"),
        (86_400, "d"),
        (3_600, "h"),
        (60, "m"),
        (1, "s"),
    ];
    // Two years are told in years, one and a half in days.
    for (length, unit) in units {
        let times = if unit == "y" { 2 } else { 1 };
        if seconds >= times * length {
            return format!("{}{unit}", seconds / length);
        }
    }
    match duration.as_micros() {
        0 => "0s".to_owned(),
        micros if micros < 1_000 => format!("{micros}µs"),
        micros => format!("{}ms", micros / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_databases_print_them() {
        let noon = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_268_800);
        for text in [
            "2026-01-01T12:00:00Z",
            "2026-01-01 12:00:00",
            "2026-01-01T12:00:00",
            "2026-01-01T12:00:00+00:00",
            "2026-01-01 14:00:00+02",
            "2026-01-01T14:00:00+0200",
            "2026-01-01T06:30:00-05:30",
        ] {
            assert_eq!(instant(text), Some(noon), "{text}");
        }
        let half = noon + Duration::from_millis(500);
        assert_eq!(instant("2026-01-01T12:00:00.5+00:00"), Some(half));
        let midnight = noon - Duration::from_secs(12 * 3600);
        assert_eq!(instant("2026-01-01"), Some(midnight));
        for text in [
            "",
            "soon",
            "2026-01-01T12:00:00+2",
            "2026-01-01T12:00:00+25:00",
            "2026-01-01é",
        ] {
            assert_eq!(instant(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_near_is_told_finely() {
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_767_268_800);
        let told = |seconds| relative(now - Duration::from_secs(seconds), now);
        assert_eq!(told(0), "now");
        assert_eq!(told(59), "59s ago");
        assert_eq!(told(3_600), "1h ago");
        assert_eq!(told(400 * 86_400), "400d ago");
        assert_eq!(told(800 * 86_400), "2y ago");
        let ahead = |seconds| relative(now + Duration::from_secs(seconds), now);
        assert_eq!(ahead(90), "in 1m");
        assert_eq!(ahead(90 * 86_400 - 5), "in 90d");
        assert_eq!(ahead(86_400 - 5), "in 1d");
    }
}
