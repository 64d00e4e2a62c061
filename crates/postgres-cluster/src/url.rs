//! The parts of a URL that tests exchange. Everything else, such as a password, stays as it is.

/// `HOST:PORT` of a URL.
#[must_use]
pub fn address(url: &str) -> Option<String> {
    let [_, address, _] = parts(url)?;
    Some(match address.rsplit_once(':') {
        Some((_, port)) if port.parse::<u16>().is_ok() => address.to_owned(),
        _ => format!("{address}:5432"),
    })
}

/// The same URL at another `HOST:PORT`.
#[must_use]
pub fn with_address(url: &str, address: &str) -> Option<String> {
    let [before, _, after] = parts(url)?;
    Some(format!("{before}{address}{after}"))
}

/// The same URL for another database.
#[must_use]
pub fn with_database(url: &str, name: &str) -> Option<String> {
    let [before, address, after] = parts(url)?;
    let parameters = after.find('?').map_or("", |start| &after[start..]);
    Some(format!("{before}{address}/{name}{parameters}"))
}

/// Splits at `HOST:PORT`, which is the middle part.
fn parts(url: &str) -> Option<[&str; 3]> {
    let authority = url.find("://")? + 3;
    let length = url[authority..].find(['/', '?']);
    let end = length.map_or(url.len(), |length| authority + length);
    let user = url[authority..end].rfind('@').map_or(0, |at| at + 1);
    let start = authority + user;
    Some([&url[..start], &url[start..end], &url[end..]])
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = "postgres://me:p%40ss@db.example:6000/app?sslmode=disable";

    #[test]
    fn an_address_is_found_and_its_port_may_be_missing() {
        assert_eq!(address(FULL).unwrap(), "db.example:6000");
        assert_eq!(address("postgres://db.example").unwrap(), "db.example:5432");
        assert_eq!(address("postgres://[::1]/a").unwrap(), "[::1]:5432");
        assert_eq!(address("db.example:6000"), None);
    }

    #[test]
    fn another_address_changes_nothing_else() {
        assert_eq!(
            with_address(FULL, "127.0.0.1:7").unwrap(),
            "postgres://me:p%40ss@127.0.0.1:7/app?sslmode=disable"
        );
    }

    #[test]
    fn another_database_changes_nothing_else() {
        assert_eq!(
            with_database(FULL, "b").unwrap(),
            "postgres://me:p%40ss@db.example:6000/b?sslmode=disable"
        );
        assert_eq!(
            with_database("postgres://h?x=/y", "b").unwrap(),
            "postgres://h/b?x=/y"
        );
    }
}
