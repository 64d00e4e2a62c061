use std::sync::LazyLock;

use keyward_limits::{LimitsAway, SharedLimit, SharedTaken};
use redis::{Script, ScriptInvocation};

use crate::names::name_in_redis;

/// The script, with the names and numbers of these limits.
pub(crate) fn invocation(prefix: &str, limits: &[SharedLimit]) -> ScriptInvocation<'static> {
    let mut invocation = SCRIPT.prepare_invoke();
    for limit in limits {
        invocation
            .key(name_in_redis(prefix, &limit.name))
            // Nothing but what is free of charge has no interval.
            .arg(limit.interval_micros.clamp(1, FURTHEST))
            .arg(limit.tolerance_micros.min(FURTHEST));
    }
    invocation
}

/// What the script has answered.
pub(crate) fn taken(answer: &[u64], limits: usize) -> Result<SharedTaken, LimitsAway> {
    match answer {
        [passed @ (0 | 1), ahead @ ..] if ahead.len() == limits => {
            Ok(SharedTaken::new(*passed == 1, ahead.to_vec()))
        }
        _ => Err(LimitsAway::new("Redis gave an answer of another kind")),
    }
}

static SCRIPT: LazyLock<Script> = LazyLock::new(|| Script::new(include_str!("take.lua")));

/// Microseconds: some 71 years. The time of this century and twice as much stay below 2^53, beyond which
/// the numbers of Lua have gaps.
const FURTHEST: u64 = 1 << 51;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_script_answers_is_an_answer() {
        let right = taken(&[1, 5, 0], 2).unwrap();
        assert_eq!(right, SharedTaken::new(true, vec![5, 0]));
        assert!(!taken(&[0, 5], 1).unwrap().passed);
        for wrong in [&[][..], &[1], &[2, 5], &[1, 5, 5]] {
            assert!(taken(wrong, 1).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn the_numbers_of_lua_have_no_gaps_where_they_are_needed() {
        // 2^53 microseconds after 1970, less twice the furthest: in the year 2112.
        let year = (2_u64.pow(53) - 2 * FURTHEST) / 1_000_000 / 31_556_952 + 1970;
        assert_eq!(year, 2112);
    }
}
