//! Reading `WWW-Authenticate: Bearer realm="…", error="…"`.

/// The `error` attributes of all Bearer challenges, `None` for a challenge without one.
pub(super) fn bearer_errors(challenges: &[String]) -> Vec<Option<String>> {
    challenges
        .iter()
        .filter_map(|value| {
            let (scheme, rest) = value.split_once(' ').unwrap_or((value, ""));
            scheme.eq_ignore_ascii_case("bearer").then_some(rest)
        })
        .map(|params| {
            let named = |(name, _): &(String, String)| name.eq_ignore_ascii_case("error");
            attributes(params).into_iter().find(named).map(|it| it.1)
        })
        .collect()
}

/// Splits `name=value` pairs at the commas that are not inside a quoted string.
fn attributes(params: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let (mut name, mut value) = (String::new(), None::<String>);
    let mut quoted = false;
    let mut chars = params.chars();
    while let Some(c) = chars.next() {
        match (c, &mut value) {
            ('"', Some(_)) => quoted = !quoted,
            ('\\', Some(value)) if quoted => value.extend(chars.next()),
            (',', _) if !quoted => {
                found.push((
                    std::mem::take(&mut name).trim().to_owned(),
                    value.take().unwrap_or_default(),
                ));
            }
            ('=', None) => value = Some(String::new()),
            (c, Some(value)) => value.push(c),
            (c, None) => name.push(c),
        }
    }
    found.push((name.trim().to_owned(), value.unwrap_or_default()));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(value: &str) -> Vec<Option<String>> {
        bearer_errors(&[value.to_owned()])
    }

    #[test]
    fn the_error_is_found_among_other_attributes() {
        let value = r#"Bearer realm="a, error=\"b\"", error="invalid_token", scope="x""#;
        assert_eq!(errors(value), [Some("invalid_token".to_owned())]);
        assert_eq!(errors("bearer error=x"), [Some("x".to_owned())]);
    }

    #[test]
    fn a_challenge_without_error_is_not_no_challenge() {
        assert_eq!(errors(r#"Bearer realm="a""#), [None]);
        assert_eq!(errors("Bearer"), [None]);
        assert!(errors(r#"Basic realm="a""#).is_empty());
    }
}
