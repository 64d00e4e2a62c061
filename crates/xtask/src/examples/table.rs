use std::time::Duration;

/// An example and what it must show.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) name: &'static str,
    /// Needs Postgres: it is started with `DATABASE_URL`, which names an empty database of its own.
    pub(super) database: bool,
    pub(super) shows: Shows,
}

#[derive(Debug)]
pub(super) enum Shows {
    /// Listens on `127.0.0.1:$PORT`, prints one line `key: …` and curl lines that work as printed. A
    /// line `id: …` says what the table calls `{id}` in a path.
    ///
    /// The requests are made in this order, so that one after a revocation can be refused.
    Answers(&'static [Request]),
    /// Listens on `127.0.0.1:$PORT`, and prints lines that work in one shell: curl lines, which get these
    /// answers, and lines that set a variable.
    Session(&'static [u16]),
    /// Is server and client in one: prints these words and exits with success.
    Prints(&'static [&'static str]),
}

/// A request to an example, and the status that answers it.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) key: Key,
    pub(super) status: u16,
    /// How long another status may answer it before this one does.
    pub(super) within: Duration,
}

/// Whether a request presents the key that the example printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key {
    /// The example must print a curl line for it.
    Sent,
    /// In several places of the request. The example must print a curl line for it.
    SentTwice,
    /// The example may print a curl line for it.
    Missing,
}

/// Every example of the workspace. One that is missing here, or only here, is a failure.
pub(super) const EXAMPLES: &[Example] = &[
    Example {
        name: "quickstart",
        database: false,
        shows: Shows::Answers(&[
            without_key("GET", "/healthz", 200),
            without_key("GET", "/whoami", 401),
            with_key("GET", "/whoami", 200),
            with_key("GET", "/reports", 200),
            with_key("POST", "/reports", 403),
            with_key("POST", "/revoke-me", 200),
            with_key("GET", "/whoami", 401),
        ]),
    },
    Example {
        name: "hyper",
        database: false,
        shows: Shows::Answers(&[
            without_key("GET", "/", 401),
            with_key("GET", "/", 200),
            with_key_twice("GET", "/", 400),
        ]),
    },
    Example {
        name: "tonic",
        database: false,
        shows: Shows::Prints(&["OK", "UNAUTHENTICATED", "PERMISSION_DENIED"]),
    },
    Example {
        name: "custom-store",
        database: false,
        shows: Shows::Answers(&[
            without_key("GET", "/whoami", 401),
            with_key("GET", "/whoami", 200),
            without_key("POST", "/demo/revoke-in-sql", 200),
            // Its five seconds, and one for the machine.
            with_key("GET", "/whoami", 401).within(Duration::from_secs(6)),
        ]),
    },
    Example {
        name: "postgres",
        database: true,
        shows: Shows::Answers(&[
            without_key("GET", "/healthz", 200),
            with_key("GET", "/whoami", 200),
            without_key("POST", "/keys", 201),
            without_key("GET", "/keys/{id}", 200),
            without_key("DELETE", "/keys/{id}?confirm=everywhere", 200),
            with_key("GET", "/whoami", 401),
        ]),
    },
    Example {
        name: "limits",
        database: false,
        shows: Shows::Answers(&[
            with_key("GET", "/orders", 200),
            with_key("GET", "/orders", 200),
            with_key("GET", "/orders", 200),
            with_key("GET", "/orders", 429),
            // With another key, and then with one that is none.
            without_key("GET", "/orders?key=another", 200),
            without_key("GET", "/orders?key=another", 200),
            without_key("GET", "/orders?key=another", 429),
            without_key("GET", "/orders?key=wrong", 401),
            without_key("GET", "/orders?key=wrong", 401),
            without_key("GET", "/orders?key=wrong", 429),
            with_key("GET", "/orders?from=browser", 403),
        ]),
    },
    Example {
        name: "dashboard",
        database: false,
        shows: Shows::Answers(&[
            with_key("GET", "/orders", 200),
            without_key("POST", "/sign-in", 303),
            without_key("GET", "/api/api-keys", 200),
            without_key("POST", "/api/api-keys", 201),
            without_key("GET", "/settings/api-keys", 200),
            without_key("GET", "/settings/api-keys/{id}", 200),
            without_key("POST", "/settings/api-keys/{id}/suspend", 403),
            without_key("POST", "/settings/api-keys/{id}/revoke", 303),
            with_key("GET", "/orders", 401),
        ]),
    },
    Example {
        name: "teams",
        database: false,
        shows: Shows::Answers(&[
            with_key("GET", "/orders", 200),
            with_key("POST", "/orders", 403),
            without_key("GET", "/keys", 200),
            without_key("POST", "/keys", 201),
            without_key("POST", "/keys/{id}/rotate", 404),
            without_key("POST", "/keys/{id}/suspend", 204),
            with_key("GET", "/orders", 401),
            without_key("POST", "/keys/{id}/resume", 204),
            with_key("GET", "/orders", 200),
            without_key("POST", "/keys/{id}/rotate?overlap=60", 201),
            with_key("GET", "/orders", 200),
            without_key("POST", "/keys/{id}/undo", 204),
            without_key("GET", "/keys/{id}/events", 200),
            without_key("DELETE", "/keys/{id}", 204),
            with_key("GET", "/orders", 401),
        ]),
    },
    Example {
        name: "citatra",
        database: false,
        shows: Shows::Session(&[201, 200, 403, 401, 200, 204, 401]),
    },
    Example {
        name: "katalo",
        database: false,
        shows: Shows::Session(&[201, 403, 201, 200, 200]),
    },
    Example {
        name: "cotizera",
        database: false,
        shows: Shows::Session(&[200, 200, 403, 200, 401]),
    },
    Example {
        name: "sitemarks",
        database: false,
        shows: Shows::Session(&[403, 200, 200, 200, 204, 401]),
    },
];

impl Request {
    const fn new(method: &'static str, path: &'static str, key: Key, status: u16) -> Self {
        Self {
            method,
            path,
            key,
            status,
            within: Duration::ZERO,
        }
    }

    const fn within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }
}

const fn with_key(method: &'static str, path: &'static str, status: u16) -> Request {
    Request::new(method, path, Key::Sent, status)
}

const fn with_key_twice(method: &'static str, path: &'static str, status: u16) -> Request {
    Request::new(method, path, Key::SentTwice, status)
}

const fn without_key(method: &'static str, path: &'static str, status: u16) -> Request {
    Request::new(method, path, Key::Missing, status)
}
