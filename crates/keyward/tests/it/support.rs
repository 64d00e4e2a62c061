use axum::Router;
use axum::body::Body;
use axum::response::Response;
use http::header::{AUTHORIZATION, WWW_AUTHENTICATE};
use http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt;
use keyward::{ApiKeyLayer, Issued, KeyFormat, Keyward, NewKey, Scope};
use keyward_memory::MemoryStore;
use keyward_testkit::{FaultStore, Faults, LeakWatch};
use tower::ServiceExt;

pub(crate) const READ: Scope = Scope::from_static("docs:read");
pub(crate) const WRITE: Scope = Scope::from_static("docs:write");

/// A service, and a key of it that may read.
pub(crate) struct Fixture {
    pub(crate) keys: Keyward,
    pub(crate) key: Issued,
    pub(crate) faults: Faults,
    pub(crate) watch: LeakWatch,
}

impl Fixture {
    pub(crate) async fn new() -> Self {
        let watch = LeakWatch::start();
        let (store, faults) = FaultStore::new(MemoryStore::default());
        let format = KeyFormat::new("acme_live").unwrap();
        let keys = Keyward::builder(store)
            .format(format)
            .start()
            .await
            .unwrap();
        let new = NewKey::named("ci").tenant("acme").scopes([READ]);
        let key = keys.issue(new).await.unwrap();
        watch.issued(&key);
        Self {
            keys,
            key,
            faults,
            watch,
        }
    }

    pub(crate) fn layer(&self) -> ApiKeyLayer {
        ApiKeyLayer::new(self.keys.verifier())
    }

    pub(crate) fn secret(&self) -> &str {
        self.key.secret.expose()
    }

    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.secret())
    }

    /// A request for `/` that bears the key.
    pub(crate) fn request(&self) -> Request<Body> {
        get("/", &[("authorization", &self.bearer())])
    }
}

pub(crate) fn get(path: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let request = Request::get(path);
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.body(Body::empty()).unwrap()
}

/// What came back, read to its end.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) async fn read(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Self {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    pub(crate) fn header(&self, name: impl http::header::AsHeaderName) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn challenge(&self) -> Option<&str> {
        self.header(WWW_AUTHENTICATE)
    }

    pub(crate) fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.status.as_u16());
        problem["code"].as_str().unwrap().to_owned()
    }
}

pub(crate) async fn send(app: &Router, request: Request<Body>) -> Answer {
    Answer::read(app.clone().oneshot(request).await.unwrap()).await
}

/// The status of a request for `/` with this `Authorization`.
pub(crate) async fn status(app: &Router, authorization: &str) -> u16 {
    let request = get("/", &[(AUTHORIZATION.as_str(), authorization)]);
    send(app, request).await.status.as_u16()
}
