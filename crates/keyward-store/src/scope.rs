use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use thiserror::Error;

/// A right, as one word: an RFC 6749 §3.3 scope-token such as `orders:read`.
///
/// Segments part at `:`. A granted scope whose whole last segment is `*` after another segment,
/// such as `orders:*`, grants every scope with exactly one segment in its place. A lone `*` is a
/// plain name, and so is a `*` anywhere else. Scopes are case-sensitive and never match by prefix.
#[derive(Clone)]
pub struct Scope(Text);

#[derive(Clone)]
enum Text {
    Static(&'static str),
    Shared(Arc<str>),
}

impl Scope {
    /// The longest scope, in bytes.
    pub const MAX_BYTES: usize = 255;

    /// A scope known when the program is compiled; in a `const`, a wrong one does not compile.
    ///
    /// ```
    /// # use keyward_store::Scope;
    /// const READ: Scope = Scope::from_static("orders:read");
    /// ```
    ///
    /// ```compile_fail
    /// # use keyward_store::Scope;
    /// const TWO_WORDS: Scope = Scope::from_static("orders read");
    /// ```
    ///
    /// # Panics
    /// When the text is not a scope-token; see [`Scope::new`] for text that comes at run time.
    #[must_use]
    pub const fn from_static(text: &'static str) -> Self {
        assert!(
            is_scope_token(text.as_bytes()),
            "not an RFC 6749 scope-token"
        );
        Self(Text::Static(text))
    }

    /// The scope spelled `text`.
    ///
    /// # Errors
    /// [`ScopeError`] unless it has 1 to 255 characters, each of them visible ASCII but `"` and `\`.
    pub fn new(text: &str) -> Result<Self, ScopeError> {
        if is_scope_token(text.as_bytes()) {
            Ok(Self(Text::Shared(text.into())))
        } else {
            Err(ScopeError)
        }
    }

    /// The spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }

    /// Whether a holder of this scope may do what `required` names.
    #[must_use]
    pub fn grants(&self, required: &Self) -> bool {
        let (granted, required) = (self.as_str(), required.as_str());
        if granted == required {
            return true;
        }
        let Some(parent) = granted.strip_suffix('*') else {
            return false;
        };
        // `parent` keeps its `:`, and a segment that is not empty stands before that.
        parent.bytes().any(|byte| byte != b':')
            && parent.ends_with(':')
            && required
                .strip_prefix(parent)
                .is_some_and(|last| !last.is_empty() && !last.contains(':'))
    }
}

/// RFC 6749 §3.3: `1*( %x21 / %x23-5B / %x5D-7E )`.
const fn is_scope_token(text: &[u8]) -> bool {
    if text.is_empty() || text.len() > Scope::MAX_BYTES {
        return false;
    }
    let mut at = 0;
    while at < text.len() {
        if !text[at].is_ascii_graphic() || text[at] == b'"' || text[at] == b'\\' {
            return false;
        }
        at += 1;
    }
    true
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Scope {}

impl PartialOrd for Scope {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scope {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl std::hash::Hash for Scope {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for Scope {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl std::str::FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        Self::new(text)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Scope({:?})", self.as_str())
    }
}

/// Text that is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a scope has 1 to 255 visible ASCII characters, neither \" nor \\ among them")]
pub struct ScopeError;

/// A set of scopes: what a key, an owner or a tenant may do. An empty set grants nothing.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Scopes(Arc<[Scope]>);

impl Scopes {
    /// The most scopes that a key may be issued with.
    pub const MAX: usize = 64;

    /// No scope, no right.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// The scopes that a store holds as text. One that is not a scope grants nothing and is left
    /// out.
    pub fn from_stored<'a>(stored: impl IntoIterator<Item = &'a str>) -> Self {
        stored
            .into_iter()
            .filter_map(|text| Scope::new(text).ok())
            .collect()
    }

    /// Whether one of these scopes grants `required`.
    #[must_use]
    pub fn allows(&self, required: &Scope) -> bool {
        self.0.iter().any(|granted| granted.grants(required))
    }

    /// What both sets grant, and nothing else.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        // A scope grants either itself alone or one whole segment, so two that overlap without
        // being equal are always a wildcard and one of its members.
        let ours = self.iter().filter(|scope| other.allows(scope));
        let theirs = other.iter().filter(|scope| self.allows(scope));
        ours.chain(theirs).cloned().collect()
    }

    /// Every scope of the set, in the order of their spelling.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Scope> {
        self.0.iter()
    }

    /// How many scopes the set has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the set grants nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<Scope> for Scopes {
    fn from_iter<I: IntoIterator<Item = Scope>>(scopes: I) -> Self {
        let mut scopes: Vec<_> = scopes.into_iter().collect();
        scopes.sort();
        scopes.dedup();
        Self(scopes.into())
    }
}

impl<const N: usize> From<[Scope; N]> for Scopes {
    fn from(scopes: [Scope; N]) -> Self {
        scopes.into_iter().collect()
    }
}

impl fmt::Display for Scopes {
    /// The `scope` parameter of RFC 6749 §3.3: the words, a space between each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, scope) in self.iter().enumerate() {
            if n > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.iter().map(Scope::as_str))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> Scope {
        Scope::new(text).unwrap()
    }

