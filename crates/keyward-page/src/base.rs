use axum::extract::{OriginalUri, Request};

/// The path under which the browser finds the page, without a slash at its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Base(String);

impl Base {
    /// Of the path that was asked for, what the routers around this one have taken off.
    pub(crate) fn of(request: &Request, behind: &str) -> Self {
        let inner = request.uri().path();
        let asked = request.extensions().get::<OriginalUri>();
        let asked = asked.map_or(inner, |OriginalUri(uri)| uri.path());
        Self::between(asked, inner, behind)
    }

    fn between(asked: &str, inner: &str, behind: &str) -> Self {
        let mount = asked.strip_suffix(inner).unwrap_or(asked);
        let path = format!("{behind}{mount}");
        // Two slashes at its beginning would name another host.
        let path = path.trim_matches('/');
        Self(if path.is_empty() {
            String::new()
        } else {
            format!("/{path}")
        })
    }

    /// The beginning of every path of the page.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Where the list is.
    pub(crate) fn list(&self) -> String {
        if self.0.is_empty() {
            "/".to_owned()
        } else {
            self.0.clone()
        }
    }

    /// Where a key is.
    pub(crate) fn key(&self, id: &str) -> String {
        // An id is visible ASCII without a slash; of that, these mean something in a path.
        let id = id.replace('%', "%25").replace('?', "%3F");
        let id = id.replace('#', "%23").replace('\\', "%5C");
        let id = if id.bytes().all(|byte| byte == b'.') {
            id.replace('.', "%2E")
        } else {
            id
        };
        format!("{}/{id}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_what_was_taken_off() {
        for (asked, inner, behind, base) in [
            ("/settings/keys", "/", "", "/settings/keys"),
            ("/settings/keys/", "/", "", "/settings/keys"),
            ("/settings/keys/7/rotate", "/7/rotate", "", "/settings/keys"),
            ("/keys", "/", "/billing", "/billing/keys"),
            ("/keys", "/", "/", "/keys"),
            ("/", "/", "", ""),
            ("/7", "/7", "", ""),
            ("//evil.example/keys", "/", "", "/evil.example/keys"),
        ] {
            let found = Base::between(asked, inner, behind);
            assert_eq!(found.as_str(), base, "{asked} {inner}");
        }
    }

    #[test]
    fn ids_of_other_systems_are_paths_too() {
        let base = Base("/x".to_owned());
        assert_eq!(base.key("a?b#c%"), "/x/a%3Fb%23c%25");
        assert_eq!(base.key(".."), "/x/%2E%2E");
        assert_eq!(base.key("1.2"), "/x/1.2");
        assert_eq!(base.list(), "/x");
        assert_eq!(Base(String::new()).list(), "/");
    }
}
