//! Comparing what came with what a case expects.

use super::answer::{Answer, Outcome};
use super::challenge::bearer_errors;
use super::{Case, Fixtures};

/// Judges the answer of a server and the number of loads its store saw.
pub(super) fn served(
    case: &Case,
    outcome: &Outcome,
    lookups: u64,
    fixtures: &Fixtures,
) -> Result<(), String> {
    let answer = match outcome {
        Outcome::Refused(_) if stream_error_allowed(case) => return same_lookups(case, lookups),
        Outcome::Refused(how) => return Err(format!("{how}, expected {}", expected(case))),
        Outcome::Answered(answer) => answer,
    };
    same_status(case, answer.status)?;
    if let Some(first) = answer.interim.first().filter(|_| answer.status >= 400) {
        return Err(format!("a {first} came before the refusal, expected none"));
    }
    same_error(case, answer)?;
    same_lookups(case, lookups)?;
    if fixtures.any_secret_in(&answer.received) {
        return Err("a part of a key's secret in the answer, expected none".to_owned());
    }
    Ok(())
}

/// Compares a status with `expect` ("allow" or "deny") and, where it is given, `expect_status`.
pub(super) fn same_decision(case: &Case, status: u16) -> Result<(), String> {
    let said = |allowed: bool| if allowed { "allow" } else { "deny" };
    let got = said(status < 400);
    match case.expect.as_deref() {
        Some(expected) if expected != got => {
            Err(format!("{got} with status {status}, expected {expected}"))
        }
        _ if case.statuses().is_empty() => Ok(()),
        _ => same_status(case, status),
    }
}

/// Compares a status alone.
pub(super) fn same_status(case: &Case, status: u16) -> Result<(), String> {
    if allowed(case).contains(&status) {
        return Ok(());
    }
    Err(format!("status {status}, expected {}", expected(case)))
}

fn same_error(case: &Case, answer: &Answer) -> Result<(), String> {
    let errors = bearer_errors(&answer.challenges);
    if answer.status == 401 && errors.len() != 1 {
        return Err(format!(
            "a 401 with {} Bearer challenges, expected one",
            errors.len()
        ));
    }
    let Some(expected) = &case.expect_error else {
        return Ok(());
    };
    let got = errors.into_iter().flatten().next();
    // Several allowed statuses share one `expect_error`, and null then means that it depends on
    // the status: no error of ours may stand beside the wrong one.
    if expected.is_none() && case.statuses().len() > 1 {
        let fits = match got.as_deref() {
            None => true,
            Some("invalid_request") => answer.status == 400,
            Some("invalid_token") => answer.status == 401,
            Some("insufficient_scope") => answer.status == 403,
            Some(_) => false,
        };
        return if fits {
            Ok(())
        } else {
            Err(format!(
                "error {}, which does not go with status {}",
                quoted(got.as_deref()),
                answer.status
            ))
        };
    }
    if got == *expected {
        return Ok(());
    }
    Err(format!(
        "error {}, expected {}",
        quoted(got.as_deref()),
        quoted(expected.as_deref())
    ))
}

fn same_lookups(case: &Case, lookups: u64) -> Result<(), String> {
    match case.expect_store_lookups {
        Some(expected) if expected != lookups => {
            Err(format!("{lookups} store look-ups, expected {expected}"))
        }
        _ => Ok(()),
    }
}

/// The statuses of `expect_status`, and those that "stream error or 401" names.
fn allowed(case: &Case) -> Vec<u16> {
    let mut allowed = case.statuses().to_vec();
    if stream_error_allowed(case) {
        let words = case.expect.as_deref().unwrap_or_default().split(' ');
        allowed.extend(words.filter_map(|word| word.parse::<u16>().ok()));
        allowed.dedup();
    }
    allowed
}

fn stream_error_allowed(case: &Case) -> bool {
    let text = case.expect.as_deref().unwrap_or_default();
    text.contains("stream error")
}

fn expected(case: &Case) -> String {
    let mut allowed: Vec<String> = allowed(case).iter().map(u16::to_string).collect();
    if stream_error_allowed(case) {
        allowed.push("a stream error".to_owned());
    }
    match allowed.is_empty() {
        true => "nothing that this runner knows".to_owned(),
        false => allowed.join(" or "),
    }
}

fn quoted(error: Option<&str>) -> String {
    error.map_or_else(|| "none".to_owned(), |error| format!("\"{error}\""))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adversarial::Suite;

    fn judged(case: &str, outcome: &Outcome) -> Result<(), String> {
        let json =
            r#"{"fixtures": {"valid": {"key": "ak_0_abcdefghijkl", "sha256": ""}}, "cases": ["#;
        let suite = Suite::parse(&format!("{json}{case}]}}")).unwrap();
        served(
            suite.cases[0].as_ref().unwrap(),
            outcome,
            1,
            &suite.fixtures,
        )
    }

    fn answered(status: u16, challenge: &str) -> Outcome {
        Outcome::Answered(Answer {
            status,
            challenges: vec![challenge.to_owned()],
            ..Answer::default()
        })
    }

    const CASE: &str = r#"{"name": "a", "kind": "http2", "expect_status": 401,
        "expect_error": "invalid_token", "expect_store_lookups": 1}"#;

    #[test]
    fn every_part_of_the_answer_counts() {
        let right = answered(401, "Bearer error=invalid_token");
        assert_eq!(judged(CASE, &right), Ok(()));
        let wrong = [
            (answered(200, "Bearer error=invalid_token"), CASE.to_owned()),
            (answered(401, "Bearer"), CASE.to_owned()),
            (
                answered(401, "Basic"),
                CASE.replace("\"invalid_token\"", "null"),
            ),
            (right, CASE.replace("lookups\": 1", "lookups\": 0")),
            (Outcome::Refused(String::new()), CASE.to_owned()),
        ];
        for (at, (outcome, case)) in wrong.into_iter().enumerate() {
            assert!(judged(&case, &outcome).is_err(), "{at}");
        }
    }

    #[test]
    fn a_field_that_is_not_there_is_not_compared() {
        let case = r#"{"name": "a", "kind": "http2", "expect_status": [400, 401]}"#;
        assert_eq!(judged(case, &answered(401, "Bearer error=x")), Ok(()));
        assert!(judged(case, &answered(403, "Bearer")).is_err());
    }

    #[test]
    fn a_stream_error_counts_only_where_it_is_expected() {
        let refused = Outcome::Refused("stream error 1".to_owned());
        let case =
            r#"{"name": "a", "kind": "http2", "expect_status": null, "expect": "stream error"}"#;
        assert_eq!(judged(case, &refused), Ok(()));
        assert!(judged(case, &answered(401, "Bearer")).is_err());
        let either = case.replace("stream error", "stream error or 401");
        assert_eq!(judged(&either, &refused), Ok(()));
        assert_eq!(judged(&either, &answered(401, "Bearer")), Ok(()));
    }

    #[test]
    fn an_answer_that_echoes_a_secret_or_continues_a_refusal_is_wrong() {
        let answer = |received: &[u8], interim| {
            Outcome::Answered(Answer {
                status: 401,
                interim,
                challenges: vec!["Bearer error=invalid_token".to_owned()],
                received: received.to_vec(),
            })
        };
        assert_eq!(judged(CASE, &answer(b"", vec![])), Ok(()));
        assert!(judged(CASE, &answer(b"x: bcdefghi", vec![])).is_err());
        assert!(judged(CASE, &answer(b"", vec![100])).is_err());
    }
}