    #[test]
    fn only_a_whole_last_segment_is_a_wildcard() {
        assert!(scope("docs:*").grants(&scope("docs:read")));
        assert!(scope("a:b:*").grants(&scope("a:b:c")));
        for (granted, required) in [
            ("docs:*", "docs:admin:delete"),
            ("docs:*", "docs:"),
            ("docs:*", "docs"),
            ("*", "docs"),
            (":*", ":docs"),
            ("d*:read", "docs:read"),
            ("docs:r*", "docs:read"),
            ("*:read", "docs:read"),
            ("a:*:c", "a:b:c"),
            ("docs:read", "docs:*"),
        ] {
            assert!(
                !scope(granted).grants(&scope(required)),
                "{granted} {required}"
            );
        }
    }

    #[test]
    fn words_that_are_no_scope_token_are_refused() {
        let long = "x".repeat(256);
        for bad in ["", "a b", "a\"b", "a\\b", "a\n", "é", long.as_str()] {
            assert_eq!(Scope::new(bad), Err(ScopeError), "{bad:?}");
        }
    }

    fn words() -> impl Strategy<Value = String> {
        let segment = prop_oneof!["[ab]", Just("*".to_owned()), Just(String::new())];
        prop::collection::vec(segment, 1..4)
            .prop_map(|segments| segments.join(":"))
            .prop_filter("a scope is not empty", |text| !text.is_empty())
    }

    fn sets() -> impl Strategy<Value = Scopes> {
        prop::collection::vec(words(), 0..6)
            .prop_map(|texts| Scopes::from_stored(texts.iter().map(String::as_str)))
    }

    proptest! {
        /// What two sets both grant is exactly what their intersection grants.
        #[test]
        fn intersection_is_and(a in sets(), b in sets(), required in words()) {
            let required = scope(&required);
            prop_assert_eq!(
                a.intersection(&b).allows(&required),
                a.allows(&required) && b.allows(&required)
            );
        }

        /// The rule, said a second way: equal, or equal but for one non-empty last segment.
        #[test]
        fn a_grant_is_a_segment_rule(granted in words(), required in words()) {
            let (g, r): (Vec<_>, Vec<_>) =
                (granted.split(':').collect(), required.split(':').collect());
            let last = g.len() - 1;
            let wild = last > 0
                && g[last] == "*"
                && !g[..last].iter().all(|s| s.is_empty())
                && g.len() == r.len()
                && g[..last] == r[..last]
                && !r[last].is_empty();
            prop_assert_eq!(scope(&granted).grants(&scope(&required)), granted == required || wild);
        }
    }
}
