//! Where and with what the figures were taken.

use std::fs;
use std::num::NonZero;
use std::thread::available_parallelism;
use std::time::{SystemTime, UNIX_EPOCH};

/// Facts in the order in which the report names them.
pub(crate) fn facts() -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("date", today()),
        ("processor", processor()),
        (
            "cores",
            available_parallelism().map_or(0, NonZero::get).to_string(),
        ),
        ("load when done", load()),
        ("compiler", env!("BENCH_RUSTC").to_owned()),
    ];
    facts.extend(CRATES.map(|name| (name, locked(name))));
    facts
}

const CRATES: [&str; 9] = [
    "keyward",
    "tower",
    "tower-http",
    "axum",
    "hyper",
    "moka",
    "jsonwebtoken",
    "sha2",
    "sqlx",
];

fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("model name"));
    let model = line.and_then(|line| line.split_once(':'));
    model.map_or_else(
        || std::env::consts::ARCH.to_owned(),
        |(_, model)| model.trim().to_owned(),
    )
}

/// How many programs wanted a core in the last minute, this one included.
fn load() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = text.split_whitespace().next();
    load.unwrap_or("unknown").to_owned()
}

/// The versions that this binary was built with.
fn locked(name: &str) -> String {
    const LOCK: &str = include_str!("../../Cargo.lock");
    let wanted = format!("name = \"{name}\"");
    let lines: Vec<&str> = LOCK.lines().collect();
    let versions: Vec<&str> = lines
        .windows(2)
        .filter(|pair| pair[0] == wanted)
        .filter_map(|pair| pair[1].strip_prefix("version = \"")?.strip_suffix('"'))
        .collect();
    versions.join(", ")
}

fn today() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let (year, month, day) = civil(since.as_secs() / 86_400);
    format!("{year}-{month:02}-{day:02}")
}

/// The date of a day since 1970, counted in eras of 400 years that begin in March.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 {
        from_march + 3
    } else {
        from_march - 9
    };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_453), (2025, 12, 31));
    }

    #[test]
    fn every_named_crate_is_in_the_lock_file() {
        for name in CRATES {
            assert!(!locked(name).is_empty(), "{name} is not built in");
        }
    }
}
