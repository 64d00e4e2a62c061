use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

/// The keys that the cases present, by what is the matter with them.
///
/// `Debug` names them and shows none.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Fixtures(BTreeMap<String, Fixture>);

#[derive(Clone, Deserialize)]
pub(super) struct Fixture {
    pub(super) key: String,
    pub(super) sha256: String,
}

impl Fixtures {
    /// The whole key of this name.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|it| it.key.as_str())
    }

    /// Whether eight characters in a row of any key's secret occur in the text.
    #[must_use]
    pub fn any_secret_in(&self, text: &[u8]) -> bool {
        self.0.values().any(|fixture| {
            let secret = fixture.key.rsplit('_').next().unwrap_or_default();
            let mut windows = secret.as_bytes().windows(8);
            windows.any(|window| text.windows(8).any(|it| it == window))
        })
    }
}

impl fmt::Debug for Fixtures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use crate::adversarial::Suite;

    #[test]
    fn eight_characters_of_a_secret_are_found() {
        let fixtures = Suite::own().unwrap().fixtures;
        let key = fixtures.key("valid").unwrap();
        let part = &key.as_bytes()[30..38];
        assert!(fixtures.any_secret_in(&[b"echo: ", part].concat()));
        assert!(!fixtures.any_secret_in(&[b"echo: ", &part[..7]].concat()));
        assert!(!fixtures.any_secret_in(b"ak_live_0000000aB1c_"));
    }

    #[test]
    fn debug_shows_no_key() {
        let fixtures = Suite::own().unwrap().fixtures;
        let shown = format!("{fixtures:?}");
        assert!(shown.contains("valid"));
        assert!(!fixtures.any_secret_in(shown.as_bytes()));
    }
}
